"""Unit Poisson processes drawn in pieces: what is drawn stays, and the whole is a Poisson process (|z| <= 4.5)."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from scipy import stats

from sciml.biology.simulation.draws import begin_stream
from sciml.biology.simulation.unit_processes import Processes, cover, drop, next_point, pass_by, processes


@numba.njit
def _cut(n: int, q: Any) -> Any:
    """Points in [0, 2], [2, 5] and up to 30, drawn by a cover of 30, then 5, then 2; and the waiting time from 2."""
    found = np.zeros((n, 5))
    for i in range(n):
        s = begin_stream(11, i, 0)
        q.used[0] = 0
        found[i, 0] = cover(s, q, 0, 30.0)[0]
        found[i, 1] = cover(s, q, 0, 5.0)[0]
        found[i, 2], pieces = cover(s, q, 0, 2.0)
        drop(q, 0, pieces)
        found[i, 3] = next_point(s, q, 0)
        pass_by(q, 0, 0.5 * found[i, 3])
        found[i, 4] = cover(s, q, 0, 28.0 - 0.5 * found[i, 3])[0]
    return found


def test_pieces_make_one_process() -> None:
    n, q = 20_000, processes(1)
    whole, five, two, wait, rest = _cut(n, q).T
    for sample, mean in ((whole, 30.0), (five, 5.0), (two, 2.0), (five - two, 3.0), (whole - five, 25.0)):
        assert abs(sample.mean() - mean) < 4.5 * np.sqrt(mean / n)
        assert abs(sample.var() - mean) < 4.5 * np.sqrt((mean + 2 * mean**2) / n)
    assert abs(np.corrcoef(two, five - two)[0, 1]) < 4.5 / np.sqrt(n)
    assert stats.kstest(wait, "expon").pvalue > 1e-4
    np.testing.assert_array_equal(rest, whole - two)  # what was drawn is not drawn again


def test_a_point_is_crossed_once() -> None:
    q = Processes(np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]), np.array([[3.0, 2.0, 0.0, 0.0, 0.0, 0.0]]), np.array([2]))
    s = begin_stream(1, 1, 0)
    for _ in range(3):
        assert next_point(s, q, 0) == 0.0
        drop(q, 0, 2)
    assert 0 < next_point(s, q, 0) < 1
