"""Small labelled structures for the tests of training: rattled, strained copper with the energies of ASE's EMT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

TINY: dict[str, Any] = {"l_max": 1, "channels": 4, "radial": 3, "hidden": 4, "message_l_max": 1}


def copper(count: int, seed: int = 0, repeat: tuple[int, int, int] = (1, 1, 1)) -> list[Atoms]:
    """`count` structures of 4 or more copper atoms with energy, forces and stress of EMT."""
    generator, structures = np.random.default_rng(seed), []
    for _ in range(count):
        atoms = bulk("Cu", "fcc", a=3.6, cubic=True) * repeat
        atoms.positions += generator.normal(0, 0.08, (len(atoms), 3))
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + generator.normal(0, 0.02, (3, 3))), scale_atoms=True)
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        structures.append(atoms)
    return structures


@pytest.fixture(name="copper")
def _copper() -> Callable[..., list[Atoms]]:
    return copper


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Hyper-parameters of a network that trains in milliseconds."""
    return dict(TINY)
