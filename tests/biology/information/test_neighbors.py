"""KSG against closed forms, against its definition, and on ties, offsets and point masses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import digamma

from sciml.biology import information as info
from sciml.biology.information.neighbors import NearestNeighbors, ksg_nats
from sciml.biology.information.samples import checked_pair
from sciml.errors import ConfigError


def gaussian(rng, n, correlations):
    r = np.asarray(correlations)
    x = rng.normal(size=(n, len(r)))
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=(n, len(r)))


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (2, 1), (3, 2)])
def test_the_definition(dx, dy):
    """Eq. 8 written out over all pairs."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, dx)), rng.normal(size=(120, dy))
    x[:, 0] += y[:, 0]
    to_x = np.abs(x[:, None] - x[None]).max(-1)
    to_y = np.abs(y[:, None] - y[None]).max(-1)
    joint = np.sort(np.maximum(to_x, to_y), axis=1)[:, 4]  # the row itself is first
    inside = [np.count_nonzero(d < joint[:, None], axis=1) - 1 for d in (to_x, to_y)]
    expected = digamma(4) + digamma(120) - (digamma(inside[0] + 1) + digamma(inside[1] + 1)).mean()
    assert ksg_nats(x, y) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_a_gaussian_pair(rho):
    """Mean of 20 data sets of 1,000; |z| <= 4 of the spread between them, and the known bias below .02 bit."""
    truth = -0.5 * np.log2(1 - rho**2)
    found = [NearestNeighbors().point(checked_pair(*gaussian(np.random.default_rng(s), 1000, [rho])), s) for s in range(20)]
    assert abs(np.mean(found) - truth) <= 4 * np.std(found) / np.sqrt(20) + 0.02


def test_monotone_changes_and_offsets_change_nothing():
    x, y = gaussian(np.random.default_rng(1), 500, [0.7])
    plain = info.mutual_information(x, y, estimator="ksg")
    changed = info.mutual_information(np.exp(3 * x) * 1e-9, 1e9 + y, estimator="ksg")
    assert changed.bits == pytest.approx(plain.bits, abs=1e-9) and changed.low == pytest.approx(plain.low, abs=1e-9)


def test_columns_of_very_different_scale():
    x, y = gaussian(np.random.default_rng(2), 1000, [0.8, 0.8])
    plain, scaled = (info.mutual_information(x * s, y, estimator="ksg", interval="none").bits for s in ([1, 1], [1e9, 1]))
    assert scaled == pytest.approx(plain, abs=1e-9)


def test_point_masses_and_rounded_values():
    """Drop-outs at 0 on both sides: I(X;Y) = I of the whole pair (Z switches both), by quadrature 1-d sums; |z| <= 4."""
    rng = np.random.default_rng(3)
    n, found = 2000, []
    for _ in range(10):
        on = rng.random(n) < 0.6
        x, y = np.where(on, rng.gamma(2, size=n), 0), np.where(on, rng.gamma(2, size=n), 0)  # independent given that both are on
        found.append(info.mutual_information(x, y, estimator="ksg", interval="none").bits)
    truth = -0.6 * np.log2(0.6) - 0.4 * np.log2(0.4)
    assert abs(np.mean(found) - truth) <= 4 * np.std(found) / np.sqrt(10) + 0.02


def test_rounding_loses_little_and_never_explodes():
    """Spread of the difference between sets .020 bit, bias -.001: the bound is |z| <= 2.5."""
    x, y = gaussian(np.random.default_rng(4), 4000, [0.8])
    fine = info.mutual_information(x, y, estimator="ksg", interval="none").bits
    coarse = info.mutual_information(np.round(x, 1), np.round(y, 1), estimator="ksg", x_kind="continuous", y_kind="continuous")
    assert coarse.bits == pytest.approx(fine, abs=0.05)
    assert any("their order is random" in note for note in coarse.notes)


def test_independent_pairs_are_covered_and_low_may_be_negative():
    """At 95 % fewer than 7 of 10 has probability 1e-3."""
    found = [info.mutual_information(*gaussian(np.random.default_rng(s), 400, [0.0]), estimator="ksg", seed=s) for s in range(10)]
    assert sum(f.low <= 0 <= f.high for f in found) >= 7
    assert min(f.low for f in found) < 0


def test_the_same_seed_gives_the_same_bits():
    x, y = np.round(gaussian(np.random.default_rng(5), 300, [0.5]), 1)
    first, again = (info.mutual_information(x, y, estimator="ksg", x_kind="continuous", y_kind="continuous", seed=7) for _ in range(2))
    assert first == again


def test_discrete_sides_and_few_rows_are_refused():
    with pytest.raises(ConfigError, match="a side is discrete"):
        info.mutual_information(np.repeat([0, 1], 50), np.arange(100.0), estimator="ksg")
    with pytest.raises(ConfigError, match="found 12 rows"):
        info.mutual_information(np.arange(12.0), np.arange(12.0), estimator="ksg")
