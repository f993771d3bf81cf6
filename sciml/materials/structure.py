"""The door: files and objects in, checked `ase.Atoms` with labels in eV, eV/A, eV/A^3 out.

Files are parsed in a limited child process (`sciml.sandbox`) by the readers of `sciml.materials.formats`; every refusal is a
`DataError` that names file, record (from 0), field, what was found and what would be right.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase import units as ase_units
from ase.calculators.calculator import all_properties
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, FixCartesian, FixScaled

from sciml import sandbox
from sciml.errors import ConfigError, DataError
from sciml.materials.formats import FORMATS, detect, source
from sciml.materials.formats.gate import check_structure
from sciml.materials.formats.label_columns import LabelReader
from sciml.materials.formats.pymatgen_json import record_of
from sciml.materials.formats.record import Record, unpack
from sciml.materials.formats.tokens import Place

__all__ = ["as_atoms", "iterate_structures", "read_structures"]

_GIB, _MB = 1 << 30, 1e6
_WHOLE_MB = 64


def read_structures(
    path: Any,
    *,
    units: Mapping[str, str] | None = None,
    keys: Mapping[str, str] | None = None,
    symbols: Sequence[str] | None = None,
    min_distance_A: float = 0.4,
    max_sites: int = 20_000,
    check_formula: bool = True,
    format: str | None = None,
) -> list[Atoms]:
    """All structures of a file, checked, with their labels.

    `path`: a CIF, extxyz, xyz, POSCAR, CONTCAR, OUTCAR, vasprun.xml, ASE .traj, ASE or pymatgen JSON file (plain, gzip, bzip2 or xz),
    or objects: `ase.Atoms`, pymatgen Structure or Molecule, or a list of these. Labels are in `atoms.calc.results`: energy and
    free_energy (eV; the free energy where the file has both), forces [N,3] (eV/A, no constraint applied), stress [6] (eV/A^3, tension
    positive, xx yy zz yz xz xy); a label that a record has not is absent there. All other columns stay in `info` and `arrays`.

    units: of the file, as in {"energy": "eV", "forces": "eV/A", "stress": "-kBar"}; length too.
    keys: columns to read instead of energy, forces, stress, virial, as in {"energy": "REF_energy"}; further names are kept under that
    name.
    symbols: elements for a POSCAR without an element line, one a group of atoms or one an atom.
    min_distance_A: smallest distance between atoms, images included. max_sites: most atoms a record may have.
    check_formula: refuse a CIF whose atoms do not agree with its formula and number of formula units. format: one of `formats.FORMATS`,
    not guessed.

    Raises DataError for anything that is damaged, incomplete, disordered or contradicts itself, ConfigError for an option that cannot
    be meant.
    """
    if isinstance(path, str | os.PathLike):
        stream = iterate_structures(
            path,
            units=units,
            keys=keys,
            symbols=symbols,
            min_distance_A=min_distance_A,
            max_sites=max_sites,
            check_formula=check_formula,
            format=format,
        )
        return list(stream)
    _check_distance(min_distance_A)
    objects = one_or_many(path)
    reader = LabelReader("objects", keys, units)
    found = [_finished(_record_of(each, k), reader, Place("object", k), min_distance_A, max_sites) for k, each in enumerate(objects)]
    reader.finish(len(found))
    return found


def iterate_structures(
    path: str | os.PathLike[str],
    *,
    units: Mapping[str, str] | None = None,
    keys: Mapping[str, str] | None = None,
    symbols: Sequence[str] | None = None,
    min_distance_A: float = 0.4,
    max_sites: int = 20_000,
    check_formula: bool = True,
    format: str | None = None,
) -> Iterator[Atoms]:
    """The structures of a file one after the other, as `read_structures` gives them, in memory that does not grow with the file.

    A key that no record has is known, and refused, only after the last record.
    """
    if format is not None and format not in FORMATS:
        raise ConfigError(f"format: unknown format {format!r}; expected one of {', '.join(FORMATS)}")
    _check_distance(min_distance_A)
    path = Path(path)
    form = format or detect(path)
    if symbols is not None and form != "poscar":
        raise ConfigError(
            f"symbols: {path} has the format {form}, which names its elements; symbols= is for a POSCAR without an element line"
        )
    reader = LabelReader(str(path), keys, units, fixed_units=form in ("outcar", "vasprun"))
    place, count = Place(path), 0
    options: dict[str, Any] = {"max_sites": max_sites}
    options |= {"symbols": list(symbols)} if symbols is not None else {}
    options |= {"check_formula": check_formula} if form == "cif" else {}
    with contextlib.closing(_pieces(path, form, options)) as pieces:
        for head, arrays in pieces:
            for record in unpack(head, arrays):
                yield _finished(record, reader, place.at(count), min_distance_A, max_sites)
                count += 1
    reader.finish(count)


def _check_distance(min_distance_A: float) -> None:
    if not (math.isfinite(min_distance_A) and min_distance_A >= 0):
        raise ConfigError(f"min_distance_A: found {min_distance_A}, expected a finite number >= 0 (A)")


def one_or_many(structures: Any) -> Iterable[Any]:
    """What a caller gave as structures: a collection as it is, a single one (an iterable of atoms or sites) as a list of one."""
    single = isinstance(structures, Atoms) or hasattr(structures, "sites") or not isinstance(structures, Iterable)
    return [structures] if single else structures


def as_atoms(obj: Any) -> Atoms:
    """`ase.Atoms` of an in-process structure: Atoms as they are (not copied), pymatgen's Structure and Molecule converted, site
    properties in `arrays`.

    Nothing is checked but that a pymatgen object is ordered and has no dummy species (DataError).
    """
    if isinstance(obj, Atoms):
        return obj
    return _atoms(_record_of(obj, None))


def _pieces(path: Path, form: str, options: dict[str, Any]) -> Generator[tuple[dict[str, Any], dict[str, Any]], None, None]:
    """Pieces from a child whose limits grow with the file: 10 s + 2 s a MB, 1 GiB + 20 times what is in hand."""
    size = source.guess_size(path)
    in_hand = size if form in ("outcar", "vasprun") else min(size, _WHOLE_MB * _MB)
    memory = _GIB + int(20 * min(size, _WHOLE_MB * _MB))
    function = "sciml.materials.formats.parse:parse"
    yield from sandbox.iterate(function, str(path), form, options, memory_bytes=memory, cpu_seconds=10 + 2 * in_hand / _MB)


def _finished(record: Record, reader: LabelReader, place: Place, min_distance_A: float, max_sites: int) -> Atoms:
    """Labels read, gate passed, Atoms made."""
    for note in record.notes:
        warnings.warn(note, UserWarning, stacklevel=3)
    results = reader.read(record, place)
    check_structure(record.numbers, record.positions, record.cell, record.pbc, place, min_distance_A=min_distance_A, max_sites=max_sites)
    return _atoms(record, results)


def _atoms(record: Record, results: Mapping[str, Any] | None = None) -> Atoms:
    """Atoms with columns, constraints, momenta and a calculator that holds the results."""
    atoms = Atoms(numbers=record.numbers, positions=record.positions, cell=record.cell, pbc=record.pbc, info=record.info)
    for name, column in record.arrays.items():
        atoms.arrays[name] = np.array(column)
    velocities = record.arrays.get("velocities_A_per_fs")
    if velocities is not None and "momenta" not in record.arrays:
        atoms.set_velocities(velocities / ase_units.fs)
    if record.fixed is not None or record.constraints:
        atoms.set_constraint(record.constraints or _constraints(record))
    if results:
        known = {name: value for name, value in results.items() if name in all_properties}
        atoms.info.update({name: value for name, value in results.items() if name not in known})
        atoms.calc = SinglePointCalculator(atoms, **known)
    return atoms


def _constraints(record: Record) -> list[Any]:
    """FixAtoms for atoms that are fixed in all components, FixScaled or FixCartesian for the others."""
    fixed = np.asarray(record.fixed)
    whole = np.flatnonzero(fixed.all(axis=1))
    found: list[Any] = [FixAtoms(indices=whole)] if len(whole) else []
    for k in np.flatnonzero(fixed.any(axis=1) & ~fixed.all(axis=1)):
        found.append(FixScaled(int(k), fixed[k].tolist()) if record.fixed_scaled else FixCartesian(int(k), fixed[k].tolist()))
    return found


def _record_of(obj: Any, index: int | None) -> Record:
    """A record of an in-process object; the object is not changed."""
    place = Place("object", index)
    if isinstance(obj, Atoms):
        return _record_of_atoms(obj, place)
    if hasattr(obj, "sites") and hasattr(obj, "as_dict"):
        return record_of(obj.as_dict(), place, max_sites=10**9)
    raise DataError(f"{type(obj).__name__} is no structure; expected a path, ase.Atoms, or a Structure or Molecule of pymatgen")


def _record_of_atoms(atoms: Atoms, place: Place) -> Record:
    own = {"numbers", "positions"}
    results = dict(getattr(atoms.calc, "results", None) or {})
    if results and getattr(atoms.calc, "atoms", None) is not None:
        changed = atoms.calc.check_state(atoms, tol=1e-8)
        if changed:
            raise place.fault(
                "calculator",
                f"its results belong to another state (changed since: {', '.join(changed)})",
                "atoms.calc = None, or new labels",
            )
    record = Record(
        numbers=atoms.numbers.copy(),
        positions=atoms.positions.copy(),
        cell=np.array(atoms.cell),
        pbc=atoms.pbc.copy(),
        info=dict(atoms.info),
        arrays={name: column.copy() for name, column in atoms.arrays.items() if name not in own},
        results=results,
    )
    record.constraints = [constraint.copy() for constraint in atoms.constraints]
    return record
