"""Formulas as one graph of shared nodes: equal parts are one node, whatever formula they came from.

A node is (operation, arguments, value) with arguments before it, so that the order of the nodes is an order of evaluation. Leaves are
`const` (a number), `state` (an entry of y), `param` (of p), `time`, `lag` (a value from the past, by number) and `unknown` (replaced before
anything is computed). Logic is 1.0 and 0.0; `select` is (condition, then, else). Calls are expanded: equal calls become equal nodes, so
functions nested in each other cost as many nodes as they have different values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sciml.errors import DataError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["BINARY", "LEAVES", "UNARY", "Graph"]

LEAVES = ("const", "state", "param", "time", "lag", "unknown")
UNARY = (
    "neg", "abs", "exp", "ln", "log10", "sqrt", "floor", "ceil", "factorial", "not", "sin", "cos", "tan", "asin", "acos", "atan",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
)  # fmt: skip
BINARY = ("add", "sub", "mul", "div", "pow", "min", "max", "rem", "quotient", "lt", "leq", "eq", "neq", "and", "or", "xor")
_MOST_NODES = 2_000_000


class Graph:
    """Nodes that only grow. Methods that make a node return its number; equal nodes get the same one."""

    def __init__(self) -> None:
        self.ops: list[str] = []
        self.args: list[tuple[int, ...]] = []
        self.values: list[float] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def __len__(self) -> int:
        return len(self.ops)

    def _node(self, op: str, args: tuple[int, ...] = (), value: float = 0.0) -> int:
        key = (op, args, value if value == value else "nan", math.copysign(1.0, value))
        found = self._known.get(key)
        if found is None:
            if len(self.ops) >= _MOST_NODES:
                raise DataError(f"model: its formulas, written out, have more than {_MOST_NODES} different parts")
            found = self._known[key] = len(self.ops)
            self.ops.append(op)
            self.args.append(args)
            self.values.append(value)
        return found

    def const(self, value: float) -> int:
        """A number."""
        return self._node("const", (), float(value))

    def leaf(self, kind: str, index: int = 0) -> int:
        """`state`, `param`, `lag` or `unknown` number `index`, or `time`."""
        return self._node(kind, (), float(index))

    def constant(self, node: int) -> float | None:
        """The number that a node is, or None."""
        return self.values[node] if self.ops[node] == "const" else None

    def op(self, name: str, *args: int) -> int:
        """An operation of `UNARY`, `BINARY` or `select`. Only numbers are computed at once; nothing else is simplified."""
        if name == "pow" and (whole := self.constant(args[1])) in (1.0, 2.0, 3.0, 4.0):
            return self.power(args[0], int(whole))
        if name in ("add", "mul", "and", "or", "xor", "eq", "neq", "min", "max") and args[0] > args[1]:
            args = (args[1], args[0])  # both orders are one node; rounding does not depend on the order of two
        if args and all(self.ops[a] == "const" for a in args):
            return self.const(float(_compute(name, [self.values[a] for a in args])))
        return self._node(name, args)

    def power(self, base: int, exponent: int) -> int:
        """A small whole power by multiplication."""
        result = base
        for _ in range(exponent - 1):
            result = self.op("mul", result, base)
        return result

    def fold(self, name: str, args: Sequence[int], empty: float) -> int:
        """A chain such as a sum, from left to right; `empty` where there is nothing."""
        if not args:
            return self.const(empty)
        result = args[0]
        for arg in args[1:]:
            result = self.op(name, result, arg)
        return result

    # sums and products that leave out what is known to be nothing: for derivatives and linear parts, whose zeros are structural

    def plus(self, a: int, b: int) -> int:
        """a + b without structural zeros."""
        return b if self.constant(a) == 0 else a if self.constant(b) == 0 else self.op("add", a, b)

    def times(self, a: int, b: int) -> int:
        """a b without structural zeros and ones."""
        if self.constant(a) == 0 or self.constant(b) == 0:
            return self.const(0.0)
        return b if self.constant(a) == 1 else a if self.constant(b) == 1 else self.op("mul", a, b)

    def minus(self, a: int) -> int:
        """-a; of a structural zero, zero."""
        return a if self.constant(a) == 0 else self.op("neg", a)

    def over(self, a: int, b: int) -> int:
        """a / b without structural zeros and ones."""
        return a if self.constant(a) == 0 or self.constant(b) == 1 else self.op("div", a, b)

    def reach(self, nodes: Iterable[int]) -> list[int]:
        """All nodes that these need, themselves included, in order of evaluation."""
        seen: set[int] = set()
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack.extend(self.args[node])
        return sorted(seen)

    def leaves(self, nodes: Iterable[int], kind: str) -> set[int]:
        """Which leaves of a kind (`state`, `param`, ...) these nodes need, by index."""
        return {int(self.values[n]) for n in self.reach(nodes) if self.ops[n] == kind}

    def substitute(self, nodes: Sequence[int], change: Mapping[int, int]) -> list[int]:
        """The nodes with some of what they need replaced: {node: node}."""
        new = dict(change)
        for n in self.reach(nodes):
            if n not in new:
                args = tuple(new[a] for a in self.args[n])
                new[n] = n if args == self.args[n] else self.op(self.ops[n], *args)
        return [new[n] for n in nodes]

    def copy_into(self, other: Graph, nodes: Sequence[int], leaf: Callable[[str, int], int]) -> list[int]:
        """The nodes built again in another graph; `leaf(kind, index)` gives the node there for each leaf that is no number."""
        new: dict[int, int] = {}
        for n in self.reach(nodes):
            op = self.ops[n]
            if op == "const":
                new[n] = other.const(self.values[n])
            elif op in LEAVES:
                new[n] = leaf(op, int(self.values[n]))
            else:
                new[n] = other.op(op, *(new[a] for a in self.args[n]))
        return [new[n] for n in nodes]

    def evaluate(
        self,
        nodes: Sequence[int],
        *,
        states: Sequence[Any] = (),
        params: Sequence[Any] = (),
        time: Any = 0.0,
        lags: Sequence[Any] = (),
        given: Mapping[int, Any] | None = None,
    ) -> list[np.ndarray]:
        """Values of nodes by numpy, arrays broadcast over their leading axes; `given` sets nodes (and so what needs them) to values."""
        import numpy as np

        from sciml.biology.kernels.functions import FUNCTIONS

        values: dict[int, Any] = {}
        sources = {"state": states, "param": params, "lag": lags}
        with np.errstate(all="ignore"):
            for n in self.reach(nodes):
                if given and n in given:
                    values[n] = np.asarray(given[n], dtype=float)
                elif (op := self.ops[n]) == "const":
                    values[n] = np.float64(self.values[n])
                elif op == "time":
                    values[n] = np.asarray(time, dtype=float)
                elif op in sources:
                    values[n] = np.asarray(sources[op][int(self.values[n])], dtype=float)
                else:
                    values[n] = FUNCTIONS[op](*(values[a] for a in self.args[n]))
        return [values[n] for n in nodes]


def _compute(name: str, values: list[float]) -> float:
    import numpy as np

    from sciml.biology.kernels.functions import FUNCTIONS

    with np.errstate(all="ignore"):
        return float(FUNCTIONS[name](*(np.float64(v) for v in values)))
