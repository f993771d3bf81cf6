"""The gradient of information against differences of the enumerated channel, |z| <= 4."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from sciml.biology.channel import Channel
from sciml.biology.distributions import LogNormal
from sciml.biology.measurement import Measurement
from sciml.biology.transmission.gradient import information_gradient
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death

DOSES = np.array([2.0, 10.0, 40.0])


def _law(g: float, reading: float | None = None) -> np.ndarray:
    """p(count at time 3 | k) from an empty start: Poisson; counts of counts where they are read by an instrument."""
    mean, y = DOSES[:, None] / g * (1 - np.exp(-3 * g)), np.arange(150)
    law = poisson.pmf(y, mean)
    return law if reading is None else law @ poisson.pmf(np.arange(400), reading * y[:, None])


def _bits(law: np.ndarray, p: np.ndarray) -> float:
    return float(np.sum(p[:, None] * np.where(law > 0, law * np.log2(law / (p @ law) + (law == 0)), 0.0)))


@pytest.mark.parametrize(("reading", "p"), [(None, [0.2, 0.5, 0.3]), (2.0, [0.5, 0.5, 0.0])])
def test_birth_and_death_against_enumeration(reading: float | None, p: list[float]) -> None:
    law, measurement = np.array(p), None if reading is None else Measurement(poisson=reading)
    channel = Channel.from_network(birth_death(), "k", "X", DOSES, [3.0], n=2000, measurement=measurement)
    found = information_gradient(channel, law, ["g"], 1)["g"]
    truth = (_bits(_law(1.001, reading), law) - _bits(_law(0.999, reading), law)) / 0.002
    assert found.at == 1.0
    assert abs(found.value - truth) <= 4 * found.standard_error
    assert found.standard_error < 0.5 * abs(truth)


def test_cells_of_a_pair_are_the_same_cell() -> None:
    channel = Channel.from_network(birth_death(), "k", "X", DOSES, [1.0, 3.0], n=300, extrinsic={"X": LogNormal(0.5, mean=4.0)})
    found = information_gradient(channel, np.full(3, 1 / 3), ["g"], 0)["g"]
    assert found.value < 3 * found.standard_error


@pytest.mark.parametrize(
    ("options", "wrt", "said"),
    [({}, "k", "not the dose"), ({}, "q", "'q'"), ({"parameters": {"g": 0.0}}, "g", "'g' is 0"), ({"method": "tau"}, "g", "method='ssa'"),
     ({"start": 1.0}, "g", "start='given'")],
)  # fmt: skip
def test_faults_are_named(options: dict, wrt: str, said: str) -> None:
    channel = Channel.from_network(birth_death(), "k", "X", DOSES, [3.0], n=10, **options)
    with pytest.raises(ConfigError, match=said):
        information_gradient(channel, np.full(3, 1 / 3), [wrt], 0)
    with pytest.raises(ConfigError, match="no simulated model"):
        information_gradient(Channel.from_matrix(np.eye(2)), np.full(2, 0.5), ["g"], 0)
