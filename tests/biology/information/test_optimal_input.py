"""The interior point: against an independent slow Blahut-Arimoto, on channels made to be hard, with and without a cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.information.optimal_input import best_input

TOLERANCE = 1e-9


def blahut(w, cost=None, price=0.0, steps=3000):
    """(I(p), certified upper bound), nats, after plain steps p <- p exp(D - price cost) of the two papers of 1972."""
    p = np.full(len(w), 1 / len(w))
    fee = 0.0 if cost is None else price * cost
    for _ in range(steps):
        q = p @ w
        with np.errstate(divide="ignore", invalid="ignore"):
            d = np.where(w > 0, w * np.log(w / q), 0.0).sum(1)
        gain = d - fee
        p = p * np.exp(gain - gain.max())
        p /= p.sum()
    return p, float(p @ d), float(gain.max())


def hard(seed):
    """A channel and the kind of trouble that it makes."""
    rng = np.random.default_rng(seed)
    n, m, kind = *rng.integers(1, 30, size=2), seed % 8
    w = rng.dirichlet(np.full(m, 10.0 ** rng.uniform(-2.5, 1)), size=n)
    if kind == 1:  # equal rows
        w = w[rng.integers(n, size=n)]
    elif kind == 2:  # nearly without noise
        w = np.eye(m)[rng.integers(m, size=n)] * (1 - 10.0 ** -rng.integers(1, 15)) + w * 10.0 ** -rng.integers(1, 15)
    elif kind == 3:  # nearly useless
        w = w[:1] + 10.0 ** -rng.uniform(1, 8) * w
    elif kind == 4:  # probabilities over 300 decades
        w = 10.0 ** (-300 * rng.random((n, m)) ** 2) + np.eye(m)[rng.integers(m, size=n)]
    elif kind == 5:  # zeros
        w = w * (rng.random((n, m)) < 0.3)
        w[np.arange(n), rng.integers(m, size=n)] += 10.0 ** -rng.uniform(0, 10)
    elif kind == 6:  # rare outputs that one input alone has
        w = np.hstack([w, np.diag(10.0 ** -rng.uniform(0, 12, size=n))])
    elif kind == 7:  # rows that are mixtures of others
        w = np.vstack([w, rng.dirichlet(np.ones(n), size=5) @ w])
    w = np.where(w < 1e-200, 0, w / w.sum(1, keepdims=True))
    w = w[:, w.any(0)]
    return w / w.sum(1, keepdims=True)


def check_bracket(found, w, cost=None, budget=None):
    assert found.gap <= TOLERANCE
    assert found.lower <= found.value <= found.upper + 1e-15
    assert found.p.min() >= 0 and found.p.sum() == pytest.approx(1, abs=1e-12)
    if cost is not None:
        assert cost @ found.p <= budget and found.price >= 0


@pytest.mark.parametrize("seed", range(200))
def test_hard_channels(seed):
    w = hard(seed)
    check_bracket(best_input(w, TOLERANCE), w)


@pytest.mark.parametrize("seed", range(200))
def test_hard_channels_with_a_cost(seed):
    w, rng = hard(seed), np.random.default_rng(seed + 1)
    cost = np.round(rng.random(len(w)) ** rng.uniform(0.2, 5), seed % 4 + 1)
    if np.ptp(cost) > 0:
        cost, budget = (cost - cost.min()) / np.ptp(cost), float(np.clip(rng.random() ** rng.uniform(0.3, 6), 1e-9, 0.999))
        check_bracket(best_input(w, TOLERANCE, cost, budget), w, cost, budget)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 8), st.integers(2, 8), st.floats(-0.5, 1), st.integers(0, 10**6))
def test_slow_blahut_arimoto_agrees(n, m, width, seed):
    w = np.random.default_rng(seed).dirichlet(np.full(m, 10.0**width), size=n)
    _, value, upper = blahut(w)
    found = best_input(w, TOLERANCE)
    assert found.upper >= value - 1e-12
    assert found.lower <= upper + 1e-12
    assert found.value == pytest.approx(value, abs=upper - value + TOLERANCE)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 8), st.integers(2, 8), st.floats(0, 3), st.integers(0, 10**6))
def test_slow_blahut_arimoto_agrees_at_a_price(n, m, price, seed):
    """At a price Blahut-Arimoto finds the best law for some budget; at that budget the interior point finds it, and nothing better."""
    rng = np.random.default_rng(seed)
    w, cost = rng.dirichlet(np.ones(m), size=n), np.append(rng.random(n - 2), [0, 1])
    p, value, most = blahut(w, cost, price)
    budget = float(cost @ p)
    if 1e-6 < budget < 1 - 1e-6:
        found = best_input(w, TOLERANCE, cost, budget)
        assert found.upper >= value - 1e-9
        assert found.lower <= most + price * budget + 1e-9  # I <= max (D - k c) + k B
