"""Linear equations between nodes, solved in the graph: algebraic rules, and fast reactions whose rates keep their laws at zero."""

from __future__ import annotations

from collections.abc import Sequence

from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.graph import Graph
from sciml.errors import DataError

__all__ = ["NotLinearError", "solve"]


class NotLinearError(DataError):
    """Equations that do not determine their unknowns by elimination."""


def solve(graph: Graph, equations: Sequence[int], unknowns: Sequence[int], *, resting: bool = False) -> dict[int, int]:
    """{unknown: node} such that every equation (a node) is zero: Gaussian elimination on nodes.

    The equations must be linear in the `unknown` leaves of these indices (their coefficients may depend on anything else). Equations that
    hold by structure are left out. `resting`: where a coefficient to divide by is zero at run time (a reaction that is switched off), its
    unknown is zero. Raises NotLinearError where an unknown is not determined.
    """
    if not unknowns:
        return {}
    alone, equations = _alone(graph, list(equations), unknowns)
    unknowns = [u for u in unknowns if u not in alone]
    zero = graph.const(0.0)
    leaves = {graph.leaf("unknown", u): zero for u in unknowns}
    wanted = set(unknowns)
    rows = []
    for equation, slopes in zip(equations, partials(graph, equations, "unknown"), strict=True):
        row = {u: node for u, node in slopes.items() if u in wanted}
        if any(wanted & graph.leaves([node], "unknown") for node in row.values()):
            raise NotLinearError("an equation is not linear in what it should determine")
        rows.append((row, graph.minus(graph.substitute([equation], leaves)[0])))
    pivots: list[tuple[int, dict[int, int], int]] = []
    for unknown in unknowns:
        # a constant pivot is the surest; any that is not zero by structure may be used
        found = min((r for r in rows if unknown in r[0]), key=lambda r: (graph.constant(r[0][unknown]) is None, len(r[0])), default=None)
        if found is None:
            raise NotLinearError("the equations do not determine all that they should")
        rows.remove(found)
        row, right = found
        over = _guarded if resting and graph.constant(row[unknown]) is None else Graph.over
        scaled = {u: over(graph, node, row[unknown]) for u, node in row.items() if u != unknown}
        pivot = (unknown, scaled, over(graph, right, row[unknown]))
        rows = [_reduced(graph, r, pivot) for r in rows]
        pivots = [(p[0], *_reduced(graph, (p[1], p[2]), pivot)) for p in pivots]
        pivots.append(pivot)
    return {**alone, **{unknown: right for unknown, _, right in pivots}}


def _alone(graph: Graph, equations: list[int], unknowns: Sequence[int]) -> tuple[dict[int, int], list[int]]:
    """({unknown: node} of equations that hold one unknown only and are linear in it, one after the other; the other equations).

    So what is not linear in two unknowns may still be linear in one, once the other is known.
    """
    found: dict[int, int] = {}
    held = [graph.leaves([equation], "unknown") & set(unknowns) for equation in equations]
    waiting = [i for i, leaves in enumerate(held) if len(leaves) == 1]
    left = dict(enumerate(equations))
    while waiting:
        index = waiting.pop()
        unknown = next(iter(held[index]), -1)
        slope = partials(graph, [left[index]], "unknown")[0].get(unknown)
        if slope is None or unknown in graph.leaves([slope], "unknown") or unknown in found or graph.constant(slope) is None:
            continue
        leaf = graph.leaf("unknown", unknown)
        found[unknown] = graph.over(graph.minus(graph.substitute([left.pop(index)], {leaf: graph.const(0.0)})[0]), slope)
        for other in [i for i in left if unknown in held[i]]:
            left[other] = graph.substitute([left[other]], {leaf: found[unknown]})[0]
            held[other] = held[other] - {unknown}
            if len(held[other]) == 1:
                waiting.append(other)
    return found, list(left.values())


def _guarded(graph: Graph, a: int, b: int) -> int:
    """a / b, and zero where b is."""
    zero = graph.const(0.0)
    return a if graph.constant(a) == 0 else graph.op("select", graph.op("eq", b, zero), zero, graph.op("div", a, b))


def _reduced(graph: Graph, equation: tuple[dict[int, int], int], pivot: tuple[int, dict[int, int], int]) -> tuple[dict[int, int], int]:
    """An equation with the pivot's unknown eliminated."""
    row, right = equation
    unknown, others, value = pivot
    if unknown not in row:
        return equation
    factor = row[unknown]
    result = {u: node for u, node in row.items() if u != unknown}
    for u, node in others.items():
        changed = graph.plus(result.get(u, graph.const(0.0)), graph.minus(graph.times(factor, node)))
        result[u] = changed
    result = {u: node for u, node in result.items() if graph.constant(node) != 0}
    return result, graph.plus(right, graph.minus(graph.times(factor, value)))
