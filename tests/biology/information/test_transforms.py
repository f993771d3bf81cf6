"""Which transform is taken, and that it serves."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.gaussian import gaussian_nats
from sciml.biology.information.samples import checked_pair
from sciml.biology.information.transforms import gaussianized
from sciml.errors import DataError


def warped(rng, n, d=3):
    x = rng.normal(size=(n, d))
    y = 0.8 * x + 0.6 * rng.normal(size=(n, d))
    turned = x @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (np.sign(turned) * np.abs(turned) ** 1.5) @ np.linalg.qr(rng.normal(size=(d, d)))[0], y


def test_turned_and_stretched_columns_are_undone():
    """Truth 3 x 0.737 bit; the formula on plain scores sees less than 2."""
    x, y = gaussianized(checked_pair(*warped(np.random.default_rng(0), 4000)), 0)
    assert "independent components" in x.words
    assert gaussian_nats(x.values, y.values) / np.log(2) == pytest.approx(-3 * np.log2(0.6), abs=0.1)


def test_gaussian_sides_stay_as_they_are_but_for_scale():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 1000, 2))
    found = gaussianized(checked_pair(x, y), 0)[0]
    assert found.words == "normal scores"
    assert np.abs(np.corrcoef(found.values[:, 0], x[:, 0])[0, 1]) > 1 - 1e-3


def test_a_roll_is_named():
    rng = np.random.default_rng(2)
    t = 1.5 * np.pi * (1 + 2 * rng.random(1000))
    found = gaussianized(checked_pair(np.column_stack([t * np.cos(t), t * np.sin(t)]), t + rng.normal(size=1000)), 0)[0]
    assert found.values.shape == (1000, 1) and found.words.startswith("position along 1 curve")


def test_a_column_that_the_others_give_is_left_out():
    """2 x + 1, and x^3 by its ranks, add nothing to x: the same as x alone, bit for bit."""
    rng = np.random.default_rng(5)
    x, z = rng.normal(size=(2, 30))
    y = x + rng.normal(size=30)
    alone = gaussianized(checked_pair(np.column_stack([x, z]), y), 0)[0]
    for more in (2 * x + 1, x**3):
        found = gaussianized(checked_pair(np.column_stack([x, z, more]), y), 0)[0]
        assert found.columns == 2 and gaussian_nats(found.values, y[:, None]) == pytest.approx(gaussian_nats(alone.values, y[:, None]))


@pytest.mark.parametrize("n", [20, 300])
@pytest.mark.parametrize("of", ["same", "turned round", "power", "nearly the same", "a column of two", "a sum of two"])
def test_sides_that_give_each_other_are_refused(of, n):
    rng = np.random.default_rng(n)
    x, z = rng.normal(size=(2, n))
    two = np.column_stack([x, z])
    sides = {
        "same": (x, x), "turned round": (x, -x), "power": (x, x**3), "nearly the same": (x, x + 1e-9 * z), "a column of two": (two, z),
        "a sum of two": (two, x + z),
    }[of]  # fmt: skip
    with pytest.raises(DataError, match="in these .* rows one gives a column of the other, or its order.*cannot be told from infinite"):
        gaussianized(checked_pair(*sides), 0)
