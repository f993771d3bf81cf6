"""Sensitivities against closed forms, steady states, and which systems have sensitivities."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import Event, Network, Parameter, Reaction
from sciml.biology.fitting.flow import Flow, SensitiveFlow, differentiable
from sciml.biology.formula import parse
from sciml.biology.kernels.compiled import system_of
from sciml.biology.simulation.equations import equations_of
from sciml.errors import ConvergenceError
from tests.biology.fitting.problems import TIMES, chain, chain_exact, slopes_by_differences


def moving(system, *ids):
    """dp of these parameters, each by itself."""
    found = np.zeros((len(ids), len(system.parameters)), dtype=bool)
    for k, id in enumerate(ids):
        found[k, system.parameters.index(id)] = True
    return found


def test_sensitivities_of_a_chain_are_those_of_its_closed_form():
    system = system_of(chain())
    dp = moving(system, "k", "d")
    flow = SensitiveFlow(system, 1e-8, dp)
    y, p = system.begin()
    dy = np.zeros((1, 2, 2))
    joined = flow.joined(y[None], p[None], dy, dp[None].astype(float))
    states, slopes = flow.parted(flow.flow.run(*(a[None] for a in joined), TIMES)[0, 0])
    exact = lambda v: np.stack(chain_exact(TIMES, *v))  # noqa: E731
    np.testing.assert_allclose(states.T, exact([0.5, 0.2]), rtol=1e-7)
    wanted = slopes_by_differences(exact, np.array([0.5, 0.2]))
    np.testing.assert_allclose(slopes, wanted.transpose(1, 2, 0), rtol=1e-5, atol=1e-7)


def test_a_start_moves_its_run():
    system = system_of(chain())
    flow = SensitiveFlow(system, 1e-8, np.zeros((1, len(system.parameters)), dtype=bool))
    y, p = system.begin()
    joined = flow.joined(y[None], p[None], np.array([[[1.0, 0.0]]]), np.zeros((1, 1, len(p))))
    states, slopes = flow.parted(flow.flow.run(*(a[None] for a in joined), TIMES)[0, 0])
    np.testing.assert_allclose(slopes[:, 0], states / 10.0, rtol=1e-6)


def test_steady_states_and_their_sensitivities():
    reactions = [Reaction.parse("f", "A -> B", rate="k"), Reaction.parse("b", "B -> A", rate="d")]
    system = system_of(Network("switch", species={"A": 6.0, "B": 0.0}, parameters={"k": 0.03, "d": 0.01}, reactions=reactions))
    y, p = system.begin()
    np.testing.assert_allclose(Flow(system, 1e-8).steady(y[None, None], p[None, None])[0, 0], [1.5, 4.5], rtol=1e-7)
    dp = moving(system, "k", "d")
    flow = SensitiveFlow(system, 1e-8, dp)
    joined = flow.joined(y[None], p[None], np.zeros((1, 2, 2)), dp[None].astype(float))
    slopes = flow.parted(flow.flow.steady(*(a[None] for a in joined))[0, 0])[1]
    share = lambda v: np.array([6 * v[1], 6 * v[0]]) / v.sum()  # noqa: E731
    np.testing.assert_allclose(slopes.T, slopes_by_differences(share, np.array([0.03, 0.01]), 1e-6), rtol=1e-4)


def test_an_oscillator_has_no_steady_state():
    reactions = [Reaction.parse("a", "-> X", law="w * Y"), Reaction.parse("b", "Y -> 0", law="w * X")]
    system = system_of(Network("circle", species={"X": 0.0, "Y": 1.0}, parameters={"w": 1.0}, reactions=reactions))
    y, p = system.begin()
    with pytest.raises(ConvergenceError, match="steady state"):
        Flow(system, 1e-4).steady(y[None, None], p[None, None])


def says(net: Network, *ids: str) -> bool:
    system = system_of(net)
    return differentiable(system, equations_of(system), moving(system, *ids))


def test_what_jumps_when_states_or_fitted_parameters_say_so_has_no_sensitivities():
    pulse = chain().with_(
        parameters=[Parameter("on", 1.0), Parameter("off", 2.0)],
        reactions=[Reaction.parse("r", "A -> B", law="k * A * piecewise(1, time < off, 0)")],
    )
    assert says(chain(), "k") and says(pulse, "k") and not says(pulse, "k", "off")
    assert not says(chain().with_(reactions=[Reaction.parse("r", "A -> B", law="k * piecewise(A, A > 3, 0)")]), "k")
    assert not says(chain().with_(events=[Event("e", parse("time > 1"), (("A", parse("5")),))]), "k")
