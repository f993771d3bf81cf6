"""Partial derivatives against central differences, total ones against the chain rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sciml.biology.kernels.derivatives import partials, total
from sciml.biology.kernels.graph import Graph
from tests.biology.kernels.graphs import PARAMS, SMOOTH, STATES, graphs, values

POINT = st.lists(values, min_size=STATES + PARAMS, max_size=STATES + PARAMS)


@given(graphs(unary=SMOOTH, binary=("add", "sub", "mul"), most=10), POINT)
@settings(max_examples=80, deadline=None)
def test_partials_are_slopes(drawn, point):
    graph, nodes = drawn
    y, p = np.array(point[:STATES]), point[STATES:]
    h = 1e-6
    rows = partials(graph, nodes, "state")
    for node, row in zip(nodes, rows, strict=True):
        for i in range(STATES):
            step = h * np.eye(STATES)[i]
            up, down, mid = (float(graph.evaluate([node], states=list(y + s), params=p, time=0.4)[0]) for s in (step, -step, 0 * step))
            assume(np.isfinite([up, down, mid]).all() and abs(mid) < 1e4 and abs(up - down) < 1e3 * h)
            assume(abs(up + down - 2 * mid) < 1e-7)  # no kink of a choice here
            slope = float(graph.evaluate([row[i]], states=list(y), params=p, time=0.4)[0]) if i in row else 0.0
            assert slope == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize(
    ("op", "x", "slope"),
    [
        ("ln", 2.0, 0.5),
        ("sqrt", 4.0, 0.25),
        ("abs", -3.0, -1.0),
        ("acos", 0.5, -1 / 0.75**0.5),
        ("asin", 0.5, 0.75**-0.5),
        ("tan", 0.3, 1 + np.tan(0.3) ** 2),
        ("atanh", 0.5, 4 / 3),
        ("acosh", 2.0, 3**-0.5),
        ("log10", 10.0, 0.1 / np.log(10)),
        ("floor", 1.5, 0.0),
    ],
)
def test_closed_forms(op, x, slope):
    g = Graph()
    row = partials(g, [g.op(op, g.leaf("state"))], "state")[0]
    found = float(g.evaluate([row[0]], states=[x])[0]) if row else 0.0
    assert found == pytest.approx(slope, rel=1e-14)


def test_powers_of_zero_have_no_infinite_slope_in_the_exponent():
    g = Graph()
    x, n = g.leaf("state", 0), g.leaf("state", 1)
    row = partials(g, [g.op("pow", x, n)], "state")[0]
    assert g.evaluate([row[0], row[1]], states=[0.0, 2.5]) == [0.0, 0.0]
    assert g.evaluate([row[1]], states=[2.0, 3.0])[0] == pytest.approx(8 * np.log(2))


def test_a_chain_costs_as_many_nodes_as_it_is_long():
    g = Graph()
    node = g.leaf("state")
    for _ in range(2000):
        node = g.op("sin", node)
    before = len(g)
    partials(g, [node], "state")
    assert len(g) - before <= 3 * 2000


def test_total_derivative_follows_states_and_time():
    g = Graph()
    x, t = g.leaf("state"), g.leaf("time")
    node = g.op("mul", g.op("mul", x, x), t)
    change = total(g, node, lambda index: g.op("neg", x))
    assert float(g.evaluate([change], states=[3.0], time=2.0)[0]) == 2 * 3 * -3 * 2 + 9
