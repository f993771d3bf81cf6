"""Dataclasses as JSON and back, by their types."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.expressions import Expression, symbol
from sciml.biology.plain_data import build, plain
from sciml.errors import DataError


@dataclass(frozen=True)
class Inner:
    name: str
    value: float | Expression | None = 1.0


@dataclass(frozen=True)
class Outer:
    parts: tuple[Inner, ...] = ()
    pairs: tuple[tuple[str, Expression], ...] = ()
    one: Inner = Inner("default")
    flag: bool = False


inners = st.builds(Inner, st.text(), st.one_of(st.none(), st.floats(allow_nan=False), st.just(symbol("x") * 2)))
pairs = st.lists(st.tuples(st.text(), st.just(symbol("k"))))
outers = st.builds(Outer, st.lists(inners).map(tuple), pairs.map(tuple), inners, st.booleans())


@given(outers)
@settings(max_examples=100, deadline=None)
def test_through_json_and_back(outer):
    assert build(Outer, json.loads(json.dumps(plain(outer), allow_nan=False))) == outer


def test_what_stands_at_its_default_is_left_out():
    assert plain(Outer()) == {} and plain(Inner("a", math.inf)) == {"name": "a", "value": {"number": "inf"}}
    assert math.isnan(build(Inner, plain(Inner("a", math.nan))).value)


@pytest.mark.parametrize("data", [{"nothing": 1}, {"parts": [{"name": "a", "size": 2}]}])
def test_unknown_fields_are_refused(data):
    with pytest.raises(DataError, match="found the field"):
        build(Outer, data)


@pytest.mark.parametrize("data", [{"flag": [1]}, {"flag": {"a": 1}}, {"parts": [{}]}])
def test_what_does_not_fit_its_type(data):
    with pytest.raises(TypeError):
        build(Outer, data)
