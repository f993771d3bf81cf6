"""The one call: what it checks, what it adds to an estimate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.biology.information.result import Estimate
from sciml.errors import ConfigError


class MeanSquare:
    """A foreign estimator: the squared difference of the means of a binary x; no information, but easy to predict."""

    name = "mean square"

    def refuses(self, pair):
        return "" if pair.x.discrete else "x must be discrete"

    def point(self, pair, seed):
        low, high = (pair.y.values[pair.x.codes == k].mean() for k in (0, 1))
        return float((high - low) ** 2)

    def estimate(self, pair, seed):
        bits = self.point(pair, seed)
        return Estimate(bits, 0.01, bits - 0.02, bits + 0.02, self.name, "made up")


X = np.repeat([0, 1], 200)
Y = X + np.random.default_rng(0).normal(size=400) * 0.1


def test_a_foreign_estimator_gets_baseline_bound_and_law():
    found = info.mutual_information(X, Y, estimator=MeanSquare(), readout="rate")
    assert found.baseline < 0.05 * found.bits
    assert found.entropy_bound == 1.0 and found.readout == "rate" and "equally likely" in found.input_law
    assert found.n == 400 and found.interval == "made up"


def test_above_the_entropy_is_said():
    found = info.mutual_information(X, 10 * Y, estimator=MeanSquare())
    assert (found.bits > 1) == any("warning: above the entropy" in note for note in found.notes)
    assert found.clipped <= 1


def test_groups_widen_the_interval():
    rng = np.random.default_rng(1)
    day = np.arange(400) % 7
    moved = Y + X * rng.normal(size=7)[day]
    alone = info.mutual_information(X, moved, estimator=MeanSquare())
    whole = info.mutual_information(X, moved, estimator=MeanSquare(), groups=day)
    assert whole.bits == alone.bits and whole.high - whole.low > alone.high - alone.low
    assert "7 groups" in whole.interval


def test_a_constant_side_is_exactly_zero():
    found = info.mutual_information(np.full(400, 4096.0), np.arange(400) % 2)
    assert (found.bits, found.low, found.high) == (0.0, 0.0, 0.0)


def test_no_interval_when_none_is_asked_for():
    calls = []

    class Counted(MeanSquare):
        def point(self, pair, seed):
            calls.append(len(pair))
            return super().point(pair, seed)

    found = info.mutual_information(X, Y, estimator=Counted(), interval="none")
    assert calls == [400] and math.isnan(found.baseline) and found.to_dict()["baseline"] is None
    assert math.isnan(found.low) and "no interval" in found.sentence()


def test_refusals():
    with pytest.raises(ConfigError, match="x must be discrete"):
        info.mutual_information(Y, X, estimator=MeanSquare())
    with pytest.raises(ConfigError, match="without name"):
        info.mutual_information(X, Y, estimator=object())
    with pytest.raises(ConfigError, match="seed"):
        info.mutual_information(X, Y, seed=-1)


@pytest.mark.parametrize(("n", "columns", "least"), [(4, 2, 20), (19, 1, 20), (50, 10, 60)])
@pytest.mark.parametrize("estimator", ["auto", "mixture"])
def test_too_few_rows_are_refused_whoever_chose_the_estimator(n, columns, least, estimator):
    x, y = np.random.default_rng(2).normal(size=(2, n, columns))
    with pytest.raises(ConfigError, match=f"found {n} rows, expected at least {least}"):
        info.mutual_information(x, y, estimator=estimator)
