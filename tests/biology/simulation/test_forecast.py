"""The forecast: reactions against closed forms, bytes against what is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sciml.biology import load_pathway, simulate_ssa
from sciml.biology.network import Network, Participant, Reaction, Species, Units
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import SMALL

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


FACTOR = 2.0
SHIPPED = {"telegraph": 1000.0, "signalling": 100.0, "feed-forward": 100.0, "mapk": 10.0, "chemotaxis": 10.0}


def counted(net: Network, end: float, n: int) -> float:
    """Reactions of a trajectory in the mean, by a species that every reaction makes one of."""
    one = Participant("fired")
    reactions = [replace(r, products=(*r.products, one)) for r in net.reactions]
    home = next((s.compartment for s in net.species), "cell")
    fired = Species("fired", 0.0, compartment=home)
    seen = net.with_(species=[fired], reactions=reactions)
    return float(simulate_ssa(seen, [end], n, seed=1, record="moments").select("fired")[0][0])


@pytest.mark.parametrize("name", sorted(SMALL))
@pytest.mark.parametrize("end", [3.0, 300.0])
def test_small_networks_within_a_factor_of_two(name: str, end: float) -> None:
    """Mean-field courses are a factor off at most, and what can only be lost is lost once."""
    net = SMALL[name]()
    true = counted(net, end, 4000)
    assert true / FACTOR <= net.forecast([end]).events <= true * FACTOR


@pytest.mark.parametrize("end", [1.0, 1e3, 1e9, 1e300])
def test_decays_are_bounded_by_what_there_is(end: float) -> None:
    chain = Network("chain", species={"A": 100, "B": 0, "C": 0}, reactions=[parse("f", "A -> B", rate=1.0), parse("g", "B -> C", rate=2.0)])
    a, c = np.exp(-end), (1 - np.exp(-end)) ** 2
    assert chain.forecast([end]).events == pytest.approx(100 * (1 - a + c), rel=0.02)
    pairs = SMALL["pairs"]().forecast([end]).events
    assert pairs <= 3.0 and (end < 10 or pairs > 3.0 / FACTOR)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_pathways_within_a_factor_of_two(name: str) -> None:
    net = load_pathway(name)
    true = counted(net, SHIPPED[name], 20)
    assert true / FACTOR <= net.forecast([SHIPPED[name]]).events <= true * FACTOR


def test_records_that_there_are_not():
    with pytest.raises(ConfigError, match="record: found 'all'"):
        SMALL["pairs"]().forecast([1.0], record="all")
