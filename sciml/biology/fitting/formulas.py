"""Formulas of PEtab tables (version 1) as expressions: `log` is the natural logarithm there, and ids go before constants."""

from __future__ import annotations

import re
from collections.abc import Collection

from sciml.biology.expressions import Expression, number, operation, symbol
from sciml.biology.formula import parse
from sciml.errors import DataError

__all__ = ["formula"]

_NAME = re.compile(r"[^\W\d]\w*(?!\w*\s*\()")
_CONSTANTS = frozenset(("time", "avogadro", "pi", "exponentiale", "true", "false", "infinity", "inf", "notanumber", "nan"))
_KEPT = frozenset(("time", "true", "false", "inf", "nan"))  # what the tables' language has
_OWN = ("log", "sign")


def formula(text: str, known: Collection[str], where: str) -> Expression:
    """The expression of a text. Ids in `known` are symbols, even a species called Pi. DataError names `where`."""
    hidden: dict[str, str] = {}

    def hide(found: re.Match[str]) -> str:
        name = found.group()
        if name.lower() not in _CONSTANTS or (name in _KEPT and name not in known):
            return name
        return hidden.setdefault(name, f"hidden_constant_{len(hidden)}")

    try:
        parsed = parse(_NAME.sub(hide, text), _OWN)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    names = {stand_in: name for name, stand_in in hidden.items()}

    def mend(node: Expression) -> Expression:
        if node.op == "symbol" and node.value in names:
            return symbol(names[str(node.value)])
        if node.op == "call" and node.value == "log":
            return operation("ln", *node.args) if len(node.args) == 1 else _logarithm(node, where)
        if node.op == "call" and node.value == "sign":
            return _sign(node, where)
        return node

    return parsed.map(mend)


def _logarithm(node: Expression, where: str) -> Expression:
    if len(node.args) != 2:
        raise DataError(f"{where}: log takes a number, and a base after it, found {len(node.args)} arguments")
    return operation("log", node.args[1], node.args[0])


def _sign(node: Expression, where: str) -> Expression:
    if len(node.args) != 1:
        raise DataError(f"{where}: sign takes one argument, found {len(node.args)}")
    (value,), zero = node.args, number(0)
    return operation("piecewise", number(-1), operation("lt", value, zero), number(1), operation("gt", value, zero), zero)
