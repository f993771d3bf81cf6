"""Generated and table-driven functions against numpy's evaluation of the same graph."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.kernels import native as native_module
from sciml.biology.kernels.graph import BINARY, UNARY, Graph
from sciml.biology.kernels.native import native


def everything() -> tuple[Graph, list[int]]:
    """One node of every operation, on leaves of every kind."""
    g = Graph()
    y = [g.leaf("state", i) for i in range(3)]
    p, lag, t = g.leaf("param", 0), g.leaf("lag", 0), g.leaf("time")
    nodes = [g.op(name, g.op("div", y[0], p)) for name in UNARY]
    nodes += [g.op(name, a, b) for name in BINARY for a, b in ((y[0], y[1]), (p, y[2]), (lag, t))]
    nodes += [g.op("select", g.op("lt", y[0], y[1]), y[2], g.const(np.inf)), g.const(-1.25)]
    return g, nodes


POINTS = [([0.3, 1.5, 2.0], [1.7, 0.25]), ([-2.0, 0.0, 3.0], [1.0, -1.0]), ([0.5, 0.5, -7.0], [2.0, 0.0]), ([5.0, -3.0, 0.0], [3.0, 4.0])]


@pytest.mark.parametrize("kind", ["generated", "table"])
def test_as_numpy_computes(kind, monkeypatch):
    monkeypatch.setattr(native_module, "LARGEST_GENERATED", 0 if kind == "table" else 10_000)
    graph, nodes = everything()
    function = native(graph, nodes, 1)
    assert function.kind == kind
    for y, p in POINTS:
        wanted = graph.evaluate(nodes, states=y, params=p[:1], time=1.25, lags=p[1:])
        found = function(1.25, np.array(y), np.array(p))
        np.testing.assert_allclose(found, np.array(wanted, dtype=float), rtol=3e-15, atol=0)


def test_the_choice_follows_the_number_of_nodes_alone():
    g = Graph()
    node = g.leaf("state")
    for i in range(native_module.LARGEST_GENERATED + 1):
        node = g.op("add", node, g.const(float(i + 2)))
    function = native(g, [node], 0)
    assert function.kind == "table"
    n = native_module.LARGEST_GENERATED + 1
    assert function(0.0, np.array([1.0]), np.zeros(1))[0] == 1 + n * (n + 3) / 2
