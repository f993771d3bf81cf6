"""Rolls become positions; planes, circles and noise stay."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from sciml.biology.information.curves import along_curves


@pytest.mark.parametrize("n", [300, 3000])
def test_a_roll_among_other_columns(n):
    rng = np.random.default_rng(0)
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    other = rng.normal(size=(n, 2))
    found, curves = along_curves(np.column_stack([other[:, 0], t * np.cos(t), other[:, 1], t * np.sin(t)]))
    assert curves == 1 and found.shape == (n, 3)
    assert abs(spearmanr(found[:, 0], t)[0]) > 1 - 1e-6
    assert np.array_equal(found[:, 1:], other)


@pytest.mark.parametrize("kind", ["plane", "circle", "noisy line", "two curves", "counts"])
def test_what_is_no_open_curve_stays(kind):
    """A circle cut anywhere would fold or tear; noise about a line is information."""
    rng = np.random.default_rng(1)
    u = rng.random(1000)
    values = {
        "plane": rng.normal(size=(1000, 2)),
        "circle": np.column_stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u)]),
        "noisy line": np.column_stack([u, u + 0.1 * rng.normal(size=1000)]),
        "two curves": np.column_stack([u, u**2 + 5 * (rng.random(1000) < 0.5)]),
        "counts": rng.poisson(3, size=(1000, 2)).astype(float),
    }[kind]
    found, curves = along_curves(values)
    assert curves == 0 and np.array_equal(found, values)
