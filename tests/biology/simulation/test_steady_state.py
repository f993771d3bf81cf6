"""Steady states against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.network import Network, Parameter, Reaction, Rule
from sciml.biology.simulation.steady_state import steady_state
from sciml.errors import ConvergenceError
from tests.biology.simulation import rate_rules


def reversible():
    return Network(
        "reversible",
        species={"A": 3.0, "B": 1.0},
        reactions=[Reaction.parse("f", "A -> B", rate="k1"), Reaction.parse("r", "B -> A", rate="k2")],
        parameters={"k1": 2.0, "k2": 1.0},
    )


def test_a_conserved_sum_stays_and_its_eigenvalue_is_left_out():
    found = steady_state(reversible())
    np.testing.assert_allclose(found.amounts, [4 / 3, 8 / 3], rtol=1e-12)
    np.testing.assert_allclose(found.eigenvalues, [-3.0], rtol=1e-10)
    assert found.stable and found.residual < 1e-12
    np.testing.assert_allclose(steady_state(reversible(), {"k1": 1.0}).amounts, [2, 2], rtol=1e-12)


def test_gene_expression_at_rest():
    reactions = [
        Reaction.parse("transcribe", "-> M", law="v / (1 + (P / 20)^2)"),
        Reaction.parse("m", "M ->", rate=0.5),
        Reaction.parse("translate", "-> P", law="3 * M"),
        Reaction.parse("p", "P ->", rate=0.1),
    ]
    found = steady_state(Network("gene", species={"M": 0.0, "P": 0.0}, reactions=reactions, parameters={"v": 4.0}))
    m, p = found.amounts
    np.testing.assert_allclose([0.5 * m * (1 + (p / 20) ** 2), p], [4.0, 30 * m], rtol=1e-11)
    assert found.stable


def test_a_rate_that_fades_with_time_and_hangs_on_what_nothing_changes():
    """x = g / (2 (1 + t)), dg/dt = 0: Newton's method must not balance the last bit of dx/dt by moving g."""
    found = steady_state(rate_rules.rates({"g": (1.0, "0"), "x": (0.5, "-g * 0.5 / (1 + time)^2"), "y": (0.0, "1 - g * y")}))
    assert found.select("g") == 1.0 and found.select("y") == pytest.approx(1.0, rel=1e-12)
    assert found.select("x") == pytest.approx(0.5 / (1 + found.time), abs=1e-7)
    np.testing.assert_allclose(found.eigenvalues, [-1.0], rtol=1e-12)
    assert found.stable and found.residual < 1e-12


@pytest.mark.parametrize(
    ("rates", "starts"), [({"x": "y", "y": "-x"}, {"x": 1.0, "y": 0.0}), ({"x": "1"}, {"x": 0.0}), ({"x": "0.1 * x"}, {"x": 1.0})]
)
def test_where_there_is_none(rates, starts):
    """An oscillator, a line, a growing exponential."""
    parameters = [Parameter(id, value, constant=False) for id, value in starts.items()]
    net = Network("none", parameters=parameters, rules=[Rule("rate", parse(f), id) for id, f in rates.items()])
    with pytest.raises(ConvergenceError, match="no steady state"):
        steady_state(net)
