"""Starts of conditions: before initial assignments, in the quantity that an id means, with exact derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import Compartment, Network, Parameter, Reaction, Species
from sciml.biology.fitting.parameters import FitParameter
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.starts import Starts, Values, with_meant_starts
from sciml.biology.fitting.statement import Measurement, Observable
from sciml.biology.formula import parse
from sciml.biology.kernels.compiled import system_of
from sciml.errors import ConfigError, DataError
from tests.biology.fitting.problems import slopes_by_differences


def network() -> Network:
    return Network(
        "starts",
        compartments=[Compartment("c", 2.0)],
        species=[
            Species("A", 3.0, "c", initial_is_concentration=True, substance_only=False),
            Species("S", 4.0, "c", initial_is_concentration=False, substance_only=False),
            Species("N", 5.0, "c", initial_is_concentration=True, substance_only=True),
            Species("D", 0.0, "c"),
        ],
        parameters=[Parameter("k", 0.5), Parameter("total", 7.0)],
        reactions=[Reaction.parse("r", "A + S + N + D -> 0", law="k * A * S * N * D")],
        initial_assignments={"D": "total * c + A"},
    )


def starts(conditions, parameters=("total", "q")):
    table = tuple(FitParameter(id, 0.1, 10, nominal=value) for id, value in zip(parameters, (2.0, 1.5, 0.7), strict=False))
    problem = Problem(network(), table, {"c0": conditions}, (Observable("o", parse("A"), parse("1")),), (Measurement("o", "c0", 0, 1),))
    net = with_meant_starts(problem.network, set(conditions) | set(parameters))
    values = Values(problem)
    made = Starts(problem, system_of(net), values, ["c0"])
    return made, lambda v: values.row(np.asarray(v, dtype=float))


def amounts(made, row):
    return dict(zip(made.system.states, made.states(row)[0][0], strict=True))


def test_the_model_says_what_nobody_changes():
    made, row = starts({}, ("total", "k"))
    assert amounts(made, row([7.0, 0.5])) == {"A": 6.0, "S": 4.0, "N": 10.0, "D": 17.0}


def test_values_of_conditions_come_before_initial_assignments_and_mean_what_ids_mean():
    made, row = starts({"A": 1.0, "S": "q", "N": 9.0, "c": 4.0})
    assert amounts(made, row([2.0, 1.5])) == {"A": 4.0, "S": 6.0, "N": 9.0, "D": 2.0 * 4.0 + 1.0}
    made, row = starts({"D": "q", "c": 4.0})
    assert amounts(made, row([2.0, 1.5])) == {"A": 12.0, "S": 4.0, "N": 20.0, "D": 1.5}


def test_slopes_are_differences():
    made, row = starts({"A": "q", "N": "q", "c": "total"})
    at = np.array([2.0, 1.5])
    dy, dp = made.slopes(row(at))
    np.testing.assert_allclose(dy[0].T, slopes_by_differences(lambda v: made.states(row(v))[0][0], at), atol=1e-7)
    np.testing.assert_allclose(dp[0].T, slopes_by_differences(lambda v: made.states(row(v))[1][0], at), atol=1e-7)
    assert not np.any(np.concatenate([dy, dp], axis=2)[0][~made.moving])


@pytest.mark.parametrize(
    ("conditions", "parameters", "error", "words"),
    [
        ({"total": 3.0}, ("total",), DataError, "'total' stands in the table of parameters too"),
        ({"A": "nobody"}, ("total",), DataError, "'nobody' is no parameter"),
        ({"A": "A"}, ("total",), DataError, "'A' is no parameter"),
        ({}, ("r",), DataError, "'r' has the id of a reaction"),
    ],
)
def test_what_cannot_be_meant_is_refused(conditions, parameters, error, words):
    with pytest.raises(error, match=words):
        starts(conditions, parameters)


def test_what_a_rule_determines_cannot_be_given():
    from sciml.biology import Rule

    net = network().with_(parameters=[Parameter("x", constant=False)], rules=[Rule("assignment", parse("2 * k"), "x")])
    problem = Problem(net, (FitParameter("k", 0.1, 1, nominal=0.5),), {"c0": {"x": 1.0}}, (Observable("o", parse("A"), parse("1")),),
                      (Measurement("o", "c0", 0, 1),))  # fmt: skip
    with pytest.raises(ConfigError, match="assignment rule"):
        problem.log_likelihood()


def test_a_condition_may_name_a_parameter_of_the_model():
    made, row = starts({"A": "k"}, ("total",))
    assert amounts(made, row([2.0]))["A"] == 1.0
