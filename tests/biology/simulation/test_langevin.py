"""The Langevin equation (langevin_loop) against exact moments where numbers exceed ten; what it does at zero is named and measured."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.formula import as_expression
from sciml.biology.network import Event, Network
from sciml.biology.simulation.langevin import simulate_langevin
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death, dimerisation, extinction, parse

_N = 4000


@pytest.mark.parametrize(("k", "start"), [(50.0, 0.0), (200.0, 400.0), (1e6, 1e6)])
def test_birth_and_death(k: float, start: float) -> None:
    """Bias <= 0.05 sd and spread within 5 %, each beside 4.5 standard errors."""
    network, times = birth_death(k, 1.0, start), [0.3, 1.0, 5.0]
    found, exact = simulate_langevin(network, times, n=_N, seed=1), linear_noise(network, times)
    assert (abs(found.mean - exact.mean) / exact.std < 0.05 + 4.5 / np.sqrt(_N)).all()
    assert (abs(found.std / exact.std - 1) < 0.05 + 4.5 / np.sqrt(2 * _N)).all()


def test_dimers() -> None:
    reactions = [parse("bind", "2 X -> Y", rate=0.002), parse("split", "Y -> 2 X", rate=0.4)]
    network, times = Network("dimers", species={"X": 400, "Y": 0}, reactions=reactions), [0.2, 2.0]
    law = finite_state_projection(network, times)
    found = simulate_langevin(network, times, n=_N, seed=1)
    assert (abs(found.mean - law.mean) / law.std < 0.05 + 4.5 / np.sqrt(_N)).all()
    assert (abs(found.std / law.std - 1) < 0.05 + 4.5 / np.sqrt(2 * _N)).all()
    x, y = np.moveaxis(found.amounts, -1, 0)
    np.testing.assert_allclose(x + 2 * y, 400, rtol=1e-12)  # noise by reaction keeps totals


def test_zero_is_named_and_measured() -> None:
    free = simulate_langevin(extinction(), [30.0], n=300, seed=2)
    assert free.boundary == "free"
    assert free.time_at_zero.shape == (300, 1)
    assert 5 < free.time_at_zero.mean() < 30  # most have died out
    assert free.amounts.min() < 0
    reflected = simulate_langevin(dimerisation(), [5.0], n=300, seed=2, boundary="reflect")
    assert reflected.amounts.min() >= 0
    assert reflected.boundary == "reflect"


def test_amounts_are_real_and_there_are_no_counts() -> None:
    found = simulate_langevin(birth_death(start=20.5), [0.0, 1.0], n=10)
    assert (found.amounts[:, 0, 0] == 20.5).all()
    with pytest.raises(ConfigError, match="real numbers"):
        _ = found.counts


def test_bits_depend_on_seed_and_index_alone() -> None:
    whole = simulate_langevin(dimerisation(), [0.5, 1.0], n=100, seed=5)
    np.testing.assert_array_equal(simulate_langevin(dimerisation(), [0.5, 1.0], n=9, seed=5, threads=1).states, whole.states[:9])


def test_an_event_at_a_known_time_is_made() -> None:
    """Reset to 50 at time 5: an event that ends at the time asked for is seen after it."""
    event = Event("reset", as_expression("time >= 5"), (("X", as_expression("50")),))
    network = birth_death(10.0, 1.0, start=100.0).with_(events=[event])
    found = simulate_langevin(network, [1.0, 5.0, 6.0], n=_N, seed=3)
    assert (found.amounts[:, 1, 0] == 50).all()
    mean, variance = 10 + 40 * np.exp(-1), 10 * (1 - np.exp(-1)) + 50 * np.exp(-1) * (1 - np.exp(-1))
    assert abs(found.mean[2, 0] - mean) < (0.05 + 4.5 / np.sqrt(_N)) * np.sqrt(variance)
    assert abs(found.std[2, 0] / np.sqrt(variance) - 1) < 0.05 + 4.5 / np.sqrt(2 * _N)
    by_state = birth_death().with_(events=[Event("full", as_expression("X > 5"), (("X", as_expression("0")),))])
    with pytest.raises(ConfigError, match="event 'full'"):
        simulate_langevin(by_state, [1.0], n=2)


def test_options_that_are_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="boundary"):
        simulate_langevin(birth_death(), [1.0], boundary="clip")  # type: ignore[arg-type]
