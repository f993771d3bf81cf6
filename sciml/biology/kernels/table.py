"""A graph as a table that one loop walks: for networks too large to generate code for. Compiled once for all models.

The table is one array of whole numbers: [number of rows, number of results, results..., then per row: operation, a, b, c]. Numbers stand in
a row as their 64 bits. Rows are in order of evaluation; a, b, c are rows.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from sciml.biology.kernels.graph import BINARY, LEAVES, UNARY, Graph
from sciml.biology.kernels.source import HEADER, written

__all__ = ["CODES", "table", "walk_source"]

CODES = {name: code for code, name in enumerate(("const", "state", "param", "time", *UNARY, *BINARY, "select"))}


def table(graph: Graph, nodes: Sequence[int], parameters: int) -> np.ndarray:
    """int64 [2 + len(nodes) + 4 rows] for `walk`; lags follow the `parameters` in p."""
    order = graph.reach(nodes)
    row = {n: i for i, n in enumerate(order)}
    cells = np.zeros((len(order), 4), dtype=np.int64)
    for i, n in enumerate(order):
        op = graph.ops[n]
        if op == "const":
            cells[i, :2] = CODES["const"], np.float64(graph.values[n]).view(np.int64)
        elif op == "lag":
            cells[i, :2] = CODES["param"], parameters + int(graph.values[n])
        elif op in LEAVES:
            cells[i, :2] = CODES[op], int(graph.values[n])
        else:
            args = [row[a] for a in graph.args[n]]
            cells[i, : 1 + len(args)] = CODES[op], *args
    head = np.array([len(order), len(nodes), *(row[n] for n in nodes)], dtype=np.int64)
    return np.concatenate([head, cells.ravel()])


def walk_source() -> str:
    """The source of `f(t, y, p, out, context)` that walks a table: each operation is written as `source` writes it, so the two agree."""
    args = {**dict.fromkeys(UNARY, 1), **dict.fromkeys(BINARY, 2), "select": 3}
    cases = [f"elif op == {CODES[op]}:\n    w[i] = {written(op, ['w[a]', 'w[b]', 'w[c]'][:count])}" for op, count in args.items()]
    return HEADER + _WALK.replace("CASES", textwrap.indent("\n".join(cases), " " * 8).strip())


_WALK = """

def f(t, y, p, out, context):
    rows, results = context[0], context[1]
    first = 2 + results
    w = np.empty(rows)
    for i in range(rows):
        at = first + 4 * i
        op, a, b, c = context[at], context[at + 1], context[at + 2], context[at + 3]
        if op == 0:
            w[i] = np.int64(a).view(np.float64)
        elif op == 1:
            w[i] = y[a]
        elif op == 2:
            w[i] = p[a]
        elif op == 3:
            w[i] = t
        CASES
    for k in range(results):
        out[k] = w[context[2 + k]]
"""
