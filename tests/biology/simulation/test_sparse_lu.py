"""Elimination on a pattern of zeros against dense linear algebra."""

from __future__ import annotations

import numba
import numpy as np

from sciml.biology.simulation.sparse_lu import factorised, matrix, solve
from sciml.biology.simulation.sparsity import pattern


@numba.njit
def solved(shift, values, entries, starts, columns, diagonal, order, right):
    n = order.size
    lu, room, out = np.empty(columns.size), np.empty(n), np.empty(n)
    matrix(shift, values, entries, diagonal, lu)
    regular = factorised(lu, room, starts, columns, diagonal)
    if regular:
        solve(lu, starts, columns, diagonal, order, right, room, out)
    return regular, out


def answer(places, values, shift, right):
    n = len(right)
    return solved(shift, np.array(values), *pattern(n, places).arrays, np.array(right, dtype=float))


def test_against_dense_equations():
    rng = np.random.default_rng(3)
    for n in (1, 5, 40):
        jacobian = np.where(rng.random((n, n)) < 0.15, rng.standard_normal((n, n)), 0.0)
        places = [(int(i), int(j)) for i, j in np.argwhere(jacobian)]
        right = rng.standard_normal(n)
        regular, found = answer(places, [jacobian[p] for p in places], float(n), right)
        assert regular
        np.testing.assert_allclose(found, np.linalg.solve(n * np.eye(n) - jacobian, right), rtol=1e-11, atol=1e-13)


def test_a_pivot_that_vanishes_is_said():
    assert not answer([(0, 0)], [2.0], 2.0, [1.0])[0]


def test_an_infinite_slope_is_left_out():
    regular, found = answer([(0, 0), (1, 0)], [np.inf, 1.0], 2.0, [1.0, 1.0])
    assert regular
    np.testing.assert_allclose(found, [0.5, 0.75])
