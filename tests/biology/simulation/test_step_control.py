"""Weights of errors, the first step, and shorter steps after a rejection."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from sciml.biology.simulation import step_control as steps

NONE = np.zeros(1)


@njit
def weight(y, new, change, absolute, scale):
    return steps.weight(0, y, new, change, absolute, scale, 1e-3, 1e-6)


@njit
def first_step(span, y, slopes, scale, real):
    return steps.first_step(span, y, slopes, np.zeros(1), scale, real)


@njit
def shorter(error):
    return steps.shorter(error)


@pytest.mark.parametrize(
    ("y", "new", "change", "absolute", "scale", "wanted"),
    [
        (2.0, -3.0, 0.0, 0.0, 0.0, 1e-3 * 3 + 1e-6 * 3),  # rtol of the larger end, and of the floor its size
        (2.0, 3.0, 0.0, 0.5, 0.0, 1e-3 * 3 + 0.5 + 1e-6 * 3),
        (0.0, 0.0, 0.0, 0.0, 7.0, 1e-6 * 7),  # what is 0 now counts as large as it was
        (0.0, 0.0, 5.0, 0.0, 0.0, 1e-6 * 5),  # ... or as what it changes by
    ],
)
def test_what_an_error_is_measured_in(y, new, change, absolute, scale, wanted):
    arrays = [np.array([value]) for value in (y, new, absolute, scale)]
    assert weight(arrays[0], arrays[1], change, arrays[2], arrays[3]) == pytest.approx(wanted, rel=1e-12)


def test_the_first_step_is_a_hundredth_of_the_time_of_change():
    real = np.zeros(7)
    real[steps.RTOL] = 1e-6
    y, slopes, scale = np.array([4.0]), np.array([-8.0]), np.array([4.0])
    assert first_step(100.0, y, slopes, scale, real) == pytest.approx(0.01 * 4 / 8)
    assert first_step(1e-4, y, slopes, scale, real) == pytest.approx(1e-4)  # never beyond the end
    assert first_step(100.0, y, NONE, scale, real) == pytest.approx(0.01)  # at rest


def test_a_rejected_step_is_made_shorter_by_its_error():
    assert shorter(32.0) == pytest.approx(0.45)  # 0.9 * 32^(-1/5)
    assert shorter(1e30) == shorter(np.inf) == shorter(np.nan) == 0.1
