"""What a user gives, held against the annotations: arguments of public calls (`checked`) and fields of public data (`check_fields`).

The annotation alone says what is right, so a new call needs no checks of its own for kinds of values; ranges are annotations too, as in
`Annotated[int, Bound("a whole number >= 1", lambda n: n >= 1)]`. NumPy's numbers are numbers, True and False are none, a text is no list of
texts. `Any` is not looked at.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache, wraps
from numbers import Integral, Real
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, NamedTuple, ParamSpec, TypeVar, Union, Unpack, get_args, get_origin, get_type_hints

from sciml.errors import ConfigError

__all__ = ["Bound", "Seed", "check_fields", "checked", "shown"]

P = ParamSpec("P")
R = TypeVar("R")


class Bound(NamedTuple):
    """What an annotation asks for beyond a kind: `words` for what is right (the kind named in them), `holds` of a value of that kind."""

    words: str
    holds: Callable[[Any], bool] = lambda value: True


Seed = Annotated[int, Bound("a whole number >= 0", lambda seed: seed >= 0)]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function with its arguments held against their annotations: ConfigError names call, argument, what was found and would be right.

    Missing and unknown arguments stay Python's TypeError.
    """
    signature = inspect.signature(function)
    gathered = {p.name for p in signature.parameters.values() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # says it better
        for name, rule in _rules_of(function).items():
            if name in given and (said := rule.fault(given[name])):
                raise ConfigError(f"{function.__name__}: {'' if name in gathered else name + ': '}{said}")
        return function(*args, **kwargs)

    return call


def check_fields(data: Any) -> None:
    """Hold a dataclass against its annotations. ConfigError names class, id, field, what was found and what would be right."""
    kind: Any = type(data)
    for name, rule in _rules_of(kind).items():
        value = getattr(data, name)
        if type(value) not in rule.exact and (said := rule.fault(value)):
            id = getattr(data, "id", "")
            whose = f" {id!r}" if isinstance(id, str) and id and name != "id" else ""
            raise ConfigError(f"{kind.__name__}{whose}: {name}: {said}")


def shown(value: Any) -> str:
    """A value as a message shows it: short, NumPy's numbers as plain ones, arrays by their shape, what is long by its kind."""
    if shape := getattr(value, "shape", ()):
        return f"an array of shape {tuple(shape)}"
    text = repr(value.item() if hasattr(value, "item") else value)
    if len(text) > 60 and isinstance(value, str | bytes):
        return f"{text[:56]}..."
    return text if len(text) <= 60 and not re.search(r"^<| at 0x[0-9a-f]+", text) else _article(type(value).__name__)


class _Check(NamedTuple):
    """`words` for what is right; `fault` says what is wrong with a value, "" where nothing is; `exact` types need no look."""

    words: str
    fault: Callable[[Any], str]
    exact: frozenset[type] = frozenset()


@cache
def _rules_of(what: Any) -> dict[str, _Check]:
    """{argument or field: rule} of a function or a dataclass; what its annotations leave open is not there."""
    if isinstance(what, type):
        hints = get_type_hints(what, include_extras=True)
        return {f.name: _rule(hint) for f in fields(what) if (hint := hints[f.name]) not in (Any, object)}
    named = {name: hint for name, hint in what.__annotations__.items() if name != "return"}
    hints = get_type_hints(SimpleNamespace(__annotations__=named), what.__globals__, include_extras=True)
    kinds = {p.name: p.kind for p in inspect.signature(what).parameters.values()}
    found = {}
    for name, hint in hints.items():
        if get_origin(hint) is Unpack:
            found[name] = _options(what.__name__, get_args(hint)[0])
        elif hint not in (Any, object):
            rule = _rule(hint)
            if kinds[name] is inspect.Parameter.VAR_POSITIONAL:
                rule = _listed(rule)
            elif kinds[name] is inspect.Parameter.VAR_KEYWORD:
                rule = _mapping(_anything(), rule)
            found[name] = rule
    return found


def _rule(hint: Any) -> _Check:
    origin, parts = get_origin(hint), get_args(hint)
    if hint in (Any, object) or isinstance(hint, TypeVar):
        return _anything()
    if origin in (Union, UnionType):
        return _either([_rule(part) for part in parts])
    if origin is Annotated:
        return _bounded(_rule(parts[0]), [part for part in parts[1:] if isinstance(part, Bound)])
    if origin is Literal:
        return _simple(" or ".join(map(repr, parts)), lambda value: isinstance(value, str | int | NoneType) and value in parts)
    if origin is tuple and parts and parts[-1] is not ...:
        return _row([_rule(part) for part in parts])
    if isinstance(origin or hint, type) and issubclass(origin or hint, Mapping):
        return _mapping(*map(_rule, parts or (Any, Any)))
    if origin is Callable:
        return _simple("a function", callable)
    if origin is not None and issubclass(origin, Iterable):
        return _listed(_rule(parts[0]), origin if origin in (list, tuple) else Iterable)
    return _kind(origin or hint)


def _kind(kind: type) -> _Check:
    named: dict[type, tuple[str, Callable[[Any], bool]]] = {
        str: ("a text", lambda value: isinstance(value, str)),
        bool: ("True or False", lambda value: isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")),
        int: ("a whole number", lambda value: isinstance(value, Integral) and not isinstance(value, bool)),
        float: ("a number", lambda value: isinstance(value, Real) and not isinstance(value, bool)),
        NoneType: ("None", lambda value: value is None),
        os.PathLike: ("a path", lambda value: isinstance(value, os.PathLike)),
    }
    words, good = named.get(kind, (_article(kind.__name__), lambda value: isinstance(value, kind)))
    return _simple(words, good, kind, int if kind is float else kind)


def _anything() -> _Check:
    return _Check("anything", lambda value: "")


def _simple(words: str, good: Callable[[Any], bool], *exact: type) -> _Check:
    return _Check(words, lambda value: "" if good(value) else f"found {shown(value)}, expected {words}", frozenset(exact))


def _either(rules: Sequence[_Check]) -> _Check:
    words = " or ".join(rule.words for rule in rules)

    def fault(value: Any) -> str:
        said = [rule.fault(value) for rule in rules]
        if not all(said):
            return ""
        inside = [text for text in said if not text.startswith("found ")]  # right but for an entry
        return inside[0] if inside else f"found {shown(value)}, expected {words}"

    return _Check(words, fault, frozenset().union(*(rule.exact for rule in rules)))


def _bounded(kind: _Check, bounds: Sequence[Bound]) -> _Check:
    words = bounds[0].words if bounds else kind.words

    def fault(value: Any) -> str:
        said = kind.fault(value)
        if said and not said.startswith("found "):  # right but for an entry
            return said
        return f"found {shown(value)}, expected {words}" if said or not all(bound.holds(value) for bound in bounds) else ""

    return _Check(words, fault)


def _mapping(key: _Check, entry: _Check) -> _Check:
    words = "{id: value}" if entry.words == "anything" else f"{{id: {entry.words}}}"

    def fault(value: Any) -> str:
        if not isinstance(value, Mapping):
            return f"found {shown(value)}, expected {words}"
        for name, held in value.items():
            if said := key.fault(name):
                return f"the key {shown(name)}: {said}"
            if said := entry.fault(held):
                return f"{shown(name)}: {said}"
        return ""

    return _Check(words, fault)


def _listed(entry: _Check, kind: Any = Iterable) -> _Check:
    """Anything that can be gone through, if it is of this `kind`; entries are looked at where that does not use it up."""
    words = "a list" if entry.words == "anything" else f"a list of {_plural(entry.words)}"

    def fault(value: Any) -> str:
        wrong = not isinstance(value, kind) or isinstance(value, str | bytes | Mapping) or getattr(value, "ndim", 1) != 1
        if wrong:
            return f"found {shown(value)}, expected {words}"
        numbers = getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u", "f") and float in entry.exact
        if isinstance(value, Collection) and not numbers:
            for place, held in enumerate(value):
                if type(held) not in entry.exact and (said := entry.fault(held)):
                    return f"entry {place}: {said}"
        return ""

    return _Check(words, fault)


def _row(rules: Sequence[_Check]) -> _Check:
    words = f"({', '.join(rule.words for rule in rules)})"

    def fault(value: Any) -> str:
        if not isinstance(value, tuple) or len(value) != len(rules):
            return f"found {shown(value)}, expected {words}"
        for place, (rule, held) in enumerate(zip(rules, value, strict=True)):
            if said := rule.fault(held):
                return f"entry {place}: {said}"
        return ""

    return _Check(words, fault)


def _options(call: str, names: type) -> _Check:
    """Of keyword arguments that a TypedDict names; another one is Python's TypeError, as if the call had named them itself."""
    rules = {name: _rule(option) for name, option in get_type_hints(names, include_extras=True).items()}

    def fault(value: Any) -> str:
        for name, held in value.items():
            if name not in rules:
                raise TypeError(f"{call}() got an unexpected keyword argument {name!r}")
            if said := rules[name].fault(held):
                return f"{name}: {said}"
        return ""

    return _Check("options", fault)


def _article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def _plural(words: str) -> str:
    """ "a text" -> "texts"; what is no single noun stays as it is."""
    noun = words.removeprefix("an ").removeprefix("a ")
    return f"{noun.removesuffix('s')}s" if noun != words and "(" not in words and " or " not in words else words
