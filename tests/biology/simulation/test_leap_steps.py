"""The step rule of Cao, Gillespie and Petzold, for any law, and the mean firings along a leap."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.network import Network
from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.simulation.leap_steps import expected, leaps_of, longest_leap, scratch
from tests.biology.simulation.small_networks import birth_death, parse


def _step(network: Network, y: list[float], epsilon: float, least: float = 1.0) -> float:
    leaps = leaps_of(jump_model(network, "test"))
    tables = leaps.code.tables
    room = scratch(len(tables.starts) - 1, len(tables.channel), len(y))
    values = leaps.keepers[1](0.0, np.array(y), jump_model(network, "test").molecules.parameters[0])
    return float(longest_leap(tables, values, np.array(y), room.critical, epsilon, least, room.work))


def test_a_decay_changes_by_its_share() -> None:
    network = Network("decay", species={"X": 1000}, reactions=[parse("d", "X ->", rate=2.0)])
    assert _step(network, [1000.0], 0.03) == pytest.approx(0.03 / 2)


def test_a_dimer_counts_twice_and_a_little_more() -> None:
    """g = 2 + 1 / (x - 1) of the paper; mean change 2 a."""
    network = Network("pairs", species={"X": 1000}, reactions=[parse("bind", "2 X ->", rate=1e-3)])
    rate = 1e-3 * 1000 * 999
    by_change = 0.01 * 1000 / (2 + 1 / 999) / (2 * rate)
    by_relaxation = 0.01 / (2 * 1e-3 * 1999)
    assert _step(network, [1000.0], 0.01) == pytest.approx(min(by_change, by_relaxation))


def test_at_rest_relaxation_and_spread_limit_the_step() -> None:
    assert _step(birth_death(1e6), [1e6], 0.03) == pytest.approx(0.03)
    assert _step(birth_death(100.0), [100.0], 0.03) == pytest.approx(3**2 / 200 if 3**2 / 200 < 0.03 else 0.03)
    assert _step(birth_death(10.0), [10.0], 0.03, least=0.25) == pytest.approx(0.3**2 / 20)


def test_mean_firings_follow_the_rate_equations() -> None:
    network = Network("decay", species={"X": 1000}, reactions=[parse("d", "X ->", rate=2.0)])
    model = jump_model(network, "test")
    leaps, out = leaps_of(model), np.zeros(1)
    room = scratch(1, 1, 1)
    y, p, values = np.array([1000.0]), model.molecules.parameters[0], np.array([2000.0, 2.0])
    assert expected(leaps.code, 0.0, 0.01, 0.01, y, p, values, room.critical, False, out, room.work)
    assert out[0] == pytest.approx(1000 * (1 - np.exp(-0.02)), rel=1e-8)
