from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.bottleneck_bound import GainBound
from sciml.biology.information.bottleneck_loop import Law, log_gain


def law(seed, n, m, sparse=0.5) -> Law:
    rng = np.random.default_rng(seed)
    return Law.of(rng.dirichlet(np.ones(n)), rng.dirichlet(np.full(m, sparse), n))


def simplex(m, side) -> np.ndarray:
    """A fine grid of laws on m states."""
    if m == 2:
        q = np.linspace(0, 1, side**2)
        return np.stack([q, 1 - q], axis=1)
    a, b = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    keep = a + b <= 1 + 1e-12
    return np.clip(np.stack([a[keep], b[keep], 1 - a[keep] - b[keep]], axis=1), 0, 1)


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize("beta", [1.3, 6.0, 80.0])
def test_no_posterior_is_above_the_bound(m, beta):
    for seed in range(4):
        one = law(seed, 9, m, [0.05, 0.5, 0.5, 3.0][seed])
        shares = np.log(one.p) + np.random.default_rng(seed).normal(size=9)
        bound, best, where = GainBound(one).largest(beta, shares, 1e-6 * beta)
        scanned = log_gain(beta, shares, one.divergence(np.concatenate([simplex(m, 301), one.w]))).max()
        assert scanned <= bound + 1e-12
        assert bound - best <= 2e-6 * beta
        assert best >= scanned - 2e-6 * beta
        assert log_gain(beta, shares, one.divergence(where[None]))[0] == pytest.approx(best, abs=1e-9)


def test_a_bound_without_its_margin_fails():
    """The broken twin: the corners of the first boxes alone miss the top between them."""
    one = law(1, 9, 2)
    shares, beta = np.log(one.p), 200.0
    bound = GainBound(one)
    corners = log_gain(beta, shares, one.divergence(bound._root.corners[0])).max()
    assert log_gain(beta, shares, one.divergence(simplex(2, 301))).max() > corners + 1e-9
    assert bound.largest(beta, shares, 1e-6)[0] > corners + 1e-9


def test_halved_boxes_share_their_corners_and_cover_the_whole():
    whole = GainBound(law(0, 9, 3))._root
    halves = whole.split(np.ones(len(whole.sectors), dtype=bool))
    posteriors, own = halves.corners
    assert own.shape == (4 * len(whole.sectors), 4) and len(posteriors) < 0.3 * own.size
    assert np.prod(halves.high - halves.low, axis=1).sum() == pytest.approx(np.prod(whole.high - whole.low, axis=1).sum())
    for box in range(0, len(own), 97):  # q / q_largest is s^2, whatever the sector
        others = np.delete(posteriors[own[box]] / posteriors[own[box]].max(axis=1, keepdims=True), halves.sectors[box], axis=1)
        assert np.sqrt(others.max(axis=0)) == pytest.approx(halves.high[box])


def test_one_relevant_state():
    one = Law.of(np.array([0.3, 0.7]), np.ones((2, 1)))
    bound, best, where = GainBound(one).largest(3.0, np.log(one.p), 1e-9)
    assert (bound, best) == pytest.approx((0, 0))
    assert where == pytest.approx([1])
