"""First-passage times of chains against closed forms; the sample (passage_sample) against the projection, |z| <= 4.5."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from sciml.biology.simulation.first_passage import first_passage
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death, extinction, telegraph


def _mean_to(goal: int, start: int, k: float, g: float) -> float:
    """Mean time of a birth-death chain upwards: h(i) = 1 / k + g i / k h(i - 1)."""
    steps = [1 / k]
    for i in range(1, goal):
        steps.append(1 / k + g * i / k * steps[-1])
    return sum(steps[start:goal])


def test_a_chain_has_its_mean_passage_time() -> None:
    found = first_passage(birth_death(10.0, start=2), "X >= 15")
    assert found.mean == pytest.approx(_mean_to(15, 2, 10.0, 1.0), rel=1e-9)
    assert found.reached == pytest.approx(1.0, abs=1e-9)


def test_a_switching_time_is_exponential() -> None:
    found = first_passage(telegraph(on=0.3), "On == 1", [1.0, 4.0])
    np.testing.assert_allclose(found.probability, 1 - np.exp(-0.3 * found.times), atol=1e-8)
    assert found.mean == pytest.approx(1 / 0.3, rel=1e-6)
    assert found.std == pytest.approx(1 / 0.3, rel=1e-6)


def test_what_may_never_come_has_its_probability() -> None:
    found = first_passage(extinction(), "X >= 20")
    assert found.reached == pytest.approx((1.2**8 - 1) / (1.2**20 - 1), rel=1e-9)
    died = first_passage(extinction(), "X == 0", [1.0, 3.0])
    q = [1.2 * (1 - np.exp(-0.2 * t)) / (1.2 - np.exp(-0.2 * t)) for t in (1.0, 3.0)]
    assert ((np.array(q) ** 8 - died.probability) >= -1e-12).all()
    np.testing.assert_allclose(died.probability, np.array(q) ** 8, atol=1e-8)


def test_a_condition_that_holds_at_the_start_takes_no_time() -> None:
    found = first_passage(birth_death(start=3), "X < 5", [0.0, 1.0])
    assert found.mean == 0.0
    assert found.probability.tolist() == [1.0, 1.0]


def test_the_sample_agrees_with_the_projection() -> None:
    n = 4000
    exact = first_passage(birth_death(10.0, start=2), "X >= 15", [1.0, 5.0, 20.0, 100.0])
    sample = first_passage(birth_death(10.0, start=2), "X >= 15", [1.0, 5.0, 20.0, 100.0], method="simulation", n=n, seed=3)
    spread = np.sqrt(exact.probability * (1 - exact.probability) / n)
    z = abs(sample.probability - exact.probability)[:3] / spread[:3]
    assert z.max() < 4.5
    assert abs(sample.mean - exact.mean) < 4.5 * exact.std / np.sqrt(n)
    again = first_passage(birth_death(10.0, start=2), "X >= 15", [100.0], method="simulation", n=50, seed=3, threads=1)
    assert again.sample is not None
    assert sample.sample is not None
    np.testing.assert_array_equal(again.sample, sample.sample[:50])


def test_conditions_that_are_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="'Z' is no symbol"):
        first_passage(birth_death(), "Z > 3")
    with pytest.raises(ConfigError, match="names time"):
        first_passage(birth_death(), "time > 3")
    with pytest.raises(ConfigError, match="found none"):
        first_passage(birth_death(), "X > 3", method="simulation")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"condition": ""}, "condition: found '', expected a formula"),
        ({"condition": None}, "condition: found None, expected a formula"),
        ({"condition": True}, "condition: found True, expected a formula"),
        ({"condition": "X + 5"}, "condition: found 'X + 5', which is a number; expected what is true or false"),
        ({"condition": "X >"}, "condition: formula 'X >': found 'the end'"),
        ({"net": "net"}, "net: found 'net', expected a Network"),
        ({"method": 3}, "method: found 3"),
        ({"n": True}, "n: found True, expected a whole number >= 1"),
        ({"seed": 2**64}, "seed: found 18446744073709551616, expected a whole number from 0"),
        ({"threads": 0}, "threads: found 0"),
        ({"tolerance": "small"}, "tolerance: found 'small', expected a number from 1e-14"),
        ({"max_states": 1.5}, "max_states: found 1.5, expected a whole number"),
        ({"initial": "up"}, "initial: found 'up'"),
        ({"discrete_mass_action": 1}, "discrete_mass_action: found 1, expected True or False"),
        ({"parameters": {"X": [1.0, 2.0]}}, "parameters: 'X': found an array, expected a number"),
        ({"times": [-1.0]}, "times: found -1"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        first_passage(**({"net": birth_death(), "condition": "X >= 3"} | options))
