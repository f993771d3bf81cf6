"""OUTCAR of VASP: each ionic step that has energy and forces, with the free energy as its label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from sciml.materials.formats import source, tokens
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import Place, shorten
from sciml.units import KBAR_IN_EV_PER_A3

__all__ = ["parse_outcar"]

_ENERGY = re.compile(r"free\s+energy\s+TOTEN\s*=\s*(\S+)\s+eV")
_WITHOUT = re.compile(r"energy\s+without\s+entropy\s*=\s*(\S+)\s+energy\(sigma->0\)\s*=\s*(\S+)")
_VASP_ORDER = (0, 1, 2, 4, 5, 3)  # xx yy zz xy yz zx -> xx yy zz yz xz xy


@dataclass
class _State:
    """What has been read so far: species for the file, the rest for the step in hand."""

    species: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    cell: Array | None = None
    stress: Array | None = None
    positions: Array | None = None
    forces: Array | None = None
    free: float | None = None


def parse_outcar(path: str | Path, *, max_sites: int = 20_000) -> Iterator[Record]:
    """Records of an OUTCAR, one for each ionic step.

    Energy is `free energy TOTEN` (eV), the one that the forces (eV/A) derive from; `energy(sigma->0)` and `energy without entropy` are
    kept in `info`. The stress `in kB` (VASP: pressure positive, xx yy zz xy yz zx) becomes eV/A^3, tension positive, xx yy zz yz xz xy.
    DataError: a step that ends early, a number that is none (`*****`).
    """
    place = Place(path)
    state, record = _State(), 0
    with source.open_text(path) as handle:
        for line in handle:
            now = place.at(record)
            if "ions per type" in line:
                state.counts = [tokens.whole(word, now, "ions per type") for word in line.partition("=")[2].split()]
                if not 0 < sum(state.counts) <= max_sites:
                    raise now.fault("ions per type", f"{sum(state.counts)} atoms", f"1 to {max_sites} (max_sites=)")
            elif "VRHFIN" in line:
                state.species.append(line.partition("=")[2].partition(":")[0].strip())  # VRHFIN =Si: s2p2
            elif "direct lattice vectors" in line:
                state.cell = np.array([_row(handle, 3, now, "direct lattice vectors")[:3] for _ in range(3)])
            elif line.startswith("  in kB"):
                vasp = tokens.floats(line.split()[2:8], now, "stress (in kB)")
                if len(vasp) != 6:
                    raise now.fault("stress (in kB)", f"found {shorten(line.strip())}", "six numbers")
                state.stress = -KBAR_IN_EV_PER_A3 * np.array(vasp)[list(_VASP_ORDER)]
            elif "TOTAL-FORCE (eV/Angst)" in line:
                _read_forces(state, handle, now)
            elif match := _ENERGY.search(line):
                state.free = tokens.floats([match.group(1)], now, "free energy TOTEN")[0]
            elif state.positions is not None and (match := _WITHOUT.search(line)):
                yield _record(state, tokens.floats(match.groups(), now, "energy without entropy"), now)
                record += 1
    if record == 0 or state.positions is not None:
        raise place.at(record).fault("ionic step", "the file ends before a step is whole", "positions, forces and energies of each step")


def _row(handle: IO[str], width: int, place: Place, what: str) -> list[float]:
    """The first numbers of the next line."""
    line = handle.readline()
    words = line.split()
    if len(words) < width:
        raise place.fault(what, f"found {shorten(line.strip())}" if line else "the file ends within it", f"{width} numbers")
    return tokens.floats(words, place, what)


def _read_forces(state: _State, handle: IO[str], place: Place) -> None:
    """Positions and forces: [N,3] each."""
    handle.readline()
    rows = np.array([_row(handle, 6, place, f"POSITION, TOTAL-FORCE of atom {k}")[:6] for k in range(sum(state.counts))])
    if not len(rows):
        raise place.fault("ions per type", "missing before the first forces", "a whole OUTCAR")
    state.positions, state.forces = rows[:, :3], rows[:, 3:]


def _record(state: _State, without: list[float], place: Place) -> Record:
    """The step in hand as a record; the state is cleared for the next one."""
    species = state.species
    if len(species) == 2 * len(state.counts):
        species = species[: len(state.counts)]
    if state.cell is None or state.positions is None or len(species) != len(state.counts) or state.free is None:
        raise place.fault("ionic step", "lattice vectors, elements (VRHFIN) or TOTEN are missing", "a whole OUTCAR")
    numbers = np.repeat(tokens.elements(species, place, "VRHFIN"), state.counts).astype(np.int64)
    results: dict[str, Any] = {"free_energy": state.free, "forces": state.forces}
    if state.stress is not None:
        results["stress"] = state.stress
    info = {"energy_without_entropy": without[0], "energy_sigma_0": without[1]}
    record = Record(numbers, state.positions, state.cell, np.ones(3, dtype=bool), info=info, results=results)
    state.positions = state.forces = state.stress = state.free = None
    return record
