"""MathML means what its standard says, defaults included, and comes back to the last bit."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.expressions import ARITY, Expression, call, number, symbol
from sciml.biology.sbml.mathml import body, function, to_mathml
from sciml.biology.sbml.tree import parse
from tests.biology.sbml import texts

URL = "http://www.sbml.org/sbml/symbols/"


def read(content: str):
    found = []
    result = body(parse(texts.math(content)), lambda element, what: found.append(what))
    return result, found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", None),
        ("<ci> x </ci>", "x"),
        ("<cn> 2 </cn>", 2.0),
        ('<cn type="integer"> -7 </cn>', -7.0),
        ('<cn type="e-notation"> 6.02214076 <sep/> 23 </cn>', 6.02214076e23),
        ('<cn type="e-notation"> 1.1 <sep/> -23 </cn>', 1.1e-23),
        ('<cn type="rational"> 1 <sep/> 3 </cn>', 1 / 3),
        ("<cn>1e400</cn>", ["infinity"]),
        ("<apply><log/><ci>x</ci></apply>", ["log", 10.0, "x"]),
        ("<apply><log/><logbase><cn>2</cn></logbase><ci>x</ci></apply>", ["log", 2.0, "x"]),
        ("<apply><root/><ci>x</ci></apply>", ["root", 2.0, "x"]),
        ("<apply><root/><degree><cn>3</cn></degree><ci>x</ci></apply>", ["root", 3.0, "x"]),
        ("<apply><minus/><ci>x</ci></apply>", ["minus", "x"]),
        ("<apply><plus/></apply>", ["plus"]),
        ("<apply><times/><ci>x</ci></apply>", ["times", "x"]),
        ("<apply><lt/><cn>1</cn><ci>x</ci><cn>2</cn></apply>", ["lt", 1.0, "x", 2.0]),
        ("<apply><ci>f</ci><ci>x</ci><cn>1</cn></apply>", ["call", "f", "x", 1.0]),
        ("<piecewise><piece><cn>1</cn><true/></piece><otherwise><pi/></otherwise></piecewise>", ["piecewise", 1.0, ["true"], ["pi"]]),
        (f'<csymbol encoding="text" definitionURL="{URL}time"> t </csymbol>', ["time"]),
        (f'<csymbol encoding="text" definitionURL="{URL}avogadro"/>', ["avogadro"]),
        (f'<apply><csymbol definitionURL="{URL}delay">d</csymbol><ci>x</ci><cn>1</cn></apply>', ["delay", "x", 1.0]),
        (f'<apply><csymbol definitionURL="{URL}rateOf"/><ci>x</ci></apply>', ["rateOf", "x"]),
        ("<semantics><ci>x</ci><annotation-xml><cn>3</cn></annotation-xml></semantics>", "x"),
    ],
)
def test_meaning(content, expected):
    assert read(content) == (expected, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<sum/>", "<sum>"),
        ("<apply/>", "an empty <apply>"),
        ("<apply><integral/><ci>x</ci></apply>", "<integral>"),
        ("<apply><divide/><ci>x</ci></apply>", "<divide> with 1 arguments, expected 2"),
        ("<apply><neq/></apply>", "<neq> with 0 arguments"),
        ("<cn> 1,5 </cn>", "'1,5'"),
        ('<cn type="complex-polar"> 1 <sep/> 2 </cn>', "no number"),
        ('<cn type="rational"> 1 <sep/> 0 </cn>', "no number"),
        ('<csymbol definitionURL="urn:other"> n </csymbol>', "'urn:other'"),
        ('<apply><csymbol definitionURL="urn:other"/><cn>1</cn></apply>', "'urn:other'"),
        ("<piecewise/>", "without a piece"),
        ("<piecewise><otherwise><cn>1</cn></otherwise><otherwise><cn>2</cn></otherwise></piecewise>", "2 parts that hold otherwise"),
        ("<piecewise><piece><cn>1</cn></piece></piecewise>", "<piece> with 1 parts"),
        ("<ci>x</ci><ci>y</ci>", "a second formula"),
    ],
)
def test_what_has_no_meaning_is_reported(content, said):
    _, found = read(content)
    assert len(found) == 1
    assert said in found[0]


def test_functions():
    lambda_ = "<lambda><bvar><ci> a </ci></bvar><bvar><ci>b</ci></bvar><apply><plus/><ci>a</ci><ci>b</ci></apply></lambda>"
    assert function(parse(texts.math(lambda_)), pytest.fail) == (["a", "b"], ["plus", "a", "b"])
    assert function(parse(texts.math("<lambda><bvar><ci>a</ci></bvar></lambda>")), pytest.fail) == (["a"], None)
    assert function(parse(texts.math("")), pytest.fail) == ([], None)


def expressions():
    leaves = st.one_of(
        st.floats().map(number), st.sampled_from("xyz").map(symbol), st.sampled_from(("time", "avogadro", "pi", "true")).map(Expression)
    )
    fixed = [op for op, (fewest, _) in ARITY.items() if fewest > 0 and op not in ("call",)]

    def wider(inner):
        def build(op, arguments):
            fewest, most = ARITY[op]
            return Expression(op, tuple(arguments[: max(fewest, min(len(arguments), most or 4))]))

        calls = st.lists(inner, max_size=3).map(lambda arguments: call("f", *arguments))
        return calls | st.builds(build, st.sampled_from(fixed), st.lists(inner, min_size=2, max_size=4))

    return st.recursive(leaves, wider, max_leaves=12)


@settings(max_examples=200, deadline=None)
@given(expressions())
def test_an_expression_comes_back_to_the_last_bit(expression):
    found = []
    again = body(parse(to_mathml(expression)), lambda element, what: found.append(what))
    assert found == []
    assert same(again, expression.to_list())


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def test_another_namespace_is_no_mathematics():
    found = []
    report = lambda element, what: found.append(what)  # noqa: E731
    assert body(parse("<math xmlns='urn:x'><cn>1</cn></math>"), report) == ["notanumber"]
    assert function(parse("<math><lambda><cn>1</cn></lambda></math>"), report) == ([], None)
    assert [what[:23] for what in found] == ["<math> in the namespace"] * 2
