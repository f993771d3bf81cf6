"""Formulas as text against Python's own arithmetic, and written so that they read the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.expressions import Expression, number, operation, symbol
from sciml.biology.formula import as_expression, infix, parse
from sciml.errors import DataError
from tests.biology.test_expressions import expressions


def value(expression: Expression, names: dict[str, float]) -> float:
    """Straight evaluation of arithmetic, by recursion."""
    args = [value(a, names) for a in expression.args]
    if expression.op == "symbol":
        return names[expression.value]
    if expression.constant is not None:
        return expression.constant
    table = {"plus": sum, "times": math.prod, "divide": lambda a: a[0] / a[1], "power": lambda a: a[0] ** a[1]}
    if expression.op == "minus":
        return -args[0] if len(args) == 1 else args[0] - args[1]
    return table[expression.op](args)


operators = st.sampled_from(["+", "-", "*", "/", "**"])


@st.composite
def python_texts(draw, depth=3):
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(["a", "b", "2", "3.5", "0.25"]))
    left, right = draw(python_texts(depth - 1)), draw(python_texts(depth - 1))
    shape = draw(st.sampled_from(["{l} {o} {r}", "({l}) {o} {r}", "{l} {o} ({r})", "-{l} {o} {r}"]))
    return shape.format(l=left, o=draw(operators), r=right)


@given(python_texts())
@settings(max_examples=300, deadline=None)
def test_precedence_is_that_of_arithmetic(text):
    names = {"a": 1.25, "b": 0.75}
    try:
        wanted = eval(text, {"__builtins__": {}}, names)  # the text is our own
    except (OverflowError, ZeroDivisionError):
        return
    found = value(parse(text), names)
    assert isinstance(wanted, complex) or found == pytest.approx(wanted, rel=1e-12, nan_ok=True)


@given(expressions)
@settings(max_examples=300, deadline=None)
def test_what_is_written_reads_the_same(expression):
    text = infix(expression)
    assert infix(parse(text, functions=("f",))) == text


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("log(x)", ["log", 10.0, "x"]),
        ("ln(x)", ["ln", "x"]),
        ("log(2, x)", ["log", 2.0, "x"]),
        ("sqrt(x)", ["root", 2.0, "x"]),
        ("-x^2", ["minus", ["power", "x", 2.0]]),
        ("2^3^2", ["power", 2.0, ["power", 3.0, 2.0]]),
        ("a && b || !c", ["or", ["and", "a", "b"], ["not", "c"]]),
        ("x >= 1 && time < 5", ["and", ["geq", "x", 1.0], ["lt", ["time"], 5.0]]),
        ("piecewise(1, x < 2, 0)", ["piecewise", 1.0, ["lt", "x", 2.0], 0.0]),
        ("1.5e-3", 0.0015),
        ("β * x_1", ["times", "β", "x_1"]),
    ],
)
def test_names_and_signs(text, data):
    assert parse(text).to_list() == data


@pytest.mark.parametrize(
    "text", ["", "  ", "a +", "a b", "(a", "f(x)", "a $ b", "1 2", "sin()", "(" * 500 + "a" + ")" * 500, "a,b", "exp(1, 2)"]
)
def test_broken_texts_are_refused(text):
    with pytest.raises(DataError):
        parse(text)


def test_the_message_shows_the_place():
    with pytest.raises(DataError, match=r"'\$b' at character 5"):
        parse("a + $b")


def test_as_expression_takes_numbers_texts_and_expressions():
    assert as_expression(2) == number(2) and as_expression("a*b") == operation("times", symbol("a"), symbol("b"))
    assert as_expression(symbol("a")) == symbol("a")
