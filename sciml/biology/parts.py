"""What a network is made of, as a user may write it: formulas as text, lists for tuples, any kind of number; checked when it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from numbers import Real
from typing import Any, get_args, get_origin, get_type_hints

from sciml.arguments import check_fields
from sciml.biology.expressions import Expression
from sciml.biology.formula import as_expression

__all__ = ["Part", "formulas"]


class Part:
    """Base of frozen dataclasses. ConfigError, with id and field, for a value that its annotation does not allow."""

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for name, plain in _conversions(kind).items():
            value = getattr(self, name)
            if (made := plain(value)) is not value:
                object.__setattr__(self, name, made)
        check_fields(self)


def formulas(given: Any) -> Any:
    """(id, formula) pairs of a mapping or a list of pairs, formulas given as text or number too; anything else as it is."""
    if isinstance(given, Mapping):
        given = tuple(given.items())
    if not isinstance(given, list | tuple):
        return given
    return tuple((pair[0], _formula(pair[1])) if isinstance(pair, list | tuple) and len(pair) == 2 else pair for pair in given)


@cache
def _conversions(kind: Any) -> dict[str, Callable[[Any], Any]]:
    """{field: what makes its value plain}, of those fields whose values may come in several forms."""
    found: dict[str, Callable[[Any], Any]] = {}
    for name, hint in get_type_hints(kind).items():
        options = {hint, *get_args(hint)}
        if get_origin(hint) is tuple:
            found[name] = formulas if hint == tuple[tuple[str, Expression], ...] else _row
        elif float in options:
            found[name] = _number_or_formula if Expression in options else _number
        elif Expression in options:
            found[name] = _formula
    return found


def _row(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Real) and not isinstance(value, bool | float) else value


def _formula(value: Any) -> Any:
    value = _number(value)
    return as_expression(value) if isinstance(value, str | float) else value


def _number_or_formula(value: Any) -> Any:
    return as_expression(value) if isinstance(value, str) else _number(value)
