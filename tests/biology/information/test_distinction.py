"""Pairs of doses of known separation: two unit Gaussians at distance s have AUC Phi(s / sqrt 2) and error Phi(-s / 2)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from sciml.biology import information as info


def test_pairs_of_gaussians():
    rng = np.random.default_rng(0)
    dose = np.repeat([0.0, 1.0, 10.0], 300)
    means = {0.0: 0.0, 1.0: 1.0, 10.0: 3.0}
    found = info.distinguish(dose, np.array([means[d] for d in dose]) + rng.normal(size=900))
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0.0, 1.0), (0.0, 10.0), (1.0, 10.0)]
    grid = np.linspace(-8, 12, 4001)
    for pair in found.pairs:
        apart = means[pair.second] - means[pair.first]
        p = norm.pdf(grid, np.array([[0.0], [apart]]))
        bits = float((p * np.log2(p / p.mean(axis=0))).sum() * (grid[1] - grid[0]) / 2)
        assert pair.bits_low - 0.02 < bits < pair.bits_high + 0.02
        assert pair.auc_low - 0.01 < norm.cdf(apart / np.sqrt(2)) < pair.auc_high + 0.01
        assert pair.error_low - 0.01 < norm.cdf(-apart / 2) < pair.error_high + 0.01
    assert found.hardest == found.pairs[0] and found.low < found.number < found.high
    assert found.number == pytest.approx(2**found.capacity.bits)


def test_the_same_law_twice_is_not_told_apart():
    rng = np.random.default_rng(1)
    found = info.distinguish(np.repeat(["a", "b"], 300), rng.normal(size=600))
    pair = found.hardest
    assert pair.bits_low <= 0 <= pair.bits_high and pair.auc_low < 0.5 + 0.06 and pair.error_high > 0.45
    assert found.number == pytest.approx(1, abs=0.05)


def test_doses_without_overlap():
    rng = np.random.default_rng(2)
    found = info.distinguish(np.repeat([0, 1], 100), np.repeat([0.0, 30.0], 100) + rng.normal(size=200))
    pair = found.pairs[0]
    assert (
        (pair.auc, pair.error) == (1.0, 0.0) and pair.error_low == pytest.approx(0) and 0 < pair.error_high < 0.04 and pair.auc_low > 0.97
    )
    assert found.number == pytest.approx(2, abs=0.02)


def test_dict_and_sections():
    rng = np.random.default_rng(3)
    found = info.distinguish(np.repeat([0, 1, 2], 50), np.repeat([0.0, 1.0, 2.0], 50) + rng.normal(size=150))
    assert len(json.loads(json.dumps(found.to_dict(), allow_nan=False))["pairs"]) == 3
    matrix = found.to_sections()[0].blocks[1].traces[0]["z"]
    assert matrix[0][0] is None and matrix[0][2] == matrix[2][0]
