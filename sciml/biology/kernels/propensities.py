"""What a propensity is made of: its form as a sum of products, its sign, and where it vanishes. All on nodes of a graph, without guessing.

An atom (s, m) is the factor y_s - m. A product of atoms (s, 0), (s, 1), ..., (s, m-1) is a falling factorial, so it is never negative at
whole y_s >= 0.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence

import numpy as np

from sciml.biology.kernels.graph import Graph

__all__ = ["Atoms", "Signs", "difference", "fixed_nodes", "products", "vanishes"]

Atoms = tuple[tuple[int, int], ...]
_MOST_PRODUCTS = 8
_NEVER_NEGATIVE = ("sqrt", "exp", "abs", "cosh", "lt", "leq", "eq", "neq", "and", "or", "xor", "not", "factorial", "acosh")
_KEEPS_SIGN = ("floor", "ceil", "sinh", "tanh", "asinh", "atan", "asin")
_ZERO_IF = {  # an operation is zero where all arguments at one of these rows of places are
    "mul": ((0,), (1,)),
    "select": ((1, 2),),
    **dict.fromkeys(("add", "sub", "min", "max"), ((0, 1),)),
    **dict.fromkeys(("pow", "div", "neg", "abs", "sqrt", "floor", "ceil", "sin", "tan", "sinh", "tanh", "asin", "atan", "asinh"), ((0,),)),
}

_fixed: weakref.WeakKeyDictionary[Graph, list[bool]] = weakref.WeakKeyDictionary()


def fixed_nodes(graph: Graph) -> list[bool]:
    """Per node: whether it depends on parameters and numbers alone. Kept, and continued where the graph has grown."""
    fixed = _fixed.setdefault(graph, [])
    for op, args in zip(graph.ops[len(fixed) :], graph.args[len(fixed) :], strict=True):
        fixed.append(op in ("const", "param") if not args else all(fixed[a] for a in args))
    return fixed


def products(graph: Graph, node: int, fixed: Sequence[bool]) -> dict[Atoms, int] | None:
    """{atoms: node of the coefficient} of a sum of products of whole factors >= 0; None for anything else.

    Nothing is cancelled, so that every product can be computed without loss in single precision.
    """
    known: dict[int, dict[Atoms, int] | None] = {}

    def one(n: int) -> dict[Atoms, int] | None:
        op, args = graph.ops[n], graph.args[n]
        if n < len(fixed) and fixed[n]:
            return {(): n}
        if op == "state":
            return {((int(graph.values[n]), 0),): graph.const(1.0)}
        if op == "sub" and graph.ops[args[0]] == "state" and _whole(graph, args[1]):
            return {((int(graph.values[args[0]]), int(graph.values[args[1]])),): graph.const(1.0)}
        if op not in ("add", "mul", "div"):
            return None
        a, b = known[args[0]], known[args[1]]
        if a is None or b is None:
            return None
        if op == "add":
            return {k: graph.plus(a.get(k, graph.const(0.0)), b.get(k, graph.const(0.0))) for k in {**a, **b}}
        if op == "div":
            return {k: graph.over(c, b[()]) for k, c in a.items()} if set(b) == {()} else None
        found: dict[Atoms, int] = {}
        for left, c in a.items():
            for right, d in b.items():
                atoms = tuple(sorted((*left, *right)))
                found[atoms] = graph.plus(found.get(atoms, graph.const(0.0)), graph.times(c, d))
        return found if len(found) <= _MOST_PRODUCTS else None

    for n in graph.reach([node]):
        known[n] = one(n)
    found = known[node]
    return found if found is not None and all(_falling(atoms) for atoms in found) else None


def _whole(graph: Graph, node: int) -> bool:
    value = graph.constant(node)
    return value is not None and value == round(value) and 1 <= value <= 8


def _falling(atoms: Atoms) -> bool:
    """Whether every factor y - m stands beside y - m + 1, so that the product is never negative."""
    return all(m == 0 or (s, m - 1) in atoms for s, m in atoms)


class Signs:
    """Which nodes are never negative at amounts that are not, for given parameters (p [m] or [n, m])."""

    def __init__(self, graph: Graph, parameters: np.ndarray, real: frozenset[int] = frozenset()) -> None:
        self.graph, self.real = graph, real  # states that are no amounts may have any sign
        self._columns = list(np.moveaxis(np.atleast_2d(parameters), -1, 0))
        self._known: dict[int, bool] = {}

    def positive(self, node: int) -> bool:
        """Whether a node is never negative. False also where that is not plain."""
        graph = self.graph
        if node in self._known:
            return self._known[node]
        fixed = fixed_nodes(graph)
        inner = [n for n in graph.reach([node]) if n not in self._known]
        numbers = [n for n in inner if fixed[n]]
        for n, value in zip(numbers, graph.evaluate(numbers, params=self._columns), strict=True):
            self._known[n] = bool((value >= 0).all())
        for n in inner:
            if not fixed[n]:
                self._known[n] = self._one(n)
        found = None if self._known[node] else products(graph, node, fixed)
        if found is not None and not any(state in self.real for atoms in found for state, _ in atoms):
            values = graph.evaluate(list(found.values()), params=self._columns)
            self._known[node] = all(bool((v >= 0).all()) for v in values)
        return self._known[node]

    def _one(self, n: int) -> bool:
        graph, known = self.graph, self._known
        op, args = graph.ops[n], graph.args[n]
        if op == "state":
            return int(graph.values[n]) not in self.real
        if op == "time" or op in _NEVER_NEGATIVE:
            return True
        if op == "pow":
            power = graph.constant(args[1])
            return known[args[0]] or (power is not None and power % 2 == 0)
        if op == "mul" and args[0] == args[1]:
            return True
        if op == "max":
            return known[args[0]] or known[args[1]]
        if op == "select":
            return known[args[1]] and known[args[2]]
        if op in _KEEPS_SIGN or op in ("add", "mul", "div", "min", "quotient", "rem"):
            return all(known[a] for a in args)
        return False


def difference(graph: Graph, node: int, signs: Signs) -> tuple[int, int] | None:
    """(a, b), never negative, with node = a - b; None where it is no such difference."""
    zero = graph.const(0.0)
    parts: dict[int, tuple[int, int] | None] = {}
    for n in graph.reach([node]):
        op, args = graph.ops[n], graph.args[n]
        inner = [parts.get(a) for a in args]
        if signs.positive(n):
            parts[n] = (n, zero)
        elif signs.positive(graph.minus(n)) or (not args and op in ("const", "param")):
            parts[n] = (zero, graph.minus(n))
        elif any(i is None for i in inner) or op not in ("add", "sub", "neg", "mul", "div"):
            parts[n] = None
        else:
            parts[n] = _combined(graph, op, [i for i in inner if i is not None])
    return parts[node]


def _combined(graph: Graph, op: str, parts: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The two parts of an operation on numbers that are given in two parts each."""
    plus, times = graph.plus, graph.times
    if op == "neg":
        return parts[0][1], parts[0][0]
    (a, b), (c, d) = parts
    if op == "add":
        return plus(a, c), plus(b, d)
    if op == "sub":
        return plus(a, d), plus(b, c)
    if op == "mul":
        return plus(times(a, c), times(b, d)), plus(times(a, d), times(b, c))
    if graph.constant(d) == 0:
        return graph.over(a, c), graph.over(b, c)
    return (graph.over(b, d), graph.over(a, d)) if graph.constant(c) == 0 else None


def vanishes(graph: Graph, node: int, state: int, count: int, positive: Mapping[int, bool]) -> bool:
    """Whether a node is zero by its form wherever a state equals `count`. `positive`: exponents that are above zero."""
    zero: dict[int, bool] = {}
    for n in graph.reach([node]):
        op, args = graph.ops[n], graph.args[n]
        if op == "const":
            zero[n] = graph.values[n] == 0
        elif op == "state":
            zero[n] = int(graph.values[n]) == state and count == 0
        elif op == "sub" and graph.ops[args[0]] == "state" and int(graph.values[args[0]]) == state and graph.constant(args[1]) == count:
            zero[n] = True
        else:
            zero[n] = any(all(zero[args[place]] for place in places) for places in _ZERO_IF.get(op, ()))
            zero[n] &= op != "pow" or positive.get(args[1], False)
    return zero[node]
