"""vasprun.xml of VASP, element by element: no DOCTYPE, no entities, memory of one ionic step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from sciml.materials.formats import source, tokens
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import Place
from sciml.units import KBAR_IN_EV_PER_A3

__all__ = ["parse_vasprun"]

DEPTH = 60
Element = ElementTree.Element


def parse_vasprun(path: str | Path, *, max_sites: int = 20_000) -> Iterator[Record]:
    """Records of a vasprun.xml, one for each `<calculation>`.

    Energy is `e_fr_energy` (eV) less the external pressure's work (PSTRESS times volume), the one that the forces (eV/A) derive from;
    the other energies are kept in `info`. Stress in kBar, pressure positive, becomes eV/A^3, tension positive, xx yy zz yz xz xy.
    DataError: a DOCTYPE, XML that is cut off or not well formed, a number that is none (`*****`).
    """
    place = Place(path)
    symbols: list[str] = []
    pressure, record = 0.0, 0
    parser: Any = ElementTree.XMLPullParser(("start", "end"))
    depth = 0
    with source.open_bytes(path, 64 * source.WHOLE_LIMIT) as handle:
        for event, node in _events(handle, parser, place):
            depth += 1 if event == "start" else -1
            if depth > DEPTH:
                raise place.fault("XML", f"more than {DEPTH} elements inside each other", "vasprun.xml as VASP writes it")
            if event == "start":
                continue
            if node.tag == "atominfo":
                symbols = _symbols(node, place, max_sites)
            elif node.tag == "parameters":
                found = node.find(".//i[@name='PSTRESS']")
                pressure = 0.0 if found is None else tokens.floats([(found.text or "").strip()], place, "PSTRESS")[0] * KBAR_IN_EV_PER_A3
            elif node.tag == "calculation":
                yield _record(node, symbols, pressure, place.at(record))
                record += 1
            if depth == 1 or node.tag in ("calculation", "eigenvalues", "dos", "projected"):
                node.clear()
    if record == 0:
        raise place.fault("calculation", "none", "at least one ionic step")


def _events(handle: Any, parser: Any, place: Place) -> Iterator[tuple[str, Element]]:
    """(event, element) as the bytes come; a document type is refused before the parser sees it, so that no entity is ever declared."""
    last = b""
    try:
        while data := handle.read(1 << 18):
            if any(mark in last + data for mark in (b"<!DOCTYPE", b"<!ENTITY")):
                raise place.fault("XML", "a DOCTYPE", "vasprun.xml as VASP writes it, without one")
            last = data[-16:]
            parser.feed(data)
            yield from parser.read_events()
        parser.close()
        yield from parser.read_events()
    except ElementTree.ParseError as error:
        raise place.fault("XML", f"not well formed or cut off ({error})", "a whole vasprun.xml") from error


def _symbols(node: Element, place: Place, max_sites: int) -> list[str]:
    """Element of each atom."""
    found = [(entry.findtext("c") or "").strip() for entry in node.findall("array[@name='atoms']/set/rc")]
    if not 0 < len(found) <= max_sites:
        raise place.fault("atominfo", f"{len(found)} atoms", f"1 to {max_sites} (max_sites=)")
    return found


def _array(node: Element | None, rows: int, place: Place, field: str) -> Array:
    """A `<varray>` as [rows,3]."""
    texts = [] if node is None else [v.text or "" for v in node.findall("v")]
    values = [tokens.floats(text.split(), place, field) for text in texts]
    if len(values) != rows or any(len(row) != 3 for row in values):
        raise place.fault(field, f"{len(values)} rows", f"{rows} rows of three numbers")
    return np.array(values)


def _record(node: Element, symbols: list[str], pressure: float, place: Place) -> Record:
    """One ionic step."""
    cell = _array(node.find("structure/crystal/varray[@name='basis']"), 3, place, "basis")
    fractions = _array(node.find("structure/varray[@name='positions']"), len(symbols), place, "positions")
    energies = {
        name: tokens.floats([text.strip()], place, name)[0]
        for name in ("e_fr_energy", "e_wo_entrp", "e_0_energy")
        if (text := node.findtext(f"energy/i[@name='{name}']")) is not None
    }
    if "e_fr_energy" not in energies:
        raise place.fault("e_fr_energy", "missing", "the energies of each ionic step")
    results: dict[str, Any] = {"free_energy": energies.pop("e_fr_energy") - pressure * abs(float(np.linalg.det(cell)))}
    forces, stress = node.find("varray[@name='forces']"), node.find("varray[@name='stress']")
    if forces is not None:
        results["forces"] = _array(forces, len(symbols), place, "forces")
    if stress is not None:
        results["stress"] = -KBAR_IN_EV_PER_A3 * _array(stress, 3, place, "stress").ravel()[[0, 4, 8, 5, 2, 1]]
    numbers = np.array(tokens.elements(symbols, place, "atominfo"), dtype=np.int64)
    return Record(numbers, fractions @ cell, cell, np.ones(3, dtype=bool), info=dict(energies), results=results)
