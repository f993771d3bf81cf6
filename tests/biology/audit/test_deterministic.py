"""Each check of a deterministic run passes on the simulator and fails on a broken twin of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sciml.biology.audit import deterministic
from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.ode import simulate_ode

NET = Network(
    "dimers",
    species={"A": 30, "B": 0},
    parameters={"k": 0.05, "kr": 0.25},
    reactions=[Reaction.parse("join", "2 A -> B", rate="k"), Reaction.parse("split", "B -> 2 A", law="kr * B")],
)
TIMES = np.linspace(0, 3, 11)


def verdicts(simulate=simulate_ode, net=NET) -> dict[str, str]:
    return {row.name: row.verdict for row in deterministic.rows(net, TIMES, simulate)}


def test_the_simulator_passes():
    assert set(verdicts().values()) == {"pass"}


def leaking(net, times, **options):
    run = simulate_ode(net, times, **options)
    return replace(run, states=run.states * (1 + 1e-4 * run.times[:, None]))


def coarse(net, times, method="auto", **options):
    return simulate_ode(net, times, method=method) if method == "scipy" else simulate_ode(net, times, rtol=1e-2, atol=1.0)


def looking(net, times, **options):
    """The end depends on how often one looks."""
    run = simulate_ode(net, times, **options)
    return replace(run, states=run.states * (1 + 1e-3 * len(run.times)))


@pytest.mark.parametrize(
    ("twin", "row"), [(leaking, "conservation (deterministic)"), (coarse, "another integrator"), (looking, "another grid of times")]
)
def test_a_broken_twin_fails(twin, row):
    assert verdicts(twin)[row] == "fail"


def test_a_wrong_derivative_fails(monkeypatch):
    right = deterministic.jacobian
    monkeypatch.setattr(deterministic, "jacobian", lambda net: right(net) * 1.01)
    assert verdicts()["Jacobian against differences"] == "fail"


def test_a_run_that_fails_is_a_failed_row():
    net = NET.with_(reactions=[Reaction.parse("split", "B -> 2 A", law="kr * B / (A - A)")])
    rows = list(deterministic.rows(net, TIMES))
    assert ([row.verdict for row in rows] == ["fail"] and "split" in rows[0].reason) or "not finite" in rows[0].reason


def test_the_horizon_follows_the_slowest_relaxation():
    decay = Network("decay", species={"A": 10}, parameters={"k": 0.5}, reactions=[Reaction.parse("r", "A -> ", law="k * A")])
    assert deterministic.horizon(decay) == pytest.approx(10.0)
    assert deterministic.horizon(decay.set(A=1e9)) == pytest.approx(1e5 / 5e8)
    assert deterministic.horizon(Network("nothing")) == 1.0
