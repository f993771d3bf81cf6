"""Rate laws, rules and triggers as immutable expressions; the names of the operations are those of MathML.

An expression is data: an operation, its arguments and, for leaves, a value. `to_list` and `from_list` are its JSON form; text is read
and written by `sciml.biology.formula`. Functions stay calls here (`call`); `sciml.biology.kernels` shares equal parts and expands calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sciml.errors import DataError

__all__ = ["ARITY", "Expression", "Operand", "call", "number", "operand", "operation", "symbol"]

LEAVES = ("number", "symbol", "time", "avogadro", "pi", "exponentiale", "true", "false", "infinity", "notanumber")
_TRIGONOMETRY = tuple(a + name + h for a in ("", "arc") for name in ("sin", "cos", "tan", "sec", "csc", "cot") for h in ("", "h"))
COMPARISONS = ("eq", "neq", "gt", "lt", "geq", "leq")
LOGIC = ("and", "or", "xor", "not", "implies")
# operation -> (fewest, most arguments); None: any number
ARITY: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(LEAVES, (0, 0)),
    **dict.fromkeys(_TRIGONOMETRY, (1, 1)),
    **dict.fromkeys(("abs", "exp", "ln", "floor", "ceiling", "factorial", "not", "rateOf"), (1, 1)),
    **dict.fromkeys(("divide", "power", "root", "log", "quotient", "rem", "implies", "neq", "delay"), (2, 2)),
    **dict.fromkeys(("eq", "gt", "lt", "geq", "leq", "plus", "times", "and", "or", "xor"), (0, None)),
    **dict.fromkeys(("max", "min", "piecewise"), (1, None)),
    "minus": (1, 2),
    "call": (0, None),
}
_VALUES = {"pi": math.pi, "exponentiale": math.e, "infinity": math.inf, "notanumber": math.nan, "avogadro": 6.02214076e23}


@dataclass(frozen=True, slots=True)
class Expression:
    """One operation on expressions.

    `op` is a key of `ARITY`; `value` is the number of a `number`, the id of a `symbol` or of a called function, else None. `log` is
    (base, x), `root` (degree, x), `delay` (x, lag); `piecewise` is value, condition, value, condition, ... [, otherwise]. Python's
    operators build larger ones: `k * S / (K + S)`; `==` compares two expressions as data.
    """

    op: str
    args: tuple[Expression, ...] = ()
    value: float | str | None = None

    def __post_init__(self) -> None:
        if self.op not in ARITY:
            raise DataError(f"expression: found operation {self.op!r}, which is none of MathML's that are known here")
        fewest, most = ARITY[self.op]
        if len(self.args) < fewest or (most is not None and len(self.args) > most):
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}" if most else f"at least {fewest}"
            raise DataError(f"expression: {self.op} takes {wanted} arguments, found {len(self.args)}")

    def __add__(self, other: Operand) -> Expression:
        return _join("plus", self, other)

    def __radd__(self, other: Operand) -> Expression:
        return _join("plus", other, self)

    def __mul__(self, other: Operand) -> Expression:
        return _join("times", self, other)

    def __rmul__(self, other: Operand) -> Expression:
        return _join("times", other, self)

    def __sub__(self, other: Operand) -> Expression:
        return operation("minus", self, other)

    def __rsub__(self, other: Operand) -> Expression:
        return operation("minus", other, self)

    def __truediv__(self, other: Operand) -> Expression:
        return operation("divide", self, other)

    def __rtruediv__(self, other: Operand) -> Expression:
        return operation("divide", other, self)

    def __pow__(self, other: Operand) -> Expression:
        return operation("power", self, other)

    def __rpow__(self, other: Operand) -> Expression:
        return operation("power", other, self)

    def __neg__(self) -> Expression:
        return operation("minus", self)

    @property
    def constant(self) -> float | None:
        """The value of a leaf that is a number by itself, else None."""
        if self.op == "number":
            return float(self.value)  # type: ignore[arg-type]
        return _VALUES.get(self.op)

    def walk(self, closed: str = "") -> Iterator[Expression]:
        """Every part once per occurrence, arguments before what they are in; without recursion; not those in an operation `closed`."""
        stack: list[tuple[Expression, bool]] = [(self, False)]
        while stack:
            node, seen = stack.pop()
            if seen or not node.args or node.op == closed:
                yield node
            else:
                stack.append((node, True))
                stack.extend((argument, False) for argument in reversed(node.args))

    def symbols(self) -> set[str]:
        """Ids that occur in it (called functions are not counted)."""
        return {str(node.value) for node in self.walk() if node.op == "symbol"}

    def needs(self) -> set[str]:
        """Ids whose values it needs; of `rateOf(x)` that is not x but what x moves by."""
        return {str(node.value) for node in self.walk("rateOf") if node.op == "symbol"}

    def calls(self) -> set[str]:
        """Ids of the functions it calls."""
        return {str(node.value) for node in self.walk() if node.op == "call"}

    def replace(self, change: Mapping[str, Expression]) -> Expression:
        """The same with symbols replaced by expressions."""
        return self.map(lambda node: change.get(str(node.value), node) if node.op == "symbol" else node)

    def map(self, change: Callable[[Expression], Expression]) -> Expression:
        """Rebuilt from the leaves up: `change` gets each node after its arguments were changed."""
        done: list[Expression] = []
        for node in self.walk():
            if node.args:
                arguments = tuple(done[len(done) - len(node.args) :])
                del done[len(done) - len(node.args) :]
                node = Expression(node.op, arguments, node.value) if arguments != node.args else node
            done.append(change(node))
        return done[0]

    def to_list(self) -> Any:
        """JSON form: a number, the id of a symbol, or [operation, *arguments]; a call is ["call", id, *arguments]."""
        done: list[Any] = []
        for node in self.walk():
            count = len(node.args)
            arguments, done = (done[len(done) - count :], done[: len(done) - count]) if count else ([], done)
            if node.op == "number":
                value = float(node.value)  # type: ignore[arg-type]
                done.append(value if math.isfinite(value) else ["notanumber"] if math.isnan(value) else _signed_infinity(value))
            elif node.op == "symbol":
                done.append(node.value)
            else:
                done.append([node.op, *([node.value] if node.op == "call" else []), *arguments])
        return done[0]

    @staticmethod
    def from_list(data: Any) -> Expression:
        """From the JSON form. Raises DataError for what is none."""
        if isinstance(data, bool) or data is None:
            raise DataError(f"expression: found {data!r}, expected a number, an id or [operation, ...]")
        if isinstance(data, int | float):
            return number(data)
        if isinstance(data, str):
            return symbol(data)
        if not isinstance(data, list | tuple) or not data or not isinstance(data[0], str):
            raise DataError(f"expression: found {str(data)[:60]!r}, expected a number, an id or [operation, ...]")
        op, *rest = data
        if op == "call":
            return Expression("call", tuple(Expression.from_list(part) for part in rest[1:]), str(rest[0]))
        return Expression(op, tuple(Expression.from_list(part) for part in rest))


Operand = Expression | float | str


def number(value: float) -> Expression:
    """A number."""
    return Expression("number", (), float(value))


def symbol(name: str) -> Expression:
    """A species, compartment, parameter, reaction or other id."""
    return Expression("symbol", (), name)


def call(function: str, *arguments: Operand) -> Expression:
    """A call of a function of the model."""
    return Expression("call", tuple(operand(a) for a in arguments), function)


def operation(op: str, *arguments: Operand) -> Expression:
    """An operation on expressions, numbers or ids."""
    return Expression(op, tuple(operand(a) for a in arguments))


def operand(value: Operand) -> Expression:
    """An expression as it is, a number as a number, a text as the id of a symbol."""
    if isinstance(value, Expression):
        return value
    return symbol(value) if isinstance(value, str) else number(float(value))


def _join(op: str, left: Operand, right: Operand) -> Expression:
    """Sums of sums and products of products are kept flat, so that adding in a loop makes no deep expression."""
    parts: list[Expression] = []
    for value in (left, right):
        part = operand(value)
        parts.extend(part.args if part.op == op and part.args else (part,))
    return Expression(op, tuple(parts))


def _signed_infinity(value: float) -> list[Any]:
    return ["infinity"] if value > 0 else ["minus", ["infinity"]]
