"""Information along time against closed forms: binary Markov channels, linear feedback, a hidden driver."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

from sciml.biology import information as info
from sciml.errors import ConfigError, DataError


def h2(p):
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def delayed_bits(cells, times, noise, seed):
    """Fair coins x, and y their copy one step later, of which a share is flipped."""
    rng = np.random.default_rng(seed)
    x = rng.integers(2, size=(cells, times + 1))
    return x[:, 1:], x[:, :-1] ^ (rng.random((cells, times)) < noise)


def linear_traces(cells, times, seed):
    """x(t) = 0.7 x(t-1) + noise, y(t) = 0.5 y(t-1) + 0.8 x(t-1) + noise, stationary."""
    rng = np.random.default_rng(seed)
    state = np.linalg.cholesky(stationary()) @ rng.normal(size=(2, cells))
    found = np.empty((2, cells, times))
    for t in range(times):
        found[:, :, t] = state
        state = DRIFT @ state + rng.normal(size=(2, cells))
    return found


DRIFT = np.array([[0.7, 0.0], [0.8, 0.5]])


def stationary():
    return solve_discrete_lyapunov(DRIFT, np.eye(2))


def linear_rate(source, target):
    """I(source(t-1), source(t); target(t) | target(t-1)) from the stationary covariance."""
    s = stationary()
    joint = np.block([[s, s @ DRIFT.T], [DRIFT @ s, s]])  # at t - 1, t
    past, now, driver = [target], [2 + target], [source, 2 + source]

    def logdet(rows):
        return np.linalg.slogdet(joint[np.ix_(rows, rows)])[1] / np.log(2)

    return 0.5 * (logdet(past + now) - logdet(past) - logdet(past + now + driver) + logdet(past + driver))


class TestLags:
    """I(x(t); y(t + lag))."""

    def test_delayed_bits(self):
        x, y = delayed_bits(40, 30, 0.1, 0)
        found = info.lagged_information(x, y, [-1, 0, 1, 2])
        truth = np.array([0, 0, 1 - h2(0.1), 0])
        assert ((found.low <= truth) & (truth <= found.high)).all()
        assert found.bits == pytest.approx(truth, abs=0.06)

    def test_linear(self):
        x, y = linear_traces(40, 20, 1)
        found = info.lagged_information(x, y, [0, 1], estimator="ksg")
        s = stationary()
        rho0 = s[0, 1] ** 2 / (s[0, 0] * s[1, 1])
        rho1 = (DRIFT @ s)[1, 0] ** 2 / (s[0, 0] * s[1, 1])
        truth = -0.5 * np.log2(1 - np.array([rho0, rho1]))
        assert ((found.low <= truth) & (truth <= found.high)).all()

    def test_one_long_trace(self):
        x, y = delayed_bits(1, 2000, 0.1, 2)
        found = info.lagged_information(x, y, [1])
        assert found.low[0] <= 1 - h2(0.1) <= found.high[0]
        assert "20 stretches" in found.information[0].notes[-1]

    def test_the_result(self):
        x, y = delayed_bits(10, 30, 0.1, 3)
        found = info.lagged_information(x, y, [0, 1])
        assert json.loads(json.dumps(found.to_dict()))["at"] == [0.0, 1.0]
        (section,) = found.to_sections()
        assert list(section.blocks[0].traces[-1]["y"]) == found.bits.tolist()

    def test_refused(self):
        x, y = delayed_bits(10, 30, 0.1, 3)
        with pytest.raises(ConfigError, match="found 30, expected less than the 30 times"):
            info.lagged_information(x, y, [30])
        with pytest.raises(DataError, match="x has 10 cells and 30 times, y 10 and 29"):
            info.lagged_information(x, y[:, 1:], [0])
        with pytest.raises(DataError, match="shape"):
            info.lagged_information(x[0], y[0], [0])


class TestDirected:
    """I(x past and present; y now | y past)."""

    def test_delayed_bits(self):
        x, y = delayed_bits(60, 30, 0.1, 4)
        forth, back = info.directed_information(x, y), info.directed_information(y, x)
        assert forth.low <= 1 - h2(0.1) <= forth.high
        assert back.low <= 0 <= back.high and back.high < 0.03
        assert any("no proof of cause" in note for note in forth.notes)

    def test_a_higher_order_changes_nothing_here(self):
        x, y = delayed_bits(60, 30, 0.1, 5)
        assert info.directed_information(x, y, order=2).bits == pytest.approx(1 - h2(0.1), abs=0.06)

    @pytest.mark.parametrize("estimator", ["gaussian", "neighbors"])
    def test_linear(self, estimator):
        x, y = linear_traces(50, 40, 6)
        forth, back = (info.directed_information(*pair, estimator=estimator) for pair in ((x, y), (y, x)))
        assert linear_rate(1, 0) == pytest.approx(0, abs=1e-12)
        assert forth.low <= linear_rate(0, 1) <= forth.high and forth.bits == pytest.approx(linear_rate(0, 1), abs=0.07)
        assert back.low <= 0 <= back.high

    def test_a_hidden_driver_deceives_it(self):
        """h drives x at once and y one step later: x does nothing to y, yet tells of it; the note says so."""
        h = np.random.default_rng(7).integers(2, size=(60, 31))
        found = info.directed_information(h[:, 1:], h[:, :-1])
        assert found.low > 0.9

    def test_too_short(self):
        x, y = delayed_bits(10, 3, 0.1, 8)
        with pytest.raises(DataError, match="found 3 times, expected at least 4"):
            info.directed_information(x, y, order=2)

    def test_pasts_too_many_for_the_traces(self):
        x, y = np.random.default_rng(9).integers(2, size=(2, 30, 40))
        with pytest.raises(
            DataError, match=r"^order: found 8, which makes \d+ different pasts of x and \d+ .* of y.*expected a lower order"
        ):
            info.directed_information(x, y, order=8)

    def test_an_error_that_is_not_of_the_order_stays_what_it_is(self):
        x = np.random.default_rng(10).normal(size=(40, 6))
        with pytest.raises(DataError, match="cannot be told from infinite"):
            info.directed_information(x, x)


class TestOverTime:
    """I(x; y(t))."""

    def test_a_response_that_rises(self):
        rng = np.random.default_rng(9)
        x = np.repeat([0, 1], 300)
        gain = np.array([0.0, 1.0, 3.0])
        y = gain * x[:, None] + rng.normal(size=(600, 3))
        found = info.information_over_time(x, y, [0, 5, 20])
        assert found.at == (0.0, 5.0, 20.0)
        assert found.low[0] <= 0 <= found.high[0]
        assert found.bits[0] < found.bits[1] < found.bits[2] < 1
        again = info.mutual_information(x, y[:, 1])
        assert found.information[1].bits == again.bits

    def test_a_hole_is_named_with_its_time(self):
        y = np.random.default_rng(10).normal(size=(50, 3))
        y[7, 2] = np.nan
        with pytest.raises(DataError, match="time 20: y: row 7, column 0: found nan"):
            info.information_over_time(np.arange(50) % 2, y, [0, 5, 20])
        with pytest.raises(DataError, match="times: found"):
            info.information_over_time(np.arange(50) % 2, y, [0, 5])


@pytest.mark.parametrize("other", [np.random.default_rng(0).integers(2, size=(5, 40)), np.random.default_rng(0).normal(size=(5, 40))])
def test_a_trace_that_never_changes_directs_nothing(other):
    still = np.zeros((5, 40))
    assert info.directed_information(still, other).bits == info.directed_information(other, still).bits == 0


def test_times_that_are_no_numbers():
    with pytest.raises(DataError, match="times: found"):
        info.information_over_time(np.repeat([0, 1], 50), np.random.default_rng(0).normal(size=(100, 2)), times=["a", "b"])
