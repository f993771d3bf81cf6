"""Faults planted into copies of structures, for the tests of the checks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator


def calculated(start: Atoms, n: int, strain: float, rattle: float, seed: int = 0) -> list[Atoms]:
    """Copies in random strains up to `strain`, atoms moved by `rattle` A (standard deviation), with the labels of EMT."""
    generator, frames = np.random.default_rng(seed), []
    for _ in range(n):
        atoms = start.copy()
        change = generator.uniform(-strain, strain, (3, 3))
        atoms.set_cell(start.cell.array @ (np.eye(3) + (change + change.T) / 2), scale_atoms=True)
        atoms.positions += generator.normal(0, rattle, (len(atoms), 3)) if rattle else 0.0
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        frames.append(atoms)
    return frames


def scaled(structures: Sequence[Atoms], which: Collection[int] | None = None, **factors: float) -> list[Atoms]:
    """Copies, of which those in `which` (all) have the labels named in `factors` multiplied."""
    copies = []
    for index, atoms in enumerate(structures):
        copy = atoms.copy()
        results = {name: np.array(value) if np.ndim(value) else value for name, value in atoms.calc.results.items()}
        for name, factor in factors.items():
            if which is None or index in which:
                results[name] = results[name] * factor
        copy.calc = SinglePointCalculator(copy, **results)
        copies.append(copy)
    return copies


def swapped(structures: Sequence[Atoms], a: int, b: int, names: Sequence[str]) -> list[Atoms]:
    """Copies in which records a and b have exchanged the labels `names`."""
    copies = scaled(structures)
    for name in names:
        first, second = copies[a].calc.results, copies[b].calc.results
        first[name], second[name] = second[name], first[name]
    return copies


def shifted(structures: Sequence[Atoms], which: Collection[int], symbol: str, by_eV: float) -> list[Atoms]:
    """Copies in which the energies of `which` have `by_eV` more for every atom of an element."""
    copies = scaled(structures)
    for index in which:
        copies[index].calc.results["energy"] += by_eV * list(copies[index].symbols).count(symbol)
    return copies
