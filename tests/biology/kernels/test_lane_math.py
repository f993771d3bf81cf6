"""exp and ln of the lanes against numpy, over the whole range and at its ends."""

from __future__ import annotations

import math

import numba
import numpy as np

from sciml.biology.kernels.lane_math import exp, log, sqrt


@numba.njit
def _all(x):
    e, n, s = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for i in range(len(x)):
        e[i], n[i], s[i] = exp(x[i]), log(abs(x[i])), sqrt(abs(x[i]))
    return e, n, s


def test_against_numpy():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-700, 700, 20_000), rng.normal(size=20_000), 10 ** rng.uniform(-300, 300, 20_000)])
    with np.errstate(over="ignore"):
        expected = np.exp(np.minimum(x, 1000))
    e, n, s = _all(x)
    inside = x < 709
    assert np.allclose(e[inside], expected[inside], rtol=1e-14, atol=0) and np.isinf(e[x > 710]).all()
    assert np.allclose(n, np.log(np.abs(x)), rtol=1e-14, atol=1e-15) and np.allclose(s, np.sqrt(np.abs(x)), rtol=1e-15)


def test_the_ends():
    assert exp(0.0) == 1.0 and exp(-1000.0) == 0.0 and exp(1000.0) == math.inf
    assert log(1.0) == 0.0 and log(0.0) == -math.inf and math.isnan(log(-1.0))
