"""Intervals of the mean and of the correlation, whose standard errors are known."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.intervals import disjoint_halves, leave_groups_out
from sciml.biology.information.samples import checked_pair
from sciml.errors import ConfigError


def mean_of_y(pair, seed):
    return float(pair.y.values.mean())


def pair_of(seed, n=400, groups=None):
    rng = np.random.default_rng(seed)
    return checked_pair(np.arange(n) % 4, rng.normal(size=n), groups)


def test_halves_give_the_standard_error_of_a_mean():
    errors = []
    for seed in range(60):
        pair = pair_of(seed)
        halves = disjoint_halves(pair, mean_of_y, seed)
        assert halves.mean == pytest.approx(pair.y.values.mean(), abs=1e-12)
        errors.append(halves.standard_error * np.sqrt(400) / pair.y.values.std())
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(1.0, abs=4 * 0.5 / np.sqrt(60))


def test_halves_keep_the_shares_of_doses():
    shares = []
    disjoint_halves(pair_of(0), lambda pair, seed: shares.append(np.bincount(pair.x.codes).tolist()) or 0.0, 0)
    assert len(shares) == 20 and all(max(s) - min(s) <= 1 for s in shares)


def test_leaving_groups_out_sees_what_differs_between_them():
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(8), 50)
    shift = rng.normal(size=8)
    pair = checked_pair(np.arange(400) % 4, rng.normal(size=400) * 0.1 + shift[day], day)
    over = leave_groups_out(pair, mean_of_y, 0)
    means = np.array([pair.y.values[day == d].mean() for d in range(8)])
    assert over.standard_error == pytest.approx(means.std(ddof=1) / np.sqrt(8), rel=1e-9)
    assert over.groups == 8 and over.quantile == pytest.approx(2.3646, abs=1e-3)
    assert disjoint_halves(pair, mean_of_y, 0).standard_error < over.standard_error / 2  # cells alone would deceive


def test_more_than_twenty_groups_cost_twenty_fits():
    calls = []
    leave_groups_out(pair_of(0, groups=np.arange(400) // 4), lambda pair, seed: calls.append(1) or 0.0, 0)
    assert len(calls) == 20
    with pytest.raises(ConfigError, match="groups"):
        leave_groups_out(pair_of(0), mean_of_y, 0)
