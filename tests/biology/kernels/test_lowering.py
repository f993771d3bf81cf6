"""Formulas as nodes against their meaning in MathML."""

from __future__ import annotations

import math

import pytest

from sciml.biology.expressions import Expression, call, number, operation, symbol
from sciml.biology.formula import parse
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.lowering import Lowering
from sciml.biology.network import Function
from sciml.errors import DataError

NAMES = {"a": 0, "b": 1}


def lowering(graph: Graph, functions=()) -> Lowering:
    return Lowering(
        graph,
        {f.id: f for f in functions},
        resolve=lambda id: graph.leaf("state", NAMES[id]),
        rate_of=lambda id: graph.const(42.0),
        delayed=lambda node, lag: graph.leaf("lag", 0),
        number=graph.const,
    )


def value(expression, functions=(), a=0.5, b=2.0) -> float:
    graph = Graph()
    node = lowering(graph, functions).lower(parse(expression) if isinstance(expression, str) else expression)
    return float(graph.evaluate([node], states=[a, b], time=3.0, lags=[7.0])[0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("log(1000)", 3.0),
        ("ln(exp(a))", 0.5),
        ("log(2, 8)", 3.0),
        ("root(3, 27)", 3.0),
        ("sqrt(b)", 2**0.5),
        ("sec(a)", 1 / math.cos(0.5)),
        ("csc(a)", 1 / math.sin(0.5)),
        ("coth(a)", 1 / math.tanh(0.5)),
        ("arccot(b)", math.atan(0.5)),
        ("arcsec(b)", math.acos(0.5)),
        ("arcsech(a)", math.acosh(2.0)),
        ("arccsch(a)", math.asinh(2.0)),
        ("arccoth(b)", math.atanh(0.5)),
        ("implies(true, false)", 0.0),
        ("implies(false, false)", 1.0),
        ("xor(true, true, true)", 1.0),
        ("lt(1, 2, 3)", 1.0),
        ("lt(1, 3, 2)", 0.0),
        ("geq(3, 3, 2)", 1.0),
        ("gt(3, 3)", 0.0),
        ("max(a, b, 1)", 2.0),
        ("min(a, b, 1)", 0.5),
        ("plus()", 0.0),
        ("times()", 1.0),
        ("and()", 1.0),
        ("or()", 0.0),
        ("piecewise(1, a > b, 2, a < b)", 2.0),
        ("piecewise(1, a > b, 9)", 9.0),
        ("time * 2", 6.0),
        ("-b^2", -4.0),
        ("b^3", 8.0),
        ("rem(-7, 3)", -1.0),
        ("delay(a, 1)", 7.0),
        ("rateOf(a)", 42.0),
        ("avogadro", 6.02214076e23),
        ("factorial(5)", 120.0),
    ],
)
def test_meaning(text, wanted):
    assert value(text) == pytest.approx(wanted, rel=1e-14)


def test_a_piecewise_without_a_piece_that_holds_is_no_number():
    assert math.isnan(value("piecewise(1, a > b)"))


def test_functions_are_expanded_and_shared():
    functions = [Function("f0", ("x",), symbol("x") * 1.5)]
    functions += [Function(f"f{i}", ("x",), operation("plus", call(f"f{i - 1}", "x"), call(f"f{i - 1}", "x"))) for i in range(1, 31)]
    graph = Graph()
    node = lowering(graph, functions).lower(call("f30", "a"))
    assert len(graph) < 40
    assert graph.evaluate([node], states=[0.5]) == [0.75 * 2**30]


def test_arguments_hide_symbols_of_the_model():
    assert value(call("f", number(4)), [Function("f", ("a",), symbol("a") + symbol("b"))]) == 6.0


@pytest.mark.parametrize(
    ("expression", "functions", "message"),
    [
        (call("f", number(1)), [Function("f", ("x", "y"), symbol("x"))], "takes 2 arguments"),
        (call("f", number(1)), [Function("f", ("x",), call("f", symbol("x") + 1))], "does it call itself"),
        (Expression("rateOf", (number(1),)), [], "expected the id of a variable"),
    ],
)
def test_refusals(expression, functions, message):
    with pytest.raises(DataError, match=message):
        value(expression, functions)
