"""Steady states against closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sciml.biology.formula import parse
from sciml.biology.network import Network, Parameter, Reaction, Rule
from sciml.biology.sbml.read import load_sbml
from sciml.biology.simulation.steady_state import steady_state
from sciml.errors import ConfigError, ConvergenceError
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


def test_what_only_adds_up_is_left_out_and_named():
    """X comes to rest; D counts what was degraded, for ever."""
    reactions = [Reaction.parse("in", "-> X", rate=6.0), Reaction.parse("out", "X -> D", rate=2.0)]
    net = Network("sink", species={"X": 0.0, "D": 1.0}, reactions=reactions)
    found = steady_state(net)
    assert found.select("X") == pytest.approx(3.0, rel=1e-12) and np.isnan(found.select("D"))
    assert found.drifts == {"D": pytest.approx(6.0, rel=1e-12)}
    np.testing.assert_allclose(found.eigenvalues, [-2.0], rtol=1e-10)
    assert found.stable and found.residual < 1e-12 and found.to_dict()["amounts"]["D"] is None


@pytest.mark.parametrize(
    ("rates", "starts", "said"),
    [
        ({"x": "y", "y": "-x"}, {"x": 1.0, "y": 0.0}, "goes up and down between -[01]"),
        ({"x": "1"}, {"x": 0.0}, r"'x' .* grows by 1 per time .* to the power 1$"),
        ({"x": "0.1 * x"}, {"x": 1.0}, "'x' .* grows by"),
        ({"x": "-x^6", "y": "0"}, {"x": 1.0, "y": 2.0}, r"'x' .* falls by .* to the power -0.2"),
    ],
)
def test_where_there_is_none(rates, starts, said):
    """An oscillator, a line, a growing exponential, a decay as t^(-1/5): what moves is named, with how fast."""
    parameters = [Parameter(id, value, constant=False) for id, value in starts.items()]
    net = Network("none", parameters=parameters, rules=[Rule("rate", parse(f), id) for id, f in rates.items()])
    with pytest.raises(ConvergenceError, match=f"no steady state: .*{said}"):
        steady_state(net)


MODELS = Path(__file__).parents[2] / "data" / "biomodels"
AT_REST = ("019", "027", "086", "115", "122", "140", "270", "427", "430", "448", "501")
MOVING = {
    "003": "up and down", "008": "up and down", "010": "up and down", "039": "up and down", "055": "up and down", "059": "up and down",
    "156": "up and down", "151": "to the power -0", "220": "to the power -0.33", "543": "to the power -0",
}  # fmt: skip


@pytest.mark.parametrize("number", AT_REST)
def test_curated_models_put_back_at_rest_do_not_move(number):
    """What was found is put back as the start: scipy's stiff method on the model's formulas changes nothing in twice the time constant."""
    net = load_sbml(MODELS / f"BIOMD0000000{number}.xml.gz")
    found = steady_state(net)
    assert found.residual < 1e-9
    system = found.solution.system
    y, p = found.solution.states[0].copy(), found.solution.parameters
    grown = np.isnan(y)
    assert [system.states[i] for i in np.flatnonzero(grown)] == list(found.drifts) == ({"019": ["x13", "x86", "x87"]}.get(number, []))
    y[grown] = 0.0
    nodes = system.derivatives

    def slopes(t, y):
        values = system.graph.evaluate(nodes, states=list(y), params=list(p), time=found.time + t)
        return np.where(grown, 0.0, np.array([float(v) for v in values]))

    end = 2 / max(-found.eigenvalues[0].real, 1e-4) if len(found.eigenvalues) else 1.0
    moved = solve_ivp(slopes, (0.0, end), y, method="LSODA", rtol=1e-9, atol=1e-9 * np.abs(y).max())
    assert moved.success
    np.testing.assert_allclose(moved.y[:, -1], y, rtol=1e-6, atol=1e-6 * np.abs(y).max())


@pytest.mark.parametrize("number", MOVING)
def test_curated_models_without_rest_say_what_moves(number):
    """libRoadRunner's long runs of these models move as well: oscillators, and three that slow down as a power of time."""
    with pytest.raises(ConvergenceError, match=MOVING[number]):
        steady_state(load_sbml(MODELS / f"BIOMD0000000{number}.xml.gz"))


@pytest.mark.parametrize("wrong", [{"rtol": "x"}, {"rtol": -1.0}, {"rtol": float("nan")}, {"parameters": 5}, {"parameters": {"k1": "a"}}])
def test_what_cannot_be_meant_is_named(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        steady_state(reversible(), **wrong)
