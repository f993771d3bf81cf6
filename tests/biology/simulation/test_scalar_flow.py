"""The hazard integrated between jumps: waiting times by their exact law, moving values by closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from sciml.biology.network import Network, Parameter, Reaction, Rule, Units
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.scalar_runs import ScalarRuns

parse = Reaction.parse


def law(text: str):
    return parse("x", "->", law=text).law


def run(net: Network, times, n: int):
    molecules = in_molecules(net, n, 0)
    runs = ScalarRuns(molecules.jumps, np.asarray(times, dtype=float), 7, False)
    out, done = np.zeros((n, len(times), molecules.start.shape[1])), np.zeros(n, dtype=np.uint8)
    runs.run(0, molecules.start, molecules.parameters, 0, out, done, np.zeros(2, dtype=np.int64))
    assert done.all()
    return out, molecules.jumps.system.states


def test_waiting_times_under_a_changing_hazard():
    """One molecule dies at hazard 3 t^2: P(T <= t) = 1 - exp(-t^3)."""
    net = Network(species={"A": 1}, reactions=(parse("d", "A ->", law="3 * time^2 * A"),), units=Units(substance="item"))
    times = np.linspace(0, 2, 4001)
    out, _ = run(net, times, 600)
    waits = times[(out[:, :, 0] == 0).argmax(axis=1)] - 0.00025
    assert kstest(waits, lambda t: 1 - np.exp(-(np.maximum(t, 0) ** 3))).pvalue > 1e-3


def test_moving_values_and_their_records():
    """x' = y, y' = -x through its zeros, while molecules jump at a high rate."""
    net = Network(
        species={"A": 5, "B": 5}, parameters=[Parameter("x", 0.0, constant=False), Parameter("y", 1.0, constant=False)],
        reactions=(parse("f", "A -> B", rate=40.0), parse("b", "B -> A", rate=40.0)),
        rules=(Rule("rate", law("y"), "x"), Rule("rate", law("0 - x"), "y")), units=Units(substance="item"),
    )  # fmt: skip
    times = np.array([0.1, 1.0, 3.14159, 6.0])
    out, states = run(net, times, 3)
    assert out[:, :, states.index("x")] == pytest.approx(np.broadcast_to(np.sin(times), (3, 4)), abs=1e-6)
    assert out[:, :, states.index("y")] == pytest.approx(np.broadcast_to(np.cos(times), (3, 4)), abs=1e-6)
