"""The capacity of a model in one call, against enumeration and Blahut-Arimoto: |z| <= 4, and in the long test the interval."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import poisson

from sciml import biology as bio
from sciml.biology.information.capacity import capacity
from sciml.biology.transmission.model_capacity import capacity_of_model
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death

DOSES = np.array([1.0, 4.0, 12.0, 30.0])


def _exact(doses: np.ndarray, g: float, reading: float) -> float:
    """Capacity of the stationary Poisson law of X, each molecule read as a Poisson number of counts."""
    x, y = np.arange(120), np.arange(300)
    return capacity(poisson.pmf(x, doses[:, None] / g) @ poisson.pmf(y, reading * x[:, None])).bits


def test_birth_and_death_with_a_poisson_read_out() -> None:
    reading = bio.Measurement(poisson=1.5)
    found = bio.capacity_of_model(birth_death(), "k", "X", [12.0], doses=DOSES, n=600, measurement=reading, wrt=["g"], seed=4)
    exact = _exact(DOSES, 1.0, 1.5)
    assert abs(found.bits - exact) <= 4 * found.capacity.standard_error  # the 95 % interval itself is held in the long test
    assert found.high - found.low < 0.25
    truth = (_exact(DOSES, 1.01, 1.5) - _exact(DOSES, 0.99, 1.5)) / 0.02
    assert abs(found.gradient["g"].value - truth) <= 4 * found.gradient["g"].standard_error
    assert found.forecast is not None
    assert found.forecast.n == 2400
    assert found.forecast.events == pytest.approx(2 * 12 * DOSES.mean(), rel=0.15)
    json.dumps(found.to_dict())
    titles = [section.title for section in found.to_sections()]
    assert titles == ["Responses", "Capacity", "What moves the capacity"]


def test_doses_follow_from_the_network() -> None:
    found = capacity_of_model(birth_death(k=3.0), "k", "X", [2.0], n=30)
    np.testing.assert_allclose(found.channel.doses, 3.0 * 10 ** np.linspace(-1.5, 1.5, 10))
    assert found.gradient == {}
    with pytest.raises(ConfigError, match="states 0 for 'X'"):
        capacity_of_model(birth_death(), "X", "X", [1.0])
    with pytest.raises(ConfigError, match="'kk'"):
        capacity_of_model(birth_death(), "kk", "X", [1.0])
    with pytest.raises(ConfigError, match="beyond the budget"):
        capacity_of_model(birth_death(), "k", "X", [1e4], doses=DOSES, budget=1e-6)


@pytest.mark.long
def test_enumeration_lies_inside_the_interval(measured) -> None:  # type: ignore[no-untyped-def]
    """20 seeds of the acceptance case: nominal 95 %, at least 17 cover."""
    exact, inside = _exact(DOSES, 1.0, 1.5), 0
    for seed in range(20):
        found = capacity_of_model(birth_death(), "k", "X", [12.0], doses=DOSES, measurement=bio.Measurement(poisson=1.5), seed=seed)
        inside += found.low <= exact <= found.high
    measured("capacity_of_model, birth and death with a Poisson read-out", f"{inside} of 20 intervals hold {exact:.4f} bit", "inside")
    assert inside >= 17


@pytest.mark.parametrize("options", [{"method": "ode", "measurement": bio.Measurement(poisson=1.5)}, {"start": "steady_state"}])
def test_other_methods_and_starts_without_a_gradient(options: dict) -> None:
    found = bio.capacity_of_model(birth_death(), "k", "X", [12.0], doses=DOSES, n=40, **options)
    assert 0.5 < found.bits < 2 and not found.gradient
