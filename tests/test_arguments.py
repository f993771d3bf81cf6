"""The annotation decides: what it allows goes through untouched, anything else is a ConfigError that says what would be right."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, Unpack

import numpy as np
import pytest

from sciml.arguments import Bound, check_fields, checked, shown
from sciml.errors import ConfigError


class Thing:
    pass


@checked
def call(
    text: str = "",
    number: float = 0.0,
    whole: int = 0,
    flag: bool = False,
    kind: Literal["a", "b"] = "a",
    path: str | os.PathLike[str] = "",
    names: Sequence[str] = (),
    values: Mapping[str, float] | None = None,
    rows: Sequence[Sequence[float]] = (),
    chosen: bool | Sequence[str] = True,
    pair: tuple[int, str] = (1, ""),
    several: tuple[str, ...] = (),
    entries: list[int] | None = None,
    made: Callable[[], int] | None = None,
    thing: Thing | None = None,
    stream: Iterable[float] = (),
    count: Annotated[int, Bound("a whole number >= 1", lambda n: n >= 1)] | None = None,
    shares: Mapping[str, Annotated[float, Bound("a share", lambda x: 0 <= x <= 1)]] | None = None,
    held: Annotated[Sequence[Thing], Bound("things"), Bound("", lambda all: len(all) < 3)] = (),
    open_to_all: Any = None,
    **named: float,
) -> dict[str, Any]:
    return dict(locals())


GOOD = {
    "text": ["", "x", np.str_("x")],
    "number": [1, 2.5, np.float32(1), np.int8(3), float("nan")],
    "whole": [3, np.int64(3)],
    "flag": [True, np.True_],
    "kind": ["b"],
    "path": ["x", Path("x")],
    "names": [["a"], ("a",), {"a"}, [], np.array(["a"])],
    "values": [None, {}, {"a": 1}, {"a": np.float64(2)}],
    "rows": [[[1.0], (2,)], np.ones((0,)), [np.ones(3)]],
    "chosen": [False, ["a"]],
    "pair": [(2, "x")],
    "several": [(), ("a", "b")],
    "entries": [[1], None],
    "made": [int, None],
    "thing": [Thing(), None],
    "stream": [[1.0], np.ones(4)],
    "count": [1, np.int64(7), None],
    "shares": [{"a": 1, "b": np.float32(0.5)}, {}, None],
    "held": [[], [Thing()]],
    "open_to_all": [5, "x", object()],
    "other": [1.5],
}
BAD = [
    ("text", 5, "call: text: found 5, expected a text"),
    ("text", None, "call: text: found None, expected a text"),
    ("number", "5", "call: number: found '5', expected a number"),
    ("number", True, "call: number: found True, expected a number"),
    ("number", np.ones((2, 3)), "call: number: found an array of shape (2, 3), expected a number"),
    ("whole", 2.0, "call: whole: found 2.0, expected a whole number"),
    ("whole", np.float64(2.5), "call: whole: found 2.5, expected a whole number"),
    ("flag", "no", "call: flag: found 'no', expected True or False"),
    ("flag", 1, "call: flag: found 1, expected True or False"),
    ("kind", "c", "call: kind: found 'c', expected 'a' or 'b'"),
    ("kind", ["a"], "call: kind: found ['a'], expected 'a' or 'b'"),
    ("path", b"x", "call: path: found b'x', expected a text or a path"),
    ("names", "abc", "call: names: found 'abc', expected a list of texts"),
    ("names", {"a": 1}, "call: names: found {'a': 1}, expected a list of texts"),
    ("names", ["a", 5], "call: names: entry 1: found 5, expected a text"),
    ("values", [], "call: values: found [], expected {id: a number} or None"),
    ("values", {"a": "x"}, "call: values: 'a': found 'x', expected a number"),
    ("values", {3: 1.0}, "call: values: the key 3: found 3, expected a text"),
    ("rows", [1.0], "call: rows: entry 0: found 1.0, expected a list of numbers"),
    ("chosen", 5, "call: chosen: found 5, expected True or False or a list of texts"),
    ("chosen", ["a", 5], "call: chosen: entry 1: found 5, expected a text"),
    ("pair", (1, 2), "call: pair: entry 1: found 2, expected a text"),
    ("pair", (1,), "call: pair: found (1,), expected (a whole number, a text)"),
    ("several", ["a"], "call: several: found ['a'], expected a list of texts"),
    ("entries", (1,), "call: entries: found (1,), expected a list of whole numbers or None"),
    ("made", 5, "call: made: found 5, expected a function or None"),
    ("thing", object(), "call: thing: found an object, expected a Thing or None"),
    ("stream", np.ones((2, 2)), "call: stream: found an array of shape (2, 2), expected a list of numbers"),
    ("count", 0, "call: count: found 0, expected a whole number >= 1 or None"),
    ("count", True, "call: count: found True, expected a whole number >= 1 or None"),
    ("count", float("nan"), "call: count: found nan, expected a whole number >= 1 or None"),
    ("shares", {"a": 0.5, "b": np.float64(1.5)}, "call: shares: 'b': found 1.5, expected a share"),
    ("shares", {"a": "x"}, "call: shares: 'a': found 'x', expected a share"),
    ("held", 5, "call: held: found 5, expected things"),
    ("held", [Thing(), 5], "call: held: entry 1: found 5, expected a Thing"),
    ("held", [Thing()] * 3, "call: held: found a list, expected things"),
    ("other", "x", "call: 'other': found 'x', expected a number"),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_what_the_annotation_allows_goes_through(name, value):
    found = call(**{name: value})
    assert (found["named"] if name == "other" else found)[name] is value


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_anything_else_is_said(name, value, message):
    with pytest.raises(ConfigError) as caught:
        call(**{name: value})
    assert str(caught.value) == message


def test_a_generator_is_not_used_up():
    assert list(call(stream=(x for x in (1.0, 2.0)))["stream"]) == [1.0, 2.0]


def test_missing_and_unknown_arguments_are_said_by_python():
    @checked
    def needs(this: int) -> int:
        return this

    with pytest.raises(TypeError, match=r"needs\(\) missing 1 required positional argument: 'this'"):
        needs()
    with pytest.raises(TypeError, match="unexpected keyword argument 'that'"):
        needs(1, that=2)


def test_a_method_names_its_argument_not_itself():
    class Holder:
        @checked
        def select(self, name: str) -> str:
            return name

    assert Holder().select("a") == "a"
    with pytest.raises(ConfigError, match="^select: name: found 3, expected a text$"):
        Holder().select(3)


def test_what_is_positional_or_repeated_is_checked():
    @checked
    def joined(first: str, /, *rest: str) -> str:
        return first + "".join(rest)

    assert joined("a", "b") == "ab"
    with pytest.raises(ConfigError, match="joined: entry 1: found 2, expected a text"):
        joined("a", "b", 2)


class Options(TypedDict, total=False):
    n: int
    mode: Literal["a", "b"] | None


def test_keyword_arguments_of_a_typed_dict():
    @checked
    def run(first: int, **options: Unpack[Options]) -> dict[str, Any]:
        return dict(options)

    assert run(1, n=2, mode=None) == {"n": 2, "mode": None}
    for options, message in (
        ({"n": "x"}, "run: n: found 'x', expected a whole number"),
        ({"mode": "c"}, "run: mode: found 'c', expected 'a' or 'b' or None"),
    ):
        with pytest.raises(ConfigError) as caught:
            run(1, **options)
        assert str(caught.value) == message
    with pytest.raises(TypeError, match=r"^run\(\) got an unexpected keyword argument 'm'$"):
        run(1, m=2)


@dataclass(frozen=True)
class Part:
    id: str
    size: float | None = 1.0
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)


def test_fields_of_a_dataclass():
    assert Part("a", 2, (Part("b", None),)).size == 2
    for make, message in (
        (lambda: Part(5), "Part: id: found 5, expected a text"),
        (lambda: Part("a", "big"), "Part 'a': size: found 'big', expected a number or None"),
        (lambda: Part("a", parts=(Part("b"), "c")), "Part 'a': parts: entry 1: found 'c', expected a Part"),
    ):
        with pytest.raises(ConfigError) as caught:
            make()
        assert str(caught.value) == message


def test_values_in_messages_are_short_and_plain():
    assert shown(np.float64(0.1)) == "0.1"
    assert shown(np.array(3)) == "3"
    assert shown("x" * 100) == "'" + "x" * 55 + "..."
    assert shown(list(range(100))) == "a list"
    assert shown(object()) == "an object"
