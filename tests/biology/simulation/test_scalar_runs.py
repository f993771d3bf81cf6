"""Trajectories with stops: break points, triggers that drift, events beside moving values."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import simulate_ssa
from sciml.biology.network import Event, Network, Parameter, Reaction, Rule, Units
from sciml.errors import DataError

parse = Reaction.parse


def law(text: str):
    return parse("x", "->", law=text).law


def test_a_trigger_on_what_moves():
    """x' = 1 from 0; at x > 1.25 it is set back and A counts: at t = 10 eight times."""
    net = Network(
        species={"A": 0, "B": 3}, parameters=[Parameter("x", 0.0, constant=False)], reactions=(parse("d", "B ->", rate=0.5),),
        rules=(Rule("rate", law("1"), "x"),), units=Units(substance="item"),
        events=(Event("back", law("x > 1.25"), (("x", law("0")), ("A", law("A + 1")))),),
    )  # fmt: skip
    ensemble = simulate_ssa(net, [1.2, 1.3, 10.1], n=20, seed=1)
    assert (ensemble.counts[..., 0] == [0, 1, 8]).all()
    assert np.allclose(ensemble.select("x"), [1.2, 0.05, 0.1], atol=1e-6)


def test_periodic_break_points():
    """Births in the first quarter of every unit of time: Poisson of mean 5 a unit."""
    net = Network(
        species={"A": 0}, reactions=(parse("b", "-> A", law="piecewise(20, rem(time, 1) < 0.25, 0)"),), units=Units(substance="item")
    )
    counts = simulate_ssa(net, [0.25, 1.0, 4.0], n=800, seed=2).counts[..., 0]
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (abs(counts.mean(axis=0) - [5, 5, 20]) < 4.5 * np.sqrt(np.array([5, 5, 20]) / 800)).all()


def test_priorities_and_persistence():
    events = (
        Event("low", law("time >= 1"), (("A", law("A * 2")),), priority=law("1")),
        Event("high", law("time >= 1"), (("A", law("A + 3")),), priority=law("5"), values_at_trigger=False),
        Event("taken back", law("time >= 2 && time < 2.5"), (("A", law("0")),), delay=law("1"), persistent=False),
    )
    events = (Event("low", law("time >= 1"), (("A", law("A * 2")),), priority=law("1"), values_at_trigger=False), *events[1:])
    net = Network(species={"A": 1}, reactions=(parse("d", "A ->", rate=1e-12),), units=Units(substance="item"), events=events)
    assert (simulate_ssa(net, [0.5, 1.0, 4.0], n=4).counts[..., 0] == [1, 8, 8]).all()


def test_rules_that_run_away_are_an_error():
    net = Network(
        species={"A": 3}, parameters=[Parameter("x", 1.0, constant=False)], reactions=(parse("d", "A ->", law="A * x"),),
        rules=(Rule("rate", law("x^2"), "x"),), units=Units(substance="item"),
    )  # fmt: skip
    with pytest.raises(DataError, match=r"at time (0\.9|1)"):
        simulate_ssa(net, [2.0], n=1)
