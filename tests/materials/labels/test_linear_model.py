"""The rows of the linear model are derivatives of one another, and the basis fits what it should."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from sciml.materials.labels.linear_model import Basis

STEP = 1e-5


def some_structures():
    silicon = bulk("Si", cubic=True)
    salt = bulk("NaCl", "rocksalt", a=5.6)
    many = bulk("Cu", cubic=True).repeat((3, 1, 1))
    many.numbers = np.arange(21, 33)
    slab = bulk("Cu", cubic=True)
    slab.pbc = (True, True, False)
    structures = [silicon, salt, many, molecule("CH3CH2OH"), slab]
    for seed, atoms in enumerate(structures):
        atoms.rattle(0.1, seed=seed)
    return structures


@pytest.mark.parametrize("atoms", some_structures(), ids=lambda atoms: atoms.get_chemical_formula())
def test_forces_and_virial_are_derivatives_of_the_energy(atoms):
    basis = Basis.for_structures([atoms])
    rows = basis.rows(atoms)

    def energy(step, strain=None):
        moved = atoms.copy()
        if strain is None:
            moved.positions[1, 2] += step
        else:
            moved.set_cell(atoms.cell.array @ (np.eye(3) + strain))
            moved.positions = atoms.positions @ (np.eye(3) + strain)
        return basis.rows(moved).energy

    numeric = -(energy(STEP) - energy(-STEP)) / (2 * STEP)
    np.testing.assert_allclose(rows.forces[5], numeric, atol=1e-6 * np.abs(numeric).max())
    for row, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        strain = np.zeros((3, 3))
        strain[a, b] += STEP / 2
        strain[b, a] += STEP / 2
        numeric = (energy(0, strain) - energy(0, -strain)) / (2 * STEP)
        np.testing.assert_allclose(rows.virial[row], numeric, atol=1e-6 * max(np.abs(numeric).max(), 1.0))


def test_a_lone_atom_has_nothing():
    rows = Basis((29,), 5.0).rows(Atoms("Cu"))
    assert not rows.energy.any() and not rows.forces.any() and not rows.virial.any()
