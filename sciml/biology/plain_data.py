"""Dataclasses as JSON-able data and back: what stands at its default is left out, expressions are lists, types say what is built.

A formula is {"math": list}, a number that JSON has no word for {"number": text}.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from sciml.biology.expressions import Expression
from sciml.errors import DataError

__all__ = ["build", "plain"]


def plain(value: Any, everything: bool = True) -> Any:
    """A dataclass as a dict; `everything`: fields that take no part in comparisons too."""
    if isinstance(value, Expression):
        return {"math": value.to_list()}
    if is_dataclass(value):
        held = {f.name: (getattr(value, f.name), f.default) for f in fields(value) if everything or f.compare}
        return {name: plain(part, everything) for name, (part, default) in held.items() if default is MISSING or part != default}
    if isinstance(value, tuple | list):
        return [plain(part, everything) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(value)}
    return value


def build(kind: type, data: Mapping[str, Any]) -> Any:
    """The dataclass from its plain form. Raises DataError for a field that it does not have, TypeError for one that is missing."""
    types = _types(kind)
    if unknown := data.keys() - types.keys():
        raise DataError(f"{kind.__name__.lower()}: found the field {sorted(unknown)[0]!r}, which is none of it")
    return kind(**{name: _converted(types[name], value) for name, value in data.items()})


@cache
def _types(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _converted(hint: Any, value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"math"}:
            return Expression.from_list(value["math"])
        return float(value["number"]) if value.keys() == {"number"} else build(_dataclass_in(hint), value)
    if isinstance(value, list):
        parts = get_args(hint)
        if get_origin(hint) is not tuple or not parts:
            raise TypeError(f"found a list where {hint} was expected")
        kinds = [parts[0]] * len(value) if parts[-1] is ... else parts
        return tuple(_converted(kind, part) for kind, part in zip(kinds, value, strict=True))
    return value


def _dataclass_in(hint: Any) -> type:
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for option in options:
        if isinstance(option, type) and is_dataclass(option) and option is not Expression:
            return option
    raise TypeError(f"found an object where {hint} was expected")
