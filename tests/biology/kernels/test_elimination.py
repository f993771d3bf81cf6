"""Linear equations between nodes against numpy's solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.kernels.elimination import NotLinearError, solve
from sciml.biology.kernels.graph import Graph


@given(st.integers(1, 4), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_as_numpy_solves(n, seed):
    rng = np.random.default_rng(seed)
    matrix, right = rng.normal(size=(n, n)), rng.normal(size=n)
    g = Graph()
    equations = []
    for row, b in zip(matrix, right, strict=True):
        terms = [g.op("mul", g.const(a), g.leaf("unknown", i)) for i, a in enumerate(row)]
        equations.append(g.op("sub", g.fold("add", terms, 0.0), g.op("mul", g.const(b), g.leaf("state"))))
    found = solve(g, equations, list(range(n)))
    values = g.evaluate([found[i] for i in range(n)], states=[2.0])
    np.testing.assert_allclose(values, np.linalg.solve(matrix, 2 * right), rtol=1e-6)


def test_coefficients_may_depend_on_states():
    g = Graph()
    u, x = g.leaf("unknown", 0), g.leaf("state")
    found = solve(g, [g.op("sub", g.op("mul", g.op("exp", x), u), x)], [0])
    assert float(g.evaluate([found[0]], states=[1.0])[0]) == pytest.approx(np.exp(-1))


def test_what_holds_by_structure_is_left_out():
    g = Graph()
    u = g.leaf("unknown", 0)
    equation = g.op("sub", u, g.leaf("state"))
    assert g.evaluate([solve(g, [equation, equation], [0])[0]], states=[4.0]) == [4.0]


def test_what_is_linear_in_one_unknown_comes_before_what_is_not_linear_in_two():
    """u = x, w u = 6."""
    g = Graph()
    u, w, x = g.leaf("unknown", 0), g.leaf("unknown", 1), g.leaf("state")
    found = solve(g, [g.op("sub", g.op("mul", w, u), g.const(6.0)), g.op("sub", u, x)], [0, 1])
    assert [float(v) for v in g.evaluate([found[0], found[1]], states=[2.0])] == [2.0, 3.0]


@pytest.mark.parametrize("power", ["square", "missing"])
def test_what_is_not_determined_is_refused(power):
    g = Graph()
    u = g.leaf("unknown", 0)
    equation = g.op("mul", u, u) if power == "square" else g.leaf("state")
    with pytest.raises(NotLinearError):
        solve(g, [equation], [0])


def test_what_is_switched_off_rests():
    """k u = k x: u = x, and 0 while k is 0."""
    g = Graph()
    k, u, x = g.leaf("param"), g.leaf("unknown", 0), g.leaf("state")
    equation = g.op("sub", g.op("mul", k, u), g.op("mul", k, x))
    (node,) = solve(g, [equation], [0], resting=True).values()
    assert g.evaluate([node], states=[3.0], params=[2.0]) == [3.0] and g.evaluate([node], states=[3.0], params=[0.0]) == [0.0]
