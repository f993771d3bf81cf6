"""Neighbours against brute force, vesin, ASE and pymatgen, and against counts known by hand."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import ase.io
import numpy as np
import pytest
import vesin
from ase.build import bulk
from ase.geometry import complete_cell
from ase.neighborlist import primitive_neighbor_list
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.optimization.neighbors import find_points_in_spheres

from sciml.errors import ConfigError, DataError
from sciml.materials.neighbors import neighbor_pairs, periodic_edges

CASES = Path(__file__).parents[1] / "data" / "cases"
CUBE, ALL = np.eye(3) * 4.0, np.ones(3, bool)


def pairs_of(atoms, cutoff):
    return neighbor_pairs(atoms.positions, atoms.cell.array, atoms.pbc, cutoff)


def lengths(positions, cell, i, j, shift):
    return np.linalg.norm(positions[j] - positions[i] + shift @ cell, axis=1)


def as_set(positions, cell, cutoff, i, j, shift):
    """The pairs as a set of five numbers, those within 1e-8 A of the cut-off left out; each must be there once."""
    clear = np.abs(lengths(positions, cell, i, j, shift) - cutoff) > 1e-8
    rows = np.column_stack([i, j, shift])[clear].astype(int)
    assert len(np.unique(rows, axis=0)) == len(rows)
    return set(map(tuple, rows.tolist()))


def brute(positions, cell, pbc, cutoff):
    """Every shift that could matter, from the widest spread of the fractions: no bins, no sorting."""
    frame = complete_cell(np.where(pbc[:, None], cell, 0.0))
    heights = 1 / np.linalg.norm(np.linalg.inv(frame), axis=0)
    spread = np.ptp(positions @ np.linalg.inv(frame), axis=0)
    ranges = [range(-n, n + 1) for n in np.where(pbc, np.ceil(cutoff / heights + spread), 0).astype(int)]
    shifts = np.array(list(itertools.product(*ranges)))
    vectors = positions[None, :, None] - positions[:, None, None] + (shifts @ frame)[None, None]
    i, j, s = np.nonzero(
        ((vectors**2).sum(-1) < cutoff**2) & ~((shifts == 0).all(1)[None, None] & np.eye(len(positions), dtype=bool)[..., None])
    )
    return i, j, shifts[s]


def by_vesin(positions, cell, pbc, cutoff):
    found = vesin.NeighborList(cutoff=cutoff, full_list=True, n_threads=1)
    i, j, shift = found.compute(points=positions, box=np.where(pbc[:, None], cell, 0.0), periodic=pbc.tolist(), quantities="ijS")
    return i.astype(int), j.astype(int), shift.astype(int)


def by_ase(positions, cell, pbc, cutoff):
    frame = complete_cell(np.where(pbc[:, None], cell, 0.0))
    return primitive_neighbor_list("ijS", pbc, frame, positions, cutoff)


def by_pymatgen(positions, cell, pbc, cutoff):
    frame = np.ascontiguousarray(complete_cell(np.where(pbc[:, None], cell, 0.0)))
    i, j, image, _ = find_points_in_spheres(positions, positions, cutoff, pbc.astype(np.int64), frame, 1e-8)
    other = (i != j) | (image != 0).any(1)
    return i[other], j[other], image[other].astype(int)


ORACLES = {"brute": brute, "vesin": by_vesin, "ase": by_ase, "pymatgen": by_pymatgen}


@st.composite
def structures(draw):
    """A strained, rattled, skewed cell of 1 to 8 atoms, any pbc, atoms up to two cells outside; a cut-off of 1.5 to 6 A."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    atoms = draw(st.integers(1, 8))
    cell = np.diag(rng.uniform(2.0, 6.0, 3)) @ (np.eye(3) + 0.1 * rng.normal(size=(3, 3)))
    for row, other, factor in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-2, 2)), max_size=3)):
        cell[row] += factor * cell[other] if row != other else 0.0
    pbc = np.array(draw(st.tuples(st.booleans(), st.booleans(), st.booleans())))
    positions = rng.uniform(-1.0, 2.0, (atoms, 3)) @ cell
    return positions, cell, pbc, draw(st.floats(1.5, 6.0))


def check_order(pairs):
    rows = np.column_stack([pairs.target, pairs.source, pairs.shift])
    assert (np.lexsort(rows.T[::-1]) == np.arange(len(rows))).all()
    assert (pairs.reverse[pairs.reverse] == np.arange(len(rows))).all()
    assert (rows[pairs.reverse] == np.column_stack([pairs.source, pairs.target, -pairs.shift])).all()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(structures())
def test_three_hundred_random_cells_against_four_oracles(structure):
    positions, cell, pbc, cutoff = structure
    pairs = neighbor_pairs(positions, cell, pbc, cutoff)
    ours = as_set(positions, cell, cutoff, pairs.target, pairs.source, pairs.shift)
    for name, oracle in ORACLES.items():
        assert ours == as_set(positions, cell, cutoff, *oracle(positions, cell, pbc, cutoff)), name
    check_order(pairs)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(structures(), st.integers(0, 2**32 - 1))
def test_wrapping_translation_and_open_vectors_change_no_vector(structure, seed):
    positions, cell, pbc, cutoff = structure
    rng = np.random.default_rng(seed)
    before = neighbor_pairs(positions, cell, pbc, cutoff)
    cells = rng.integers(-3000, 3000, (len(positions), 3)) * pbc
    other = np.where(pbc[:, None], cell, rng.normal(size=(3, 3)))  # the vector of an open direction is not looked at
    after = neighbor_pairs(positions + cells @ cell + [1e4, -1e4, 1e4], other, pbc, cutoff)
    clear = np.abs(lengths(positions, cell, *before[:3]) - cutoff) > 1e-8
    if clear.all():
        assert (after.target == before.target).all() and (after.source == before.source).all()
        moved = after.shift + cells[after.source] - cells[after.target]
        assert (moved == before.shift).all()
        check_order(after)


def test_case_07_cut_off_larger_than_a_skewed_cell():
    atoms = ase.io.read(CASES / "07-skewed.extxyz")
    pairs = pairs_of(atoms, 7.0)
    squares = lengths(atoms.positions, atoms.cell.array, *pairs[:3]) ** 2
    assert len(pairs.target) == 178 == len(np.unique(pairs.shift, axis=0))
    assert not pairs.target.any() and not pairs.source.any()
    assert squares.sum() == pytest.approx(5232, abs=1e-6)


def test_case_08_open_directions_have_no_images():
    water, slab = ase.io.read(CASES / "08-open.extxyz", ":")
    wet, dry = pairs_of(water, 5.0), pairs_of(slab, 2.5)
    assert np.sort(lengths(water.positions, water.cell.array, *wet[:3])) == pytest.approx([0.96] * 4 + [1.518124] * 2, abs=1e-6)
    assert lengths(slab.positions, slab.cell.array, *dry[:3]) == pytest.approx([2.0, 2.0])
    assert not wet.shift.any() and not dry.shift.any()


def test_case_11_atoms_on_the_border():
    atoms = ase.io.read(CASES / "11-hcp.extxyz")
    pairs = pairs_of(atoms, 3.6)
    assert (np.bincount(pairs.target) == 12).all() and len(pairs.target) == 648
    assert np.ptp(lengths(atoms.positions, atoms.cell.array, *pairs[:3])) < 1e-6


def test_counts_of_cubic_lattices():
    """Shells of the simple cubic lattice (a = 2): r3(n) points at 2 sqrt(n); the cut-off itself is not met."""
    shells = [6, 12, 8, 6, 24, 24, 0, 12, 30, 24]  # n = 1 ... 10
    for n, total in enumerate(np.cumsum(shells), start=1):
        pairs = neighbor_pairs(np.zeros((1, 3)), np.eye(3) * 2.0, ALL, 2 * np.sqrt(n) + 1e-6)
        assert len(pairs.target) == total
    assert len(neighbor_pairs(np.zeros((1, 3)), np.eye(3) * 2.0, ALL, 2.0).target) == 0


@pytest.mark.parametrize("cutoff", [3.0, 9.0])
@pytest.mark.parametrize("shuffled", [False, True])
def test_many_bins(cutoff, shuffled):
    atoms = bulk("Cu", cubic=True).repeat((7, 6, 5))
    atoms.rattle(0.2, seed=1)
    if shuffled:
        atoms = atoms[np.random.default_rng(0).permutation(len(atoms))]
    for pbc in itertools.product((True, False), repeat=3) if cutoff < 5 else ((True, True, False),):
        atoms.pbc = pbc
        pairs = pairs_of(atoms, cutoff)
        args = atoms.positions, atoms.cell.array, atoms.pbc, cutoff
        assert as_set(*args[:2], cutoff, *pairs[:3]) == as_set(*args[:2], cutoff, *by_vesin(*args))
        check_order(pairs)


def test_sparse_open_boxes_stay_small():
    """Two dimers 1e7 A apart: bins follow the number of atoms, not the box."""
    positions = np.array([[0, 0, 0], [1e7, 0, 1e7], [0, 1, 0], [1e7, 0, 1e7 + 1]], float)
    pairs = neighbor_pairs(positions, np.zeros((3, 3)), [False] * 3, 2.0)
    assert pairs.target.tolist() == [0, 1, 2, 3] and pairs.source.tolist() == [2, 3, 0, 1]


def test_a_chain_with_its_vector_along_any_axis():
    for axis, direction in itertools.product(range(3), [*np.eye(3).tolist(), [1, 1, 1], [-1, 2, 0.5]]):
        cell = np.zeros((3, 3))
        cell[axis] = 2 * np.array(direction) / np.linalg.norm(direction)
        pairs = neighbor_pairs(np.zeros((1, 3)), cell, np.arange(3) == axis, 5.0)
        assert pairs.shift[:, axis].tolist() == [-2, -1, 1, 2] and pairs.reverse.tolist() == [3, 2, 1, 0]


def test_no_atoms_and_lone_atoms():
    for positions in (np.zeros((0, 3)), np.zeros((1, 3))):
        pairs = neighbor_pairs(positions, np.zeros((3, 3)), [False] * 3, 5.0)
        assert [a.shape for a in pairs] == [(0,), (0,), (0, 3), (0,)]
        assert [a.dtype for a in pairs] == [np.int64, np.int64, np.int32, np.int64]


def test_a_batch_is_the_sum_of_its_structures():
    rng = np.random.default_rng(3)
    sizes, ptr = [3, 0, 1, 40], np.array([0, 3, 3, 4, 44])
    positions, cells = rng.uniform(0, 8, (44, 3)), np.eye(3) * 4 + rng.normal(size=(4, 3, 3)) * 0.3
    pbc = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [1, 1, 0]], bool)
    together = periodic_edges(positions, cells, pbc, ptr, 4.5)
    edges = 0
    for g in range(len(sizes)):
        alone = neighbor_pairs(positions[ptr[g] : ptr[g + 1]], cells[g], pbc[g], 4.5)
        part = slice(edges, edges + len(alone.target))
        assert (together.edge_index[:, part] - ptr[g] == [alone.source, alone.target]).all()
        assert (together.shift[part] == alone.shift).all() and (together.reverse[part] - edges == alone.reverse).all()
        edges = part.stop
    assert edges == len(together.shift)


def test_the_input_is_not_changed():
    atoms = bulk("Si", cubic=True)
    positions, cell = atoms.positions + 20.0, atoms.cell.array.copy()
    before = positions.copy(), cell.copy()
    neighbor_pairs(positions, cell, ALL, 5.0)
    assert (positions == before[0]).all() and (cell == before[1]).all()


def test_time_is_linear_in_the_number_of_atoms():
    seconds = []
    for repeat in (10, 20):
        atoms = bulk("Cu", cubic=True).repeat(repeat)
        pairs_of(atoms, 4.0)
        times = []
        for _ in range(5):
            start = time.process_time()
            pairs_of(atoms, 4.0)
            times.append(time.process_time() - start)
        seconds.append(min(times))
    assert seconds[1] < 2.5 * 8 * seconds[0]  # eight times as many atoms; a quadratic search takes 64 times as long


@pytest.mark.parametrize(
    ("positions", "cell", "pbc", "message"),
    [
        ([[np.nan, 0, 0]], CUBE, ALL, "structure 0, positions: found NaN"),
        ([[0, 0, 0]], np.zeros((3, 3)), ALL, "structure 0, cell: found periodic vectors that are missing"),
        ([[0, 0, 0]], np.array([[1.0, 0, 0], [2, 0, 0], [0, 0, 1]]), [1, 1, 0], "structure 0, cell: found periodic vectors"),
        ([[0, 0, 0]], np.full((3, 3), np.inf), ALL, "structure 0, cell: found periodic vectors"),
        ([[0, 0, 0]], np.diag([0.001, 5, 5]), ALL, "structure 0, cell: found lattice planes nearer"),
        ([[0, 0, 0]], np.eye(3) * 0.02, ALL, "images in reach"),
        ([[1e15, 0, 0]], CUBE, ALL, "structure 0, positions: found an atom more than 1e9 cells away"),
    ],
)
def test_refusals_name_structure_and_field(positions, cell, pbc, message):
    with pytest.raises(DataError, match=message):
        neighbor_pairs(positions, cell, pbc, 5.0)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_a_cut_off_is_a_positive_number(cutoff):
    with pytest.raises(ConfigError, match="cutoff: found .* expected a positive number"):
        neighbor_pairs(np.zeros((1, 3)), CUBE, ALL, cutoff)


def test_shapes_that_contradict_each_other():
    with pytest.raises(DataError, match=r"structures: found shapes .* expected"):
        periodic_edges(np.zeros((2, 3)), CUBE[None], ALL[None], np.array([0, 3]), 5.0)
