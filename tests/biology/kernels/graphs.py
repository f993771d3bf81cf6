"""Random graphs for the tests of kernels: every operation, leaves of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from sciml.biology.kernels.graph import BINARY, UNARY, Graph

STATES, PARAMS = 3, 2


@st.composite
def graphs(draw, unary=UNARY, binary=BINARY, most=25):
    """(graph, nodes): a graph of up to `most` operations and three of its nodes."""
    graph = Graph()
    nodes = [graph.leaf("state", i) for i in range(STATES)] + [graph.leaf("param", i) for i in range(PARAMS)]
    nodes += [graph.leaf("time"), graph.const(draw(st.sampled_from([0.0, 1.0, 2.0, -1.5, 0.3])))]
    for _ in range(draw(st.integers(1, most))):
        pick = st.sampled_from(nodes)
        kind = draw(st.sampled_from(["unary", "binary", "binary", "select"]))
        if kind == "unary":
            nodes.append(graph.op(draw(st.sampled_from(unary)), draw(pick)))
        elif kind == "binary":
            nodes.append(graph.op(draw(st.sampled_from(binary)), draw(pick), draw(pick)))
        else:
            nodes.append(graph.op("select", graph.op("lt", draw(pick), draw(pick)), draw(pick), draw(pick)))
    return graph, nodes[-3:]


values = st.floats(-3, 3).map(lambda x: round(x, 3))
SMOOTH = ("neg", "exp", "sin", "cos", "tanh", "atan", "sinh", "asinh")
