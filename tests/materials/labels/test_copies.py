"""Copies: identical after wrapping and permutation, equivalent after rotation, reflection or repetition; near-linear time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from ase.build import bulk
from scipy.spatial.transform import Rotation

from sciml.errors import DataError
from sciml.materials.datasets import load_dataset
from sciml.materials.labels import compare_sets, equivalent_groups, identical_groups
from sciml.materials.labels.copies import members


def rattled(n, size=2, seed=0):
    generator = np.random.default_rng(seed)
    structures = []
    for _ in range(n):
        atoms = bulk("NaCl", "rocksalt", a=5.6).repeat(size)
        atoms.rattle(0.1, rng=generator)
        structures.append(atoms)
    return structures


def disguised(atoms, seed=1):
    """Atoms in another order and other cells."""
    generator = np.random.default_rng(seed)
    other = atoms[generator.permutation(len(atoms))]
    other.positions += generator.integers(-3, 4, (len(other), 3)) @ other.cell.array
    return other


def turned(atoms, improper=False):
    matrix = Rotation.random(random_state=3).as_matrix() * (-1 if improper else 1)
    other = atoms.copy()
    other.set_cell(atoms.cell.array @ matrix.T)
    other.positions = atoms.positions @ matrix.T
    return other


def test_published_splits():
    for name, n, equivalent in (("mlearn-si", 25, 3), ("mlearn-cu", 31, 11)):
        compared = compare_sets(load_dataset(name, "train"), load_dataset(name, "test"))
        assert (compared.n_test, len(compared.identical), len(compared.equivalent)) == (n, 0, equivalent)
        assert len(compared.independent) == n - equivalent
        compared.require_disjoint()


def test_identical_after_wrapping_and_permutation_only():
    a, b = rattled(2)
    moved = a.copy()
    moved.positions[0, 0] += 3e-6
    other_species = a.copy()
    other_species.symbols[[0, 1]] = ["Cl", "Na"]
    structures = [a, b, disguised(a), moved, turned(a), other_species]
    assert members(identical_groups(structures)) == [(0, 2)]


@pytest.mark.parametrize("pbc", [False, (True, True, False)])
def test_identical_with_open_directions(pbc):
    a = rattled(1)[0]
    a.pbc = pbc
    same = a[::-1]
    shifted = a.copy()
    shifted.positions += a.cell[2]
    assert members(identical_groups([a, same, shifted])) == [(0, 1)]


def test_equivalent_after_rotation_reflection_and_repetition():
    a, b = rattled(2)
    assert members(equivalent_groups([a, b, turned(a), turned(a, improper=True), a.repeat((2, 1, 1)), disguised(b)])) == [
        (0, 2, 3, 4),
        (1, 5),
    ]


def test_equal_geometry_with_another_energy_is_not_equivalent():
    a = rattled(1)[0]
    first, second = a.copy(), turned(a)
    first.info["energy"], second.info["energy"] = -1.0, -2.0
    assert members(equivalent_groups([first, second])) == []


def test_leakage_is_refused():
    train = rattled(5)
    compared = compare_sets(train, [*rattled(2, seed=9), disguised(train[3])])
    assert compared.identical == ((2, (3,)),)
    with pytest.raises(DataError, match="test record 2 = training record 3"):
        compared.require_disjoint()


def test_one_duplicate_in_ten_thousand():
    structures = rattled(10_000, size=1)
    structures[7_777] = disguised(structures[1_234])
    start = time.process_time()
    assert members(identical_groups(structures)) == [(1_234, 7_777)]
    assert members(equivalent_groups([*rattled(2_000), turned(rattled(1)[0])])) == [(0, 2_000)]
    assert time.process_time() - start < 60


def test_ten_thousand_equal_ones_stay_near_linear():
    start = time.process_time()
    groups = identical_groups([bulk("Cu", cubic=True)] * 10_000)
    assert (groups == 0).all() and time.process_time() - start < 60
