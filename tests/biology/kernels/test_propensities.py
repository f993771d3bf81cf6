"""Forms, signs and zeros of propensities on small graphs, against numpy at random whole amounts."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.propensities import Signs, difference, fixed_nodes, products, vanishes


@pytest.fixture
def g() -> Graph:
    return Graph()


def leaves(g: Graph):
    return g.leaf("state", 0), g.leaf("state", 1), g.leaf("param", 0), g.leaf("param", 1)


def test_sums_of_products(g):
    x, y, k, q = leaves(g)
    node = g.op("mul", g.op("add", g.op("mul", k, x), q), g.op("div", y, q))  # (k x + q) y / q
    found = products(g, node, fixed_nodes(g))
    assert found is not None and set(found) == {((0, 0), (1, 0)), ((1, 0),)}
    values = g.evaluate(list(found.values()), params=[3.0, 5.0])
    assert dict(zip(found, map(float, values), strict=True)) == pytest.approx({((0, 0), (1, 0)): 0.6, ((1, 0),): 1.0})


def test_falling_factorials_and_what_is_none(g):
    x, y, k, _ = leaves(g)
    less = g.op("sub", x, g.const(1.0))
    assert set(products(g, g.op("mul", g.op("mul", k, x), less), fixed_nodes(g)) or ()) == {((0, 0), (0, 1))}
    for node in (less, g.op("mul", less, y), g.op("sub", x, y), g.op("div", k, x), g.op("exp", x)):
        assert products(g, node, fixed_nodes(g)) is None


def test_signs(g):
    x, y, k, q = leaves(g)
    pair = g.op("mul", g.op("mul", x, g.op("sub", x, g.const(1.0))), k)
    never = [g.op("mul", k, x), pair, g.op("exp", g.op("neg", x)), g.op("max", q, x)]
    may = [g.op("sub", x, y), g.op("mul", q, x), g.op("sin", x), g.op("ln", x)]
    signs = Signs(g, np.array([2.0, -1.0]))
    assert all(signs.positive(n) for n in never) and not any(signs.positive(n) for n in may)
    assert not Signs(g, np.array([2.0, 1.0]), frozenset({0})).positive(g.op("mul", k, x))


def test_differences_are_equal_to_the_law(g):
    x, y, k, q = leaves(g)
    law = g.op("mul", k, g.op("div", g.op("sub", x, g.op("div", y, q)), g.op("add", g.const(1.0), x)))
    p = np.array([2.0, 3.0])
    signs = Signs(g, p)
    parts = difference(g, law, signs)
    assert parts is not None and all(signs.positive(part) for part in parts)
    amounts = list(np.random.default_rng(0).integers(0, 20, (2, 50)).astype(float))
    a, b, whole = g.evaluate([*parts, law], states=amounts, params=list(p))
    assert np.allclose(a - b, whole) and (a >= 0).all() and (b >= 0).all()
    assert difference(g, g.op("sin", x), signs) is None


def test_where_a_law_vanishes(g):
    x, y, k, _ = leaves(g)
    pair = g.op("mul", g.op("mul", k, x), g.op("sub", x, g.const(1.0)))
    assert vanishes(g, pair, 0, 0, {}) and vanishes(g, pair, 0, 1, {}) and not vanishes(g, pair, 0, 2, {})
    hill = g.op("div", g.op("pow", x, k), g.op("add", g.const(1.0), g.op("pow", x, k)))
    assert vanishes(g, hill, 0, 0, {k: True}) and not vanishes(g, hill, 0, 0, {})
    assert not vanishes(g, g.op("mul", k, y), 0, 0, {})
