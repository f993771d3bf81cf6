"""Pairs of doses of known separation: two unit Gaussians at distance s have AUC Phi(s / sqrt 2) and error Phi(-s / 2).

Random figures are held to |z| <= 4: their 95 % intervals, twice as wide.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from sciml.biology import information as info


def holds(low, high, truth):
    """|z| <= 4 of a 95 % interval."""
    return abs(truth - 0.5 * (low + high)) <= 2.04 * 0.5 * (high - low)


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
        assert holds(pair.bits_low, pair.bits_high, bits)
        assert holds(pair.auc_low, pair.auc_high, norm.cdf(apart / np.sqrt(2)))
        assert holds(pair.error_low, pair.error_high, norm.cdf(-apart / 2))
    assert found.hardest == found.pairs[0] and found.low < found.number < found.high
    assert found.number == pytest.approx(2**found.capacity.bits)


def test_the_same_law_twice_is_not_told_apart():
    rng = np.random.default_rng(1)
    found = info.distinguish(np.repeat(["a", "b"], 300), rng.normal(size=600))
    pair = found.hardest
    assert (
        holds(pair.bits_low, pair.bits_high, 0) and holds(pair.auc_low, pair.auc_high, 0.5) and holds(pair.error_low, pair.error_high, 0.5)
    )
    assert holds(found.low, found.high, 1)


@pytest.mark.parametrize("apart", [0.0, 0.2])
def test_nothing_told_is_not_ranked_against_its_dose(apart):
    """Left out, a cell makes its dose rarer; ranked by that alone, cells of one law have an AUC of .34 +- .18, and half the intervals miss.

    20 sets: the mean within |z| <= 4 of its spread (.06) and its bias, .04 at 50 cells; at 95 % fewer than 15 covered has probability 3e-4.
    """
    truth, found = norm.cdf(apart / np.sqrt(2)), []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        dose = np.repeat([0, 1], 50)
        found.append(info.distinguish(dose, apart * dose + rng.normal(size=100)).hardest)
    assert abs(np.mean([pair.auc for pair in found]) - truth) <= 4 * 0.06 / np.sqrt(20) + 0.04
    assert sum(pair.auc_low <= truth <= pair.auc_high for pair in found) >= 15
    assert sum(pair.error_low <= norm.cdf(-apart / 2) <= pair.error_high for pair in found) >= 15


def test_doses_without_overlap():
    rng = np.random.default_rng(2)
    found = info.distinguish(np.repeat([0, 1], 100), np.repeat([0.0, 30.0], 100) + rng.normal(size=200))
    pair = found.pairs[0]
    assert (
        (pair.auc, pair.error) == (1.0, 0.0) and pair.error_low == pytest.approx(0) and 0 < pair.error_high < 0.04 and pair.auc_low > 0.97
    )
    assert found.number == pytest.approx(2, abs=0.02)  # nothing is random in it


def test_dict_and_sections():
    rng = np.random.default_rng(3)
    found = info.distinguish(np.repeat([0, 1, 2], 50), np.repeat([0.0, 1.0, 2.0], 50) + rng.normal(size=150))
    assert len(json.loads(json.dumps(found.to_dict(), allow_nan=False))["pairs"]) == 3
    assert found.to_sections()[0].blocks[3].text.startswith("Intervals of the pairs are of single cells, not of groups.")
    matrix = found.to_sections()[0].blocks[1].traces[0]["z"]
    assert matrix[0][0] is None and matrix[0][2] == matrix[2][0]
