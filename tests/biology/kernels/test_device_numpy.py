"""Against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.kernels import device_numpy

NUMBERS = [-np.inf, -1e300, -(2.0**53), -2.5, -2.0, -1e-300, 0.0, 0.5, 1.0, 2.5, 2.0**52 + 1, 1e19, np.inf, np.nan]


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc"])
def test_roundings(name):
    found = [getattr(device_numpy, name).py_func(x) for x in NUMBERS]
    assert np.array_equal(found, getattr(np, name)(NUMBERS), equal_nan=True) and all(isinstance(x, float) for x in found)


def test_the_larger_and_the_smaller():
    for a in (-1.0, 2.0, np.inf):
        for b in (-3.0, 2.0, 5.0, -np.inf):
            assert device_numpy.larger.py_func(a, b) == max(a, b) and device_numpy.smaller.py_func(a, b) == min(a, b)


def test_what_is_left_has_the_sign_of_the_first():
    for a in (-7.5, 7.5):
        for b in (-2.0, 2.0):
            assert device_numpy.fmod.py_func(a, b) == np.fmod(a, b)
