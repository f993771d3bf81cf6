"""The forecast: reactions against closed forms, bytes against what is kept."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import simulate_ssa
from sciml.biology.network import Network, Reaction, Units
from sciml.errors import ConfigError

parse = Reaction.parse


def test_reactions_and_bytes():
    """0 -> X -> 0 from 0: k t births, k t - (k / g)(1 - exp(-g t)) deaths in the mean."""
    k, g, t = 10.0, 0.5, 8.0
    net = Network(species={"X": 0}, reactions=(parse("b", "-> X", rate=k), parse("d", "X ->", rate=g)), units=Units(substance="item"))
    found = net.forecast(np.linspace(0, t, 21), 1000)
    assert found.events == pytest.approx(2 * k * t - k / g * (1 - np.exp(-g * t)), rel=1e-2)
    assert found.bytes == simulate_ssa(net, np.linspace(0, t, 21), 1000).states.nbytes
    assert found.kernel == "lanes32" and 0 < found.seconds < 1 and "reactions" in str(found)
    assert found.to_dict()["n"] == 1000
    assert net.forecast([t], 10**6).seconds > 100 * found.seconds


def test_large_runs_are_seen_before_they_begin():
    net = Network(species={"A": 1000, "B": 0}, reactions=(parse("f", "A -> B", rate=1e6), parse("b", "B -> A", rate=1e6)))
    found = net.forecast([1.0], 1000)
    assert found.events == pytest.approx(1e9, rel=0.01) and found.seconds > 60


def test_a_timed_model_and_options():
    net = Network(species={"A": 0}, reactions=(parse("b", "-> A", law="3 * (1 + sin(5 * time))"),), units=Units(substance="item"))
    found = net.forecast([2.0], 5)
    assert found.events == pytest.approx(3 * (2 + (1 - np.cos(10)) / 5), rel=0.01) and found.kernel == "scalar64"
    with pytest.raises(ConfigError, match="n:"):
        net.forecast([1.0], 0)
