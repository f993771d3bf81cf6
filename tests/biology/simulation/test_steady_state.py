"""Steady states, sensitivities and scans against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.network import Network, Parameter, Reaction, Rule
from sciml.biology.simulation.scan import scan
from sciml.biology.simulation.sensitivities import sensitivities
from sciml.biology.simulation.steady_state import steady_state
from sciml.errors import ConfigError, ConvergenceError


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


@pytest.mark.parametrize(
    ("rates", "starts"), [({"x": "y", "y": "-x"}, {"x": 1.0, "y": 0.0}), ({"x": "1"}, {"x": 0.0}), ({"x": "0.1 * x"}, {"x": 1.0})]
)
def test_where_there_is_none(rates, starts):
    """An oscillator, a line, a growing exponential."""
    parameters = [Parameter(id, value, constant=False) for id, value in starts.items()]
    net = Network("none", parameters=parameters, rules=[Rule("rate", parse(f), id) for id, f in rates.items()])
    with pytest.raises(ConvergenceError, match="no steady state"):
        steady_state(net)


def test_sensitivities_of_a_decay_to_rate_and_start():
    net = Network("decay", species={"A": 2.0}, reactions=[Reaction.parse("r", "A ->", rate="k")], parameters={"k": 0.7, "unused": 1.0})
    found = sensitivities(net, [0.0, 1.0, 3.0], ["k", "A", "unused"])
    t = found.times
    np.testing.assert_allclose(found.select("A", "k"), -2 * t * np.exp(-0.7 * t), rtol=1e-7)
    np.testing.assert_allclose(found.select("A", "A"), np.exp(-0.7 * t), rtol=1e-7)
    assert not found.select("A", "unused").any() and found.method == "forward"


def test_sensitivities_across_a_pulse_whose_end_is_a_parameter():
    net = Network(
        "pulse", parameters=[Parameter("x", 0.0, constant=False), Parameter("w", 2.0)],
        rules=[Rule("rate", parse("piecewise(3, time < w, 0) - x"), "x")], species={"S": 0.0},
        reactions=[Reaction.parse("r", "-> S", law="x")],
    )  # fmt: skip
    found = sensitivities(net, [4.0], ["w"])
    assert found.method == "differences"
    assert found.select("S", "w")[0] == pytest.approx(3 * (1 - math.exp(-2.0)), rel=1e-5)


def test_a_grid_of_two_parameters_and_a_curve_at_rest():
    found = scan(reversible(), {"k1": [1.0, 2.0, 3.0], "k2": [1.0, 4.0]}, [0.0, 60.0])
    k1, k2 = np.meshgrid([1.0, 2.0, 3.0], [1.0, 4.0], indexing="ij")
    np.testing.assert_allclose(found.select("B")[..., -1], 4 * k1 / (k1 + k2), rtol=1e-8)
    assert found.mean.shape == (3, 2, 2, 2) and len(found.to_pandas()) == 12
    curve = scan(reversible(), {"k1": [1.0, 3.0]}, None, "steady_state")
    np.testing.assert_allclose(curve.select("B")[:, 0], [2.0, 3.0], rtol=1e-10)


def test_what_cannot_be_scanned_is_refused():
    for wrong in ({"values": {}}, {"values": {"k1": []}}, {"values": {"k1": [1.0]}, "method": "guess"}, {"values": {"nobody": [1.0]}}):
        with pytest.raises(ConfigError):
            scan(reversible(), **{"times": [1.0], **wrong})
