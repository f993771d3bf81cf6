"""Expressions as data: built, walked, replaced, written as JSON and read again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.expressions import ARITY, Expression, call, number, operation, symbol
from sciml.errors import DataError

leaves = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(number),
    st.sampled_from("abc").map(symbol),
    st.sampled_from([Expression("time"), Expression("pi"), Expression("true"), Expression("infinity")]),
)
BINARY = ["minus", "divide", "power", "log", "root", "rem", "quotient", "implies", "lt", "eq", "plus", "times", "max", "and", "piecewise"]
expressions = st.recursive(
    leaves,
    lambda part: st.one_of(
        st.tuples(st.sampled_from(BINARY), part, part).map(lambda t: operation(*t)),
        st.tuples(st.sampled_from(["abs", "exp", "not", "minus"]), part).map(lambda t: operation(*t)),
        st.lists(part, max_size=3).map(lambda parts: call("f", *parts)),
        st.lists(part, max_size=4).map(lambda parts: operation("times", *parts)),
    ),
    max_leaves=20,
)


@given(expressions)
@settings(max_examples=200, deadline=None)
def test_the_json_form_is_read_again(expression):
    assert Expression.from_list(expression.to_list()) == expression


@given(expressions)
@settings(max_examples=100, deadline=None)
def test_walk_gives_arguments_before_what_they_are_in(expression):
    seen: list[int] = []
    for node in expression.walk():
        assert all(id(a) in seen for a in node.args)
        seen.append(id(node))
    assert seen[-1] == id(expression)
    assert expression.map(lambda node: node) == expression


def test_operators_build_what_mathml_names():
    k, s = symbol("k"), symbol("S")
    rate = k * s / (1 + s)
    assert rate.to_list() == ["divide", ["times", "k", "S"], ["plus", 1.0, "S"]]
    assert (2 - s**2).to_list() == ["minus", 2.0, ["power", "S", 2.0]]
    assert (-s).to_list() == ["minus", "S"]


def test_long_sums_stay_flat():
    total = sum((symbol(f"x{i}") for i in range(5000)), number(0))
    assert len(total.args) == 5001 and total.symbols() == {f"x{i}" for i in range(5000)}


def test_replace_changes_symbols_only():
    changed = operation("plus", symbol("a"), call("a", symbol("b"))).replace({"a": number(2), "b": symbol("c")})
    assert changed.to_list() == ["plus", 2.0, ["call", "a", "c"]]


@pytest.mark.parametrize("op", ["divide", "exp", "delay", "minus", "piecewise"])
def test_the_number_of_arguments_is_checked(op):
    most = ARITY[op][1]
    with pytest.raises(DataError, match=f"{op} takes"):
        Expression(op, ())
    if most is not None:
        with pytest.raises(DataError, match=f"{op} takes"):
            Expression(op, (number(1),) * (most + 1))


@pytest.mark.parametrize("data", [None, True, [], [3, 4], ["nothing", 1], {"a": 1}, ["exp"]])
def test_what_is_no_expression_is_refused(data):
    with pytest.raises(DataError, match="expression"):
        Expression.from_list(data)


def test_numbers_that_json_has_no_word_for():
    for value in (math.inf, -math.inf):
        assert eval_constant(Expression.from_list(number(value).to_list())) == value
    assert Expression.from_list(number(math.nan).to_list()).op == "notanumber"


def eval_constant(expression: Expression) -> float:
    return -eval_constant(expression.args[0]) if expression.op == "minus" else expression.constant
