"""Formulas as text: the infix notation of libSBML's level 3 parser, read into an expression and written.

`^` and `**` are powers (right to left, above the unary minus), `&&`, `||`, `!` logic, `%` the remainder; functions by MathML's
names and the usual short ones (`log` is base 10, `ln` natural, `sqrt`, `pow`, `piecewise(value, condition, ..., otherwise)`).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from sciml.biology.expressions import ARITY, Expression, call, number, operand, symbol
from sciml.errors import DataError

__all__ = ["as_expression", "infix", "parse"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|&&|\|\||[<>=!]=|[-+*/^%(),<>!]))"
)
_BINARY = {
    "||": (1, "or"), "&&": (2, "and"), "==": (3, "eq"), "!=": (3, "neq"), "<": (4, "lt"), ">": (4, "gt"), "<=": (4, "leq"),
    ">=": (4, "geq"), "+": (5, "plus"), "-": (5, "minus"), "*": (6, "times"), "/": (6, "divide"), "%": (6, "rem"), "^": (8, "power"),
    "**": (8, "power"),
}  # fmt: skip
_UNARY = 7
_NAMES = {"time": "time", "avogadro": "avogadro", "pi": "pi", "exponentiale": "exponentiale", "true": "true", "false": "false",
          "infinity": "infinity", "inf": "infinity", "notanumber": "notanumber", "nan": "notanumber"}  # fmt: skip
_FUNCTIONS = {
    "ceil": "ceiling", "pow": "power", "log10": "log", "log2": "log", "sqrt": "root", "sqr": "power", "acos": "arccos",
    "asin": "arcsin", "atan": "arctan", "acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh", "if": "piecewise", "modulo": "rem",
}  # fmt: skip
_DEEPEST = 200


def parse(text: str, functions: Collection[str] = ()) -> Expression:
    """Read a formula. Ids in `functions` may be called; another unknown function is a DataError that shows the place."""
    if not text or not text.strip():
        raise DataError("formula: found an empty text, expected a formula")
    return _Parser(text, functions).whole()


def as_expression(value: Expression | float | str) -> Expression:
    """An expression as it is, a number as a number, a text as a formula."""
    return parse(value) if isinstance(value, str) else operand(value)


class _Parser:
    """Precedence climbing over the tokens of one formula."""

    def __init__(self, text: str, functions: Collection[str]) -> None:
        self.text, self.functions, self.depth = text, functions, 0
        self.tokens: list[tuple[str, str, int]] = []
        position = 0
        while position < len(text.rstrip()):
            found = _TOKEN.match(text, position)
            if not found:
                rest = text[position:].lstrip()
                raise self.error(f"found {rest[:10]!r}", len(text) - len(rest))
            kind = found.lastgroup or ""
            self.tokens.append((kind, found[kind], found.start(kind)))
            position = found.end()
        self.tokens.append(("end", "", len(text)))
        self.next = 0

    def error(self, what: str, position: int) -> DataError:
        return DataError(f"formula {self.text[:80]!r}: {what} at character {position + 1}")

    def take(self, wanted: str = "") -> str:
        _, token, position = self.tokens[self.next]
        if wanted and token != wanted:
            raise self.error(f"found {token or 'the end'!r}, expected {wanted!r}", position)
        self.next += 1
        return token

    def whole(self) -> Expression:
        result = self.expression(0)
        if self.tokens[self.next][0] != "end":
            raise self.error(f"found {self.tokens[self.next][1]!r}, expected the end or an operator", self.tokens[self.next][2])
        return result

    def expression(self, least: int) -> Expression:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(f"nested more than {_DEEPEST} deep", self.tokens[self.next][2])
        left, built = self.operand(), ""
        while self.tokens[self.next][0] == "sign" and _BINARY.get(self.tokens[self.next][1], (0, ""))[0] >= max(least, 1):
            level, op = _BINARY[self.take()]
            right = self.expression(level if op == "power" else level + 1)
            chain = op == built and op in ("plus", "times", "and", "or")  # a + b + c is one sum, (a + b) + c two
            left, built = Expression(op, (*left.args, right) if chain else (left, right)), op
        self.depth -= 1
        return left

    def operand(self) -> Expression:
        kind, token, position = self.tokens[self.next]
        self.next += 1
        if kind == "number":
            return number(float(token))
        if kind == "name":
            return self.function(token, position) if self.tokens[self.next][1] == "(" else self.name(token)
        if token == "(":
            inner = self.expression(0)
            self.take(")")
            return inner
        if token in ("-", "+", "!"):
            inner = self.expression(_UNARY)
            return inner if token == "+" else Expression("not" if token == "!" else "minus", (inner,))
        raise self.error(f"found {token or 'the end'!r}, expected a number, a name or '('", position)

    def name(self, token: str) -> Expression:
        op = _NAMES.get(token.lower(), "")
        return Expression(op) if op else symbol(token)

    def function(self, name: str, position: int) -> Expression:
        self.take("(")
        arguments: list[Expression] = []
        while self.tokens[self.next][1] != ")":
            if arguments:
                self.take(",")
            arguments.append(self.expression(0))
        self.take(")")
        if name in self.functions:
            return call(name, *arguments)
        op = _FUNCTIONS.get(name, name)
        two, ten = number(2), number(10)
        short = {"sqrt": (two, *arguments), "log2": (two, *arguments), "log10": (ten, *arguments), "sqr": (*arguments, two)}
        if name == "log" and len(arguments) == 1:
            arguments.insert(0, number(10))
        elif name == "root" and len(arguments) == 1:
            arguments.insert(0, number(2))
        elif name in short:
            arguments = list(short[name])
        if op not in ARITY or op in _NAMES.values() or op in ("number", "symbol", "call"):
            raise self.error(f"found a call of {name!r}, which is no function known here", position)
        return Expression(op, tuple(arguments))


_SIGNS = {op: (level, sign) for sign, (level, op) in reversed(list(_BINARY.items())) if sign != "**"}


def infix(expression: Expression) -> str:
    """The text of an expression, with the brackets it needs; `parse` gives the same expression again."""
    done: list[tuple[str, int]] = []  # text, level of its outermost operator
    for node in expression.walk():
        count = len(node.args)
        parts = done[len(done) - count :] if count else []
        del done[len(done) - count :]
        done.append(_written(node, parts))
    return done[0][0]


def _written(node: Expression, parts: list[tuple[str, int]]) -> tuple[str, int]:
    if node.op == "number":
        value = float(node.value)  # type: ignore[arg-type]
        text = repr(int(value)) if value == int(value if abs(value) < 1e15 else 0) and abs(value) < 1e15 else repr(value)
        return text, 9 if value >= 0 else _UNARY
    if node.op == "symbol":
        return str(node.value), 9
    if not parts and node.op not in ("plus", "times", "and", "or", "xor", "call"):
        return node.op, 9
    if node.op in ("minus", "not") and len(parts) == 1:
        return ("-" if node.op == "minus" else "!") + _bracketed(parts[0], _UNARY + 1), _UNARY
    if node.op in _SIGNS and len(parts) >= 2 and (len(parts) == 2 or node.op in ("plus", "times", "and", "or")):
        level, sign = _SIGNS[node.op]
        first = level + 1 if node.op in ("power", "eq", "neq", "lt", "gt", "leq", "geq") else level
        rest = level if node.op == "power" else level + 1
        if node.op in ("plus", "times", "and", "or") and node.args[0].op == node.op:
            first = level + 1
        space = "" if node.op == "power" else " "
        return (space + sign + space).join([_bracketed(parts[0], first), *(_bracketed(p, rest) for p in parts[1:])]), level
    name = str(node.value) if node.op == "call" else node.op
    return f"{name}({', '.join(text for text, _ in parts)})", 9


def _bracketed(part: tuple[str, int], least: int) -> str:
    return part[0] if part[1] >= least else f"({part[0]})"
