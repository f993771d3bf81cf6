import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import primitive_neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.errors import DataError
from sciml.materials.formats.gate import check_structure, close_pair
from sciml.materials.formats.tokens import Place

PLACE = Place("a.extxyz", 4)


def check(positions, cell=None, pbc=(True, True, True), numbers=None, min_distance_A=0.4, max_sites=20_000):
    positions = np.array(positions, dtype=float).reshape(-1, 3)
    cell = 4 * np.eye(3) if cell is None else np.array(cell, dtype=float)
    numbers = np.full(len(positions), 14) if numbers is None else np.array(numbers)
    check_structure(numbers, positions, cell, np.array(pbc), PLACE, min_distance_A=min_distance_A, max_sites=max_sites)


def reference(positions, cell, pbc, cutoff):
    """Smallest distance by ASE's neighbour list."""
    lengths = primitive_neighbor_list("d", pbc, cell, positions, cutoff, self_interaction=False)
    return lengths.min() if len(lengths) else None


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 8), st.tuples(st.booleans(), st.booleans(), st.booleans()), st.sampled_from([0.4, 1.0, 2.5])
)
def test_the_smallest_distance_is_that_of_ase(seed, count, pbc, cutoff):
    rng = np.random.default_rng(seed)
    cell = rng.normal(size=(3, 3)) * 3
    if abs(np.linalg.det(cell)) < 2:
        cell += 3 * np.eye(3)
    positions = rng.normal(size=(count, 3)) * 6
    found, expected = close_pair(positions, cell, np.array(pbc), cutoff), reference(positions, cell, pbc, cutoff)
    if expected is None or found is None:
        assert found is None
        assert expected is None
    else:
        assert found[2] == pytest.approx(expected, abs=1e-9)


def test_skewed_cells_with_self_images():
    """The cell (5, 0), (4.9, 0.2): its shortest vector is b - a, of length 0.2236."""
    cell = np.array([[5, 0, 0], [4.9, 0.2, 0], [0, 0, 30]])
    assert close_pair(np.zeros((1, 3)), cell, np.ones(3, bool), 0.4) == (0, 0, pytest.approx(np.hypot(0.1, 0.2)))
    assert close_pair(np.zeros((1, 3)), cell, np.ones(3, bool), 0.2) is None
    assert close_pair(np.zeros((1, 3)), cell, np.array([False, True, True]), 0.4) is None


def test_what_passes():
    check([[0, 0, 0]])
    check([[0, 0, 0]], cell=np.zeros((3, 3)), pbc=(False,) * 3)
    check([[0, 0, 0], [0, 0, 0.7]], cell=0.1 * np.eye(3), pbc=(False,) * 3, numbers=[1, 1])
    check([[0, 0, 0]], cell=1e5 * np.eye(3))
    check([[0, 0, 0]], cell=[[3, 0, 0], [0, 3, 0], [0, 0, 0]], pbc=(True, True, False))
    check([[1e6, -1e6, 0], [1e6 + 2, -1e6, 0]])
    silicon = bulk("Si")
    check(silicon.positions, silicon.cell)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positions": []}, "number of atoms: 0"),
        ({"positions": np.zeros((5, 3)), "max_sites": 4}, r"5; expected 1 to 4 \(max_sites=\)"),
        ({"positions": [[0, 0, 0]], "numbers": [0]}, "atom 0 has the number 0"),
        ({"positions": [[0, 0, 0]], "numbers": [119]}, "atom 0 has the number 119"),
        ({"positions": [[0, 0, 0], [0, np.nan, 0]]}, "positions: atom 1 is not finite"),
        ({"positions": [[0, 0, np.inf]]}, "positions: atom 0"),
        ({"positions": [[0, 0, 0]], "cell": [[np.nan, 0, 0], [0, 1, 0], [0, 0, 1]]}, "cell: not finite"),
        ({"positions": [[0, 0, 1e200]]}, "beyond 1e9 A"),
        ({"positions": [[0, 0, 0]], "cell": np.zeros((3, 3))}, "periodic along a, b, c, but these vectors span nothing"),
        ({"positions": [[0, 0, 0]], "cell": np.diag([3, 0, 3]), "pbc": (True, True, False)}, "periodic along a, b, but"),
        ({"positions": [[0, 0, 0]], "cell": [[3, 0, 0], [3, 0, 0], [0, 0, 3]]}, "span nothing"),
        ({"positions": [[0, 0, 0]], "cell": np.diag([1.1, 1.1, 1.1])}, "1.331 A.3 an atom; expected at least 1.5"),
        ({"positions": [[0, 0, 0], [0, 0, 0]]}, r"Si \(atom 0\) and Si \(atom 1\) are 0.000 A apart"),
        ({"positions": [[0.1, 0, 0], [3.9, 0, 0]]}, "are 0.200 A apart; expected more than 0.4"),
        ({"positions": [[0, 0, 0]], "cell": [[0.3, 0, 0], [0, 9, 0], [0, 0, 9]]}, r"Si \(atom 0\) is 0.300 A from its own image"),
        ({"positions": [[0, 0, 0], [0, 0, 0.5]], "min_distance_A": 0.5}, "are 0.500 A apart"),
    ],
)
def test_what_does_not(arguments, message):
    with pytest.raises(DataError, match=rf"a\.extxyz: record 4 \(from 0\): .*{message}"):
        check(**arguments)


def test_many_atoms_at_one_place_cost_little():
    import time

    start = time.process_time()
    with pytest.raises(DataError, match="0.000 A apart"):
        check(np.zeros((5_000, 3)), cell=100 * np.eye(3))
    assert time.process_time() - start < 5
