"""The walk over rows computes every operation as numpy does."""

from __future__ import annotations

import numba
import numpy as np

from sciml.biology.kernels.functions import FUNCTIONS
from sciml.biology.kernels.graph import BINARY, UNARY, Graph
from sciml.biology.kernels.table import table
from sciml.biology.simulation.row_walk import walk, walk_address


@numba.njit
def _run(flat, first, last, w, t, y, p):
    walk(flat, first, last, w, t, y, p)


def test_every_operation():
    g = Graph()
    x, k, t = g.leaf("state", 0), g.leaf("param", 0), g.leaf("time")
    nodes = [g.op(name, x) for name in UNARY] + [g.op(name, x, k) for name in BINARY]
    nodes += [g.op("select", g.op("lt", x, k), t, g.const(2.5)), g.op("add", t, x)]
    flat = table(g, nodes, 1)
    results, rows = flat[2 : 2 + len(nodes)], flat[2 + len(nodes) :]
    count = len(rows) // 4
    whole = np.concatenate([[walk_address(), 2 + count], np.arange(count), rows]).astype(np.int64)
    for value, other in ((0.3, 2.0), (0.9, 0.9), (0.5, -3.0)):
        w = np.zeros(count)
        _run(whole, 2, 2 + count, w, 1.5, np.array([value]), np.array([other]))
        expected = g.evaluate(nodes, states=[value], params=[other], time=1.5)
        assert np.allclose(w[results], np.array([float(e) for e in expected]), rtol=1e-12, equal_nan=True)
    assert len(FUNCTIONS) == len(UNARY) + len(BINARY) + 1
