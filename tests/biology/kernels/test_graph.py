"""Equal parts are one node; what a node computes is what its formula says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from sciml.biology.kernels import graph as graph_module
from sciml.biology.kernels.graph import Graph
from sciml.errors import DataError
from tests.biology.kernels.graphs import graphs


def test_equal_parts_are_one_node():
    g = Graph()
    x, k = g.leaf("state"), g.leaf("param")
    assert g.op("mul", x, k) == g.op("mul", k, x) and g.op("sub", x, k) != g.op("sub", k, x)
    assert g.const(0.0) != g.const(-0.0) and g.const(math.nan) == g.const(math.nan)
    assert len(g) == 8


def test_doubling_thirty_times_takes_thirty_nodes():
    g = Graph()
    node = g.leaf("state")
    for _ in range(30):
        node = g.op("add", node, node)
    assert len(g) == 31
    assert g.evaluate([node], states=[1.5])[0] == 1.5 * 2**30


def test_arguments_come_before_what_needs_them():
    g = Graph()
    a, b = g.leaf("state", 0), g.leaf("state", 1)
    top = g.op("div", g.op("add", a, b), g.op("exp", a))
    assert g.reach([top]) == sorted(g.reach([top])) and g.reach([top])[-1] == top
    assert g.leaves([top], "state") == {0, 1} and g.leaves([top], "param") == set()


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_arrays_and_numbers_agree(drawn):
    graph, nodes = drawn
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(3, 5)), rng.normal(size=(2, 5))
    together = graph.evaluate(nodes, states=list(y), params=list(p), time=0.7)
    for i in range(5):
        single = graph.evaluate(nodes, states=list(y[:, i]), params=list(p[:, i]), time=0.7)
        for a, b in zip(together, single, strict=True):
            assert np.broadcast_to(a, 5)[i] == pytest.approx(float(b), rel=1e-12, nan_ok=True)


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_a_copy_computes_the_same(drawn):
    graph, nodes = drawn
    other = Graph()
    copies = graph.copy_into(other, nodes, other.leaf)
    y, p = [0.3, -1.2, 2.0], [0.5, 1.5]
    for a, b in zip(graph.evaluate(nodes, states=y, params=p), other.evaluate(copies, states=y, params=p), strict=True):
        assert a == b or (np.isnan(a) and np.isnan(b))


def test_substitution_and_given_values():
    g = Graph()
    x, y = g.leaf("state", 0), g.leaf("state", 1)
    node = g.op("mul", g.op("add", x, y), y)
    assert g.evaluate(g.substitute([node], {y: g.const(2.0)}), states=[3.0]) == [10.0]
    assert g.evaluate([node], states=[3.0, 0.0], given={y: 2.0}) == [10.0]


def test_what_is_structurally_nothing_is_left_out():
    g = Graph()
    x, zero, one = g.leaf("state"), g.const(0.0), g.const(1.0)
    assert g.plus(x, zero) == x and g.times(x, one) == x and g.times(x, zero) == zero and g.over(zero, x) == zero and g.minus(zero) == zero
    assert g.op("add", x, zero) != x  # a formula is taken as it stands


def test_a_formula_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(graph_module, "_MOST_NODES", 10)
    g = Graph()
    with pytest.raises(DataError, match="more than 10 different parts"):
        for i in range(20):
            g.leaf("state", i)
