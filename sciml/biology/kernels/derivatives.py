"""Partial derivatives of the nodes of a graph, forwards: one sparse row {leaf: node} per node, all shared in the same graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciml.biology.kernels.graph import Graph

__all__ = ["partials", "total"]

_STEPS = frozenset(("floor", "ceil", "not", "factorial", "quotient", "lt", "leq", "eq", "neq", "and", "or", "xor"))


def partials(graph: Graph, nodes: Sequence[int], kind: str) -> list[dict[int, int]]:
    """Per node {index of a leaf of `kind`: node of the partial derivative}; absent: zero."""
    rows: dict[int, dict[int, int]] = {}
    one = graph.const(1.0)
    for n in graph.reach(nodes):
        if graph.ops[n] == kind:
            rows[n] = {int(graph.values[n]): one}
        elif not graph.args[n] or graph.ops[n] in _STEPS:
            rows[n] = {}
        else:
            rows[n] = _row(graph, n, rows)
    return [rows[n] for n in nodes]


def total(graph: Graph, node: int, rates: Callable[[int], int]) -> int:
    """d node / dt where state i changes at the rate `rates(i)` (a node) and time by 1."""
    result = graph.const(0.0)
    for index, partial in partials(graph, [node], "state")[0].items():
        result = graph.plus(result, graph.times(partial, rates(index)))
    for partial in partials(graph, [node], "time")[0].values():
        result = graph.plus(result, partial)
    return result


def _row(graph: Graph, n: int, rows: dict[int, dict[int, int]]) -> dict[int, int]:
    """The chain rule at one node."""
    args = graph.args[n]
    if not any(rows[a] for a in args):
        return {}
    if graph.ops[n] in ("select", "min", "max"):
        return _branches(graph, n, rows)
    result: dict[int, int] = {}
    for position, a in enumerate(args):
        if not rows[a]:
            continue
        factor = _factor(graph, n, position)
        for leaf, partial in rows[a].items():
            term = graph.times(factor, partial)
            result[leaf] = graph.plus(result[leaf], term) if leaf in result else term
    return {leaf: node for leaf, node in result.items() if graph.constant(node) != 0}


def _branches(graph: Graph, n: int, rows: dict[int, dict[int, int]]) -> dict[int, int]:
    args, zero = graph.args[n], graph.const(0.0)
    if graph.ops[n] == "select":
        condition, (then, other) = args[0], args[1:]
    else:
        then, other = args
        condition = graph.op("leq", then, other) if graph.ops[n] == "min" else graph.op("leq", other, then)
    leaves = rows[then].keys() | rows[other].keys()
    return {leaf: graph.op("select", condition, rows[then].get(leaf, zero), rows[other].get(leaf, zero)) for leaf in sorted(leaves)}


def _factor(g: Graph, n: int, position: int) -> int:
    """d node / d its argument number `position`."""
    op, args = g.ops[n], g.args[n]
    one = g.const(1.0)
    a = args[0]
    if op in ("add", "sub", "neg"):
        return g.const(-1.0) if op == "neg" or (op == "sub" and position == 1) else one
    if op == "mul":
        return args[1 - position]
    if op == "div":
        return g.over(one, args[1]) if position == 0 else g.minus(g.over(n, args[1]))
    if op == "pow":
        b = args[1]
        if position == 1:
            # where the base is zero the power does not change with its exponent
            return g.op("select", g.op("eq", a, g.const(0.0)), g.const(0.0), g.times(n, g.op("ln", a)))
        return g.times(b, g.op("pow", a, g.op("sub", b, one)))
    if op == "rem":
        return one if position == 0 else g.minus(g.op("quotient", a, args[1]))
    return _unary(g, n, a, one)


def _unary(g: Graph, n: int, a: int, one: int) -> int:
    """d f(a) / d a."""
    square = g.op("mul", a, a)
    rules: dict[str, Callable[[], int]] = {
        "abs": lambda: g.op("select", g.op("lt", a, g.const(0.0)), g.const(-1.0), one),
        "exp": lambda: n,
        "ln": lambda: g.over(one, a),
        "log10": lambda: g.over(g.const(0.4342944819032518), a),
        "sqrt": lambda: g.over(g.const(0.5), n),
        "sin": lambda: g.op("cos", a),
        "cos": lambda: g.minus(g.op("sin", a)),
        "tan": lambda: g.op("add", one, g.op("mul", n, n)),
        "asin": lambda: g.over(one, g.op("sqrt", g.op("sub", one, square))),
        "acos": lambda: g.minus(g.over(one, g.op("sqrt", g.op("sub", one, square)))),
        "atan": lambda: g.over(one, g.op("add", one, square)),
        "sinh": lambda: g.op("cosh", a),
        "cosh": lambda: g.op("sinh", a),
        "tanh": lambda: g.op("sub", one, g.op("mul", n, n)),
        "asinh": lambda: g.over(one, g.op("sqrt", g.op("add", square, one))),
        "acosh": lambda: g.over(one, g.op("sqrt", g.op("sub", square, one))),
        "atanh": lambda: g.over(one, g.op("sub", one, square)),
    }
    return rules[g.ops[n]]()
