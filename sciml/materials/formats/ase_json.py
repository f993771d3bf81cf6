"""Structures in JSON: ASE's (database rows, encoded Atoms) and pymatgen's (Structure, Molecule), as plain data; no class is named by
the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sciml import sandbox
from sciml.materials.formats import pymatgen_json, source
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import Place

__all__ = ["fixed_atoms", "parse_json", "value_of"]

_RESULTS = ("energy", "free_energy", "forces", "stress", "energies", "stresses", "dipole", "charges", "magmom", "magmoms", "polarizability")
_KINDS = {"float64": float, "float32": float, "int64": int, "int32": int, "bool": bool}
_OWN = {"numbers", "positions", "cell", "pbc", "constraints", "info", "ctime", "mtime", "user", "calculator", "calculator_parameters"}


def parse_json(path: str | Path, *, max_sites: int = 20_000) -> Iterator[Record]:
    """Records of a JSON file: ASE's database, encoded Atoms, pymatgen's Structure or Molecule, or a list of these."""
    place = Place(path)
    text = source.read_text(path)
    sandbox.renew(len(text))
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise place.fault("JSON", f"not well formed or cut off ({str(error)[:200]})", "a whole JSON text") from error
    found = _entries(tree)
    if not found:
        raise place.fault("JSON", "no structure", "an ASE database, encoded Atoms, or pymatgen's Structure or Molecule")
    for number, entry in enumerate(found):
        here = place.at(number)
        if not isinstance(entry, dict):
            raise here.fault("JSON", f"a {type(entry).__name__}", "a structure")
        if "sites" in entry:
            yield pymatgen_json.record_of(entry, here, max_sites)
        else:
            yield _record(entry, here, max_sites)


def _entries(tree: Any) -> list[Any]:
    """The structures of a tree, in the order of the file (in an ASE database, of its ids)."""
    if isinstance(tree, list):
        return tree
    if not isinstance(tree, dict):
        return []
    if "ids" in tree and "nextid" in tree:
        return [tree[str(number)] for number in tree["ids"] if str(number) in tree] if isinstance(tree["ids"], list) else []
    return [tree] if {"sites", "numbers", "positions"} & set(tree) else []


def _record(entry: dict[str, Any], place: Place, max_sites: int) -> Record:
    """One row of an ASE database, or one encoded Atoms."""
    numbers, positions = value_of(entry.get("numbers")), value_of(entry.get("positions"))
    cell, pbc = value_of(entry.get("cell")), value_of(entry.get("pbc"))
    if not isinstance(numbers, np.ndarray) or not isinstance(positions, np.ndarray):
        raise place.fault("numbers, positions", "missing", "an ASE or pymatgen structure")
    if not 0 < numbers.size <= max_sites:
        raise place.fault("number of atoms", f"{numbers.size}", f"1 to {max_sites} (max_sites=)")
    cell = np.zeros((3, 3)) if cell is None else np.asarray(cell)
    pbc = np.zeros(3, dtype=bool) if pbc is None else np.asarray(pbc)
    if numbers.dtype.kind not in "iu" or positions.shape != (numbers.size, 3) or cell.shape != (3, 3) or pbc.shape != (3,):
        raise place.fault("numbers, positions, cell, pbc", "types or shapes that do not belong together", "[N], [N,3], [3,3], [3]")
    if positions.dtype.kind not in "fi" or cell.dtype.kind not in "fi":
        raise place.fault("positions, cell", "no numbers", "numbers")
    info: dict[str, Any] = {}
    for name in ("info", "key_value_pairs", "data"):
        inner = entry.get(name)
        info |= {key: value_of(value) for key, value in inner.items()} if isinstance(inner, dict) else {}
    results = {name: value_of(entry[name]) for name in _RESULTS if entry.get(name) is not None}
    arrays = {
        key: array
        for key, value in entry.items()
        if key not in _OWN
        and key not in _RESULTS
        and isinstance(array := value_of(value), np.ndarray)
        and array.shape[:1] == (numbers.size,)
    }
    fixed, others = fixed_atoms(entry.get("constraints"), numbers.size)
    info |= {"constraints": others} if others else {}
    return Record(
        numbers.astype(np.int64).ravel(),
        positions.astype(float),
        cell.astype(float),
        pbc.astype(bool),
        info,
        arrays,
        results=results,
        fixed=fixed,
    )


def value_of(value: Any) -> Any:
    """A JSON value with ASE's marks resolved: `{"__ndarray__": [shape, type, numbers]}` is an array, a cell is its matrix; other marks
    stay data.

    Regular nested lists of numbers become arrays too.
    """
    if isinstance(value, dict) and set(value) == {"__ndarray__"}:
        entry = value["__ndarray__"]
        if not (isinstance(entry, list) and len(entry) == 3 and entry[1] in _KINDS):
            return str(value)
        try:
            return np.array(entry[2], dtype=_KINDS[entry[1]]).reshape(entry[0])
        except (TypeError, ValueError, OverflowError):
            return str(value)[:1000]
    if isinstance(value, dict) and value.get("__ase_objtype__") == "cell":
        return value_of(value.get("array"))
    if isinstance(value, dict):
        return {str(key): value_of(inner) for key, inner in value.items()}
    if isinstance(value, list) and value:
        try:
            array = np.array(value)
        except ValueError:
            return value
        return array if array.dtype.kind in "ifb" else value
    return value


def fixed_atoms(constraints: Any, count: int) -> tuple[Array | None, str]:
    """(fixed [N,3], the constraints that are no plain fixing of atoms, as text)."""
    if isinstance(constraints, str):
        try:
            constraints = json.loads(constraints)
        except ValueError:
            return None, constraints
    fixed, others = np.zeros((count, 3), dtype=bool), []
    for entry in constraints if isinstance(constraints, list) else []:
        kwargs = entry.get("kwargs", {}) if isinstance(entry, dict) else {}
        indices = value_of(kwargs.get("indices")) if isinstance(kwargs, dict) else None
        try:
            rows = np.asarray(indices, dtype=int)
            if not isinstance(entry, dict) or entry.get("name") != "FixAtoms" or (rows < 0).any() or (rows >= count).any():
                raise ValueError
            fixed[rows] = True
        except (TypeError, ValueError):
            others.append(json.dumps(entry, default=str)[:1000])
    return (fixed if fixed.any() else None), "; ".join(others)
