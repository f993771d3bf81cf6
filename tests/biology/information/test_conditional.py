"""Information given a third side: closed forms, chains and common effects, each way of estimating it."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.biology.information.estimators import chosen
from sciml.biology.information.samples import checked_pair
from sciml.errors import ConfigError, DataError


def h2(p):
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def gaussian_sample(case, n, seed):
    """(x, y, z, I(X;Y|Z)): a common cause, and a link besides it."""
    rng = np.random.default_rng(seed)
    z, a, b = rng.normal(size=(3, n))
    x = z + a
    return (x, z + b, z, 0.0) if case == "common cause" else (x, x + z + b, z, 0.5)


class TestLevels:
    """A discrete z."""

    def test_exclusive_or(self):
        """x and y know nothing of each other, and all given x xor y; within 95 % intervals, the baseline (spread .0005) within |z| <= 4."""
        rng = np.random.default_rng(0)
        x, y = rng.integers(2, size=(2, 1000))
        found = info.conditional_information(x, y, x ^ y)
        assert found.low <= 1 <= found.high and found.high - found.low < 0.03
        assert abs(found.baseline) <= 4 * 0.0005
        alone = info.mutual_information(x, y)
        assert alone.low <= 0 <= alone.high

    def test_a_chain_through_z(self):
        """x - z - y: much together, nothing given z; within a 95 % interval, |z| <= 2."""
        rng = np.random.default_rng(1)
        z = rng.integers(3, size=2000)
        x, y = ((z + (rng.random(2000) < 0.2)) % 3 for _ in range(2))
        found = info.conditional_information(x, y, np.array(["low", "mid", "high"])[z])
        assert found.low <= 0 <= found.high < 0.05
        assert info.mutual_information(x, y).low > 0.2

    def test_coverage(self):
        """Binary symmetric with noise 0.1 at z = 0 and 0.3 at z = 1: 40 data sets, of which 34 are covered with probability 0.9996."""
        truth, covered = 0.6 * (1 - h2(0.1)) + 0.4 * (1 - h2(0.3)), 0
        for seed in range(40):
            rng = np.random.default_rng(seed)
            z = (rng.random(500) < 0.4).astype(int)
            x = rng.integers(2, size=500)
            y = x ^ (rng.random(500) < np.where(z, 0.3, 0.1))
            found = info.conditional_information(x, y, z, seed=seed)
            covered += found.low <= truth <= found.high
        assert covered >= 34

    def test_doses_against_a_response(self):
        """Within each plate the doses are told apart as well, however far apart the plates' readings lie."""
        rng = np.random.default_rng(2)
        dose, plate = np.tile(np.arange(4), 300), np.repeat([0, 1, 2], 400)
        y = 2.0 * dose + 100 * plate + 0.5 * rng.normal(size=1200)
        found = info.conditional_information(dose, y, plate)
        within = info.mutual_information(dose[:400], y[:400])
        assert found.bits == pytest.approx(within.bits, abs=4 * within.standard_error)
        assert chosen(checked_pair(dose, y))[0].name in found.estimator

    def test_groups(self):
        """Within a 95 % interval, |z| <= 2."""
        rng = np.random.default_rng(3)
        x, z = rng.integers(2, size=(2, 600))
        y = x ^ (rng.random(600) < 0.1)
        found = info.conditional_information(x, y, z, groups=np.repeat(np.arange(6), 100))
        assert "6 groups" in found.interval and found.low <= 1 - h2(0.1) <= found.high


class TestContinuous:
    """A continuous z."""

    @pytest.mark.parametrize("case", ["common cause", "a link besides"])
    @pytest.mark.parametrize("estimator", ["neighbors", "gaussian"])
    def test_gaussian(self, case, estimator):
        """|z| <= 4; the baseline has a bias of at most .02 and spreads by .007 between sets: its bound is |z| <= 4 too."""
        x, y, z, truth = gaussian_sample(case, 1500, 4)
        found = info.conditional_information(x, y, z, estimator=estimator)
        assert abs(found.bits - truth) < 4 * found.standard_error < 0.2
        assert abs(found.baseline) < 0.05

    @pytest.mark.parametrize("case", ["common cause", "a link besides"])
    def test_chain_rule(self, case):
        """Spread between sets .001 and .05, bias -.013 with the link: the bound is |z| <= 2."""
        x, y, z, truth = gaussian_sample(case, 400, 5)
        assert info.conditional_information(x, y, z, interval="none").bits == pytest.approx(truth, abs=0.1)

    def test_chain_rule_in_more_columns_and_close_agreement(self):
        """Bias -.12 of 3.3 bits, spread .09 between sets: |z| <= 3."""
        rng = np.random.default_rng(6)
        z = rng.normal(size=(400, 3))
        x = z[:, 0] + rng.normal(size=400)
        y = z.sum(1) + x + 0.1 * rng.normal(size=400)
        found = info.conditional_information(x, y, z, interval="none")
        assert found.bits == pytest.approx(0.5 * np.log2(101) - 0.12, abs=3 * 0.09)

    @pytest.mark.long
    def test_interval_of_the_chain_rule(self):
        for case in ("common cause", "a link besides"):
            x, y, z, truth = gaussian_sample(case, 600, 7)
            found = info.conditional_information(x, y, z)
            assert found.low <= truth <= found.high and found.high - found.low < 0.4

    @pytest.mark.parametrize(("share", "truth"), [(0.0, 0.0), (2.0, 0.48594)])
    def test_a_discrete_side(self, share, truth):
        """y = z + share x + noise, x even: half a bit at a distance of two standard deviations, by quadrature of the mixture's entropy.

        Bias .001 and .015, spread .018 and .015 between sets: the bound is |z| <= 3.
        """
        rng = np.random.default_rng(8)
        x, z = np.where(rng.random(1500) < 0.5, "on", "off"), rng.normal(size=1500)
        y = z + share * (x == "on") + rng.normal(size=1500)
        found = info.conditional_information(x, y, z)
        assert found.estimator.startswith("neighbors")
        assert found.low <= truth <= found.high and abs(found.bits - truth) < 0.06
        assert found.entropy_bound == pytest.approx(1, abs=0.01)

    def test_coverage(self):
        """30 data sets of independent sides given a common cause: 25 covered with probability 0.998."""
        covered = 0
        for seed in range(30):
            x, y, z, truth = gaussian_sample("common cause", 300, 100 + seed)
            found = info.conditional_information(x, y, z, estimator="neighbors", seed=seed)
            covered += found.low <= truth <= found.high
        assert covered >= 25


class TestRefused:
    """What cannot be answered."""

    def test_rows_and_levels(self):
        x, y = np.random.default_rng(9).normal(size=(2, 100))
        with pytest.raises(DataError, match="z has 99 rows, x 100"):
            info.conditional_information(x, y, np.arange(99.0))
        z = np.array(["a"] * 97 + ["b"] * 3)
        with pytest.raises(DataError, match="z: within level 'b': found 3 rows"):
            info.conditional_information(x, y, z)

    def test_ways_that_do_not_fit(self):
        rng = np.random.default_rng(10)
        x, y, z = rng.normal(size=(3, 100))
        with pytest.raises(ConfigError, match="'levels': z is continuous"):
            info.conditional_information(x, y, z, estimator="levels")
        with pytest.raises(ConfigError, match="'neighbors': z is discrete"):
            info.conditional_information(x, y, z > 0, estimator="neighbors")
        with pytest.raises(ConfigError, match="estimator"):
            info.conditional_information(x, y, z, estimator="knn")

    def test_a_constant_side(self):
        rng = np.random.default_rng(11)
        found = info.conditional_information(np.ones(50), rng.normal(size=50), rng.integers(2, size=50))
        assert (found.bits, found.low, found.high) == (0, 0, 0)


def test_nothing_is_left_of_what_z_says():
    """x, or y, is z or a parabola of it: exactly 0, not what rounding leaves."""
    rng = np.random.default_rng(3)
    z = rng.normal(size=300)
    y = z + rng.normal(size=300)
    for x in (z, 3 * z**2 - z + 1):
        assert (info.conditional_information(x, y, z).bits, info.conditional_information(y, x, z).high) == (0.0, 0.0)
