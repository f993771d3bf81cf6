"""Attributes are read as SBML writes them; findings carry lines."""

from __future__ import annotations

import math

import pytest

from sciml.biology.sbml.context import Context, flag, real
from sciml.biology.sbml.tree import parse


@pytest.mark.parametrize(("text", "value"), [("1e-3", 1e-3), (" 2 ", 2.0), ("INF", math.inf), ("-INF", -math.inf)])
def test_numbers(text, value):
    context = Context((3, 2))
    assert real(context, parse(f'<a x="{text}"/>'), "x", "a") == value
    assert math.isnan(real(context, parse('<a x="NaN"/>'), "x", "a"))
    assert real(context, parse("<a/>"), "x", "a") is None
    assert context.unsupported == []


@pytest.mark.parametrize("text", ["1,5", "", "0x10", "one"])
def test_no_number_is_a_finding_with_its_line(text):
    context = Context((3, 2))
    assert real(context, parse(f'\n<a x="{text}"/>'), "x", "thing") is None
    assert context.unsupported == [(2, f"thing: x is {text!r}, expected a number")]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_flags(text, value):
    context = Context((3, 2))
    assert flag(context, parse(f'<a x="{text}"/>'), "x", not value, "a") is value
    assert flag(context, parse("<a/>"), "x", value, "a") is value
    assert context.unsupported == []


def test_another_word_is_no_flag():
    context = Context((3, 2))
    flag(context, parse('<a x="yes"/>'), "x", True, "a")
    assert "expected true or false" in context.unsupported[0][1]


def test_formulas_and_what_is_kept():
    context = Context((3, 2))
    element = parse('<a metaid="_1"><math xmlns="http://www.w3.org/1998/Math/MathML"><sum/></math></a>')
    assert context.math(element, "there") == ["notanumber"]
    assert context.unsupported == [(1, "there: <sum>, which has no meaning here")]
    context.keep(element, "k")
    assert context.kept == {"k": '<kept metaid="_1"></kept>'}
