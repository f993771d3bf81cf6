"""A decoder on growing traces against the information of counts: a Poisson process tells its rate by its count alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from sciml.biology.network import Network, Reaction
from sciml.biology.transmission.decoding import decoded_course
from sciml.biology.transmission.trajectory_rate import trajectory_rate
from sciml.errors import ConfigError


def _counter() -> Network:
    return Network("counter", species={"X": 0}, parameters={"k": 1.0}, reactions=[Reaction.parse("make", "-> X", rate="k")])


def _bits(doses: np.ndarray, t: float) -> float:
    law = poisson.pmf(np.arange(60), doses[:, None] * t)
    return float(np.sum(np.where(law > 0, law * np.log2(law / law.mean(axis=0) + (law == 0)), 0.0)) / len(doses))


def test_a_counter_tells_what_its_last_count_tells() -> None:
    """The trace of a Poisson process says no more of its rate than the count at its end: |z| <= 4 with the decoder's own error."""
    doses, times = np.array([2.0, 3.0, 5.0]), np.array([0.5, 1.0, 2.0])
    found = decoded_course(_counter(), "k", "X", doses, times, 400, 1, {})
    np.testing.assert_array_equal(found.times, times)
    exact = np.array([_bits(doses, t) for t in times])
    assert (np.abs(found.bits - exact) <= 4 * found.errors).all()
    rate = trajectory_rate(_counter(), "k", "X", "decoding", doses=doses, times=times, n=400, seed=1, transient=0.5)
    assert rate.approximation == "decoder"
    assert rate.rate == pytest.approx((found.bits[2] - found.bits[0]) / 1.5)
    assert "lower bound" in rate.sentence()


def test_requests_that_cannot_be_meant() -> None:
    with pytest.raises(ConfigError, match="at least three above 0"):
        decoded_course(_counter(), "k", "X", [1.0, 2.0], [1.0, 2.0], 20, 0, {})
    with pytest.raises(ConfigError, match="'decoding' needs them"):
        trajectory_rate(_counter(), "k", "X", "decoding", times=[1.0, 2.0, 3.0])
    with pytest.raises(ConfigError, match="no other method takes them"):
        trajectory_rate(_counter(), "k", "X", "gaussian", doses=[1.0, 2.0])
