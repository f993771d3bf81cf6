"""The first change of a condition inside a step whose polynomial is known."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.native import native
from sciml.biology.simulation.crossings import COARSE, SEEN, search


def first(coefficients, level, t=1.0, h=2.0, finer=True):
    """(time, x then) at which x < level begins, x = sum_k coefficients[k] s^k over a step of length h from t."""
    g = Graph()
    x, border = g.leaf("state", 0), g.const(level)
    watched = native(g, [g.op("lt", x, border), g.op("sub", x, border)], 0)
    poly, z = np.zeros((5, 1)), np.zeros(1)
    poly[: len(coefficients), 0] = coefficients
    rows = [poly, np.zeros(1), np.zeros(1), np.zeros((SEEN, 2)), z]
    reals = [a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in rows]
    table = watched.context.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    return search().ctypes(watched.address, table, t, h, *reals, 1, 1, 2, int(finer)), z[0]


def test_a_crossing_is_found_to_the_last_bits():
    time, x = first([1.0, -1.0], 0.35)
    assert time == pytest.approx(1 + 2 * 0.65, rel=1e-15) and x == pytest.approx(0.35, rel=1e-14)


def test_without_a_crossing():
    assert first([1.0, -1.0], -0.1)[0] == -1.0
    assert first([1.0, 0.0, 0.5], 0.9)[0] == -1.0


def test_a_short_dip_between_the_points_is_seen():
    """x = (s - 0.54)^2 is below 1e-6 for a thousandth of a step on each side of 0.54."""
    time, _ = first([0.54**2, -1.08, 1.0], 1e-6)
    assert time == pytest.approx(1 + 2 * 0.539, abs=1e-12)
    assert first([0.54**2 + 2e-6, -1.08, 1.0], 1e-6)[0] == -1.0


def test_a_guard_that_bends_too_much_asks_for_shorter_steps():
    """Chebyshev's polynomial of degree 4: three turns in a step."""
    wave = [1.0, -32.0, 160.0, -256.0, 128.0]
    assert first(wave, 0.0)[0] == COARSE
    assert first(wave, 0.0, finer=False)[0] == pytest.approx(1 + 2 * (0.5 - 0.5 * np.cos(np.pi / 8)), rel=1e-12)
