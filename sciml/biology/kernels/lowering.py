"""Formulas of a network into nodes of a graph: symbols by a function, functions of the model expanded, n-ary operations into pairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from sciml.biology.expressions import Expression
from sciml.biology.formula import infix
from sciml.biology.kernels.graph import Graph
from sciml.biology.network import Function
from sciml.errors import DataError

__all__ = ["Lowering"]

_SAME = {
    "abs": "abs", "exp": "exp", "ln": "ln", "floor": "floor", "ceiling": "ceil", "factorial": "factorial", "not": "not", "divide": "div",
    "power": "pow", "rem": "rem", "quotient": "quotient", "lt": "lt", "leq": "leq", "eq": "eq", "neq": "neq",
    **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}  # fmt: skip
_RECIPROCAL = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"}
_OF_RECIPROCAL = {"arcsec": "acos", "arccsc": "asin", "arccot": "atan", "arcsech": "acosh", "arccsch": "asinh", "arccoth": "atanh"}
_CHAIN = {"plus": ("add", 0.0), "times": ("mul", 1.0), "and": ("and", 1.0), "or": ("or", 0.0), "xor": ("xor", 0.0)}
_DEEPEST_CALLS = 200
_Local = tuple[int, str | None]


class Lowering:
    """Builds nodes of `graph` from expressions.

    `resolve(id)` gives the node of a symbol, `rate_of(id)` that of its derivative, `delayed(node, lag node)` that of a value from the past,
    `number(value)` the node of a number that stands in a formula.
    """

    def __init__(
        self,
        graph: Graph,
        functions: Mapping[str, Function],
        *,
        resolve: Callable[[str], int],
        rate_of: Callable[[str], int],
        delayed: Callable[[int, int], int],
        number: Callable[[float], int],
    ) -> None:
        self.graph, self.functions = graph, functions
        self.resolve, self.rate_of, self.delayed, self.number = resolve, rate_of, delayed, number
        self._bodies: dict[tuple[str, tuple[int, ...]], int] = {}

    def lower(self, expression: Expression, local: Mapping[str, _Local] | None = None, depth: int = 0) -> int:
        """The node of an expression; `local` are the ids that are known here only: (node, id in the model that it stands for, or None)."""
        done: list[int] = []
        for node in expression.walk("rateOf"):
            count = len(node.args) if node.op != "rateOf" else 0
            args = done[len(done) - count :] if count else []
            del done[len(done) - count :]
            done.append(self._one(node, args, local or {}, depth))
        return done[0]

    def _one(self, node: Expression, args: list[int], local: Mapping[str, _Local], depth: int) -> int:
        graph, op = self.graph, node.op
        if op == "symbol":
            id = str(node.value)
            return local[id][0] if id in local else self.resolve(id)
        if op == "number":
            return self.number(float(node.value))  # type: ignore[arg-type]
        if op == "time":
            return graph.leaf("time")
        if op in ("true", "false"):
            return graph.const(1.0 if op == "true" else 0.0)
        if (value := node.constant) is not None:
            return graph.const(value)
        if op == "call":
            return self._call(node, tuple(args), local, depth)
        if op == "rateOf":
            return self._rate(node.args[0], local)
        if op == "delay":
            return self.delayed(args[0], args[1])
        return self._operation(op, args)

    def _rate(self, inner: Expression, local: Mapping[str, _Local]) -> int:
        """d / dt of a variable; what only a law knows is constant."""
        _, id = local.get(str(inner.value), (0, str(inner.value))) if inner.op == "symbol" else (0, "")
        if id == "":
            raise DataError(f"rateOf: found {infix(inner)[:60]!r}, expected the id of a variable")
        return self.graph.const(0.0) if id is None else self.rate_of(id)

    def _call(self, call: Expression, args: tuple[int, ...], local: Mapping[str, _Local], depth: int) -> int:
        """The body of a function at its arguments; equal calls are one."""
        name = str(call.value)
        function = self.functions[name]
        if len(args) != len(function.arguments):
            raise DataError(f"function {name!r} takes {len(function.arguments)} arguments, found {len(args)}")
        if depth > _DEEPEST_CALLS:
            raise DataError(f"function {name!r}: calls are nested more than {_DEEPEST_CALLS} deep; does it call itself?")
        key = (name, args)
        if key not in self._bodies:
            given = [local.get(str(a.value), (0, str(a.value)))[1] if a.op == "symbol" else "" for a in call.args]
            inside = {argument: (node, id) for argument, node, id in zip(function.arguments, args, given, strict=True)}
            self._bodies[key] = self.lower(function.body, inside, depth + 1)
        return self._bodies[key]

    def _operation(self, op: str, args: list[int]) -> int:
        g = self.graph
        if op in _SAME:
            if op in ("eq", "lt", "leq") and len(args) != 2:
                return self._compared(op, args)
            return g.op(_SAME[op], *args)
        if op in _CHAIN:
            name, empty = _CHAIN[op]
            result = g.fold(name, args, empty)
            return g.op("neq", result, g.const(0.0)) if op in ("and", "or", "xor") and len(args) == 1 else result
        if op in ("gt", "geq"):
            return self._compared("lt" if op == "gt" else "leq", args[::-1])
        if op in ("max", "min"):
            return g.fold(op, args, 0.0)
        if op == "minus":
            return g.op("neg", args[0]) if len(args) == 1 else g.op("sub", args[0], args[1])
        if op == "implies":
            return g.op("or", g.op("not", args[0]), args[1])
        if op == "piecewise":
            return self._piecewise(args)
        if op == "log":
            base = g.constant(args[0])
            return g.op("log10", args[1]) if base == 10 else g.op("div", g.op("ln", args[1]), g.op("ln", args[0]))
        if op == "root":
            degree = g.constant(args[0])
            return g.op("sqrt", args[1]) if degree == 2 else g.op("pow", args[1], g.op("div", g.const(1.0), args[0]))
        one = g.const(1.0)
        if op in _RECIPROCAL:
            return g.op("div", one, g.op(_RECIPROCAL[op], args[0]))
        return g.op(_OF_RECIPROCAL[op], g.op("div", one, args[0]))

    def _compared(self, op: str, args: list[int]) -> int:
        """a < b < c: every neighbouring pair; a single value, and none, is true."""
        pairs = [self.graph.op(op, a, b) for a, b in itertools.pairwise(args)]
        return self.graph.fold("and", pairs, 1.0)

    def _piecewise(self, args: list[int]) -> int:
        g = self.graph
        result = args[-1] if len(args) % 2 else g.const(float("nan"))  # no piece holds and nothing is said for it
        for value, condition in reversed(list(zip(args[0::2], args[1::2], strict=False))):
            result = g.op("select", condition, value, result)
        return result
