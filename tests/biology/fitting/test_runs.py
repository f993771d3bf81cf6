"""Which runs are made, and what a run takes over from the steady state before it."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import Network, Reaction
from sciml.biology.fitting.parameters import FitParameter
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.statement import Measurement, Observable
from sciml.biology.formula import parse
from sciml.errors import ConvergenceError
from tests.biology.fitting.problems import chain, chain_exact


def birth() -> Network:
    """0 -> X -> 0 with the steady state b / d."""
    reactions = [Reaction.parse("r", "-> X", rate="b"), Reaction.parse("s", "X -> 0", rate="d")]
    return Network(
        "birth",
        species={"X": 1.0, "Y": 2.0},
        parameters={"b": 6.0, "d": 2.0},
        reactions=[*reactions, Reaction.parse("t", "Y -> 0", rate="d")],
    )


def predicted(net, rows, conditions, observables=("X",)):
    made = tuple(Observable(o, parse(o), parse("1")) for o in observables)
    parameters = (FitParameter("d", 0.1, 10, nominal=2.0),)
    return Problem(net, parameters, conditions, made, tuple(rows)).objective.predictions(np.array([2.0]))


def test_conditions_have_their_own_times_and_rows_their_order():
    rows = [
        Measurement(o, c, t, 1)
        for o, c, t in (("B", "fast", 8), ("A", "slow", 2), ("A", "fast", 0.5), ("A", "slow", 0), ("A", "fast", 0.5))
    ]
    net = chain()
    found = predicted(net, rows, {"slow": {"k": 0.1}, "fast": {"k": 3.0}}, ("A", "B"))
    exact = lambda k, t: chain_exact(np.array(float(t)), k, 2.0)  # noqa: E731
    wanted = [exact(3.0, 8)[1], exact(0.1, 2)[0], exact(3.0, 0.5)[0], 10.0, exact(3.0, 0.5)[0]]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def test_states_are_kept_unless_the_condition_names_them():
    rows = [Measurement(o, "after", t, 1, before="rest") for t in (0.0, 1.0) for o in ("X", "Y")]
    found = predicted(birth(), rows, {"rest": {"b": 10.0}, "after": {"Y": 3.0}}, ("X", "Y"))
    np.testing.assert_allclose(found, [5.0, 3.0, 3.0 + 2.0 * np.exp(-2.0), 3.0 * np.exp(-2.0)], rtol=1e-7)


def test_a_measurement_at_infinity_is_at_the_steady_state():
    rows = [Measurement("X", "c", np.inf, 1), Measurement("X", "c", 0.0, 1), Measurement("X", "slow", np.inf, 1, before="c")]
    np.testing.assert_allclose(predicted(birth(), rows, {"c": {}, "slow": {"b": 0.5}}), [3.0, 1.0, 0.25], rtol=1e-7)


def test_where_there_is_no_steady_state_it_is_said():
    net = birth().with_(without=["s"])
    with pytest.raises(ConvergenceError, match="'X' comes to no steady state"):
        predicted(net, [Measurement("X", "c", np.inf, 1)], {"c": {}})
