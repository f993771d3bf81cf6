"""Elimination on a pattern against dense linear algebra."""

from __future__ import annotations

import numpy as np

from sciml.biology.simulation.sparsity import pattern


def test_the_pattern_holds_the_fill_of_its_own_order():
    rng = np.random.default_rng(3)
    places = sorted({(int(i), int(j)) for i, j in rng.integers(0, 30, (90, 2))})
    found = pattern(30, places)
    dense = 10 * np.eye(30)
    for i, j in places:
        dense[i, j] += rng.standard_normal()
    matrix = dense[np.ix_(found.order, found.order)]
    for k in range(30):  # Gauss without exchanges
        for i in range(k + 1, 30):
            matrix[i, k] /= matrix[k, k]
            matrix[i, k + 1 :] -= matrix[i, k] * matrix[k, k + 1 :]
    allowed = np.zeros((30, 30), dtype=bool)
    for r in range(30):
        allowed[r, found.columns[found.starts[r] : found.starts[r + 1]]] = True
        assert found.columns[found.diagonal[r]] == r
    assert not matrix[~allowed].any()


def test_entries_lie_where_the_matrix_has_them():
    places = [(0, 2), (2, 0), (1, 1)]
    found = pattern(3, places)
    for (i, j), entry in zip(places, found.entries, strict=True):
        row = int(np.searchsorted(found.starts, entry, side="right")) - 1
        assert (found.order[row], found.order[found.columns[entry]]) == (i, j)


def test_an_arrow_is_eliminated_without_fill():
    n = 50
    places = [(0, i) for i in range(n)] + [(i, 0) for i in range(n)] + [(i, i) for i in range(n)]
    assert len(pattern(n, places).columns) == 3 * n - 2
