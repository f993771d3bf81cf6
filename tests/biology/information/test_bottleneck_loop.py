from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.bottleneck_loop import Law, Mixture, Starts, climb, levelled, log_gain, solve
from tests.biology.information.bottleneck_laws import informations


def problem(seed=0, n=10, m=4):
    rng = np.random.default_rng(seed)
    law = Law.of(rng.dirichlet(np.ones(n)), rng.dirichlet(np.full(m, 0.4), n))
    return law, Starts(law, rng)


@pytest.mark.parametrize("beta", [1.5, 4.0, 30.0])
def test_solution_is_self_consistent(beta):
    """p(t|x) = p(t) exp(-beta KL(w_x || q_t)) / z_x with p(t) and q_t made from it (Tishby, Pereira and Bialek 1999)."""
    law, starts = problem()
    found = solve(law, beta, (law.p, law.w), starts, 1e-8 * beta)[0]
    encoder = found.encoder(law)
    share = law.p @ encoder
    np.testing.assert_allclose(share, found.weights, atol=2e-5)
    np.testing.assert_allclose((encoder * law.p[:, None]).T @ law.w / share[:, None], found.posteriors, atol=2e-3)
    i_x, i_y = (np.log(2) * bits for bits in informations(law.p[:, None] * law.w, encoder))
    whole = float(law.p @ law.divergence(law.p_y[None])[:, 0])
    assert beta * i_y - i_x == pytest.approx(beta * whole - found.objective, abs=1e-6 * beta)


@pytest.mark.parametrize("beta", [1.5, 4.0, 30.0])
def test_no_long_run_of_plain_steps_does_better(beta):
    """The plain iteration from 30 random encoders, 2,000 steps each, all at the same time."""
    law, starts = problem(3, 8, 4)
    best = solve(law, beta, (law.p, law.w), starts, 1e-8 * beta)[0].objective
    encoder = np.random.default_rng(1).dirichlet(np.full(9, 0.3), (30, 8))
    for _ in range(2000):
        share = np.einsum("x,kxt->kt", law.p, encoder)
        q = np.einsum("x,kxt,xy->kty", law.p, encoder, law.w) / np.maximum(share, 1e-300)[..., None]
        d = -np.einsum("xy,kty->kxt", law.w, np.log(np.maximum(q, 1e-300))) - law.entropy[:, None]
        joint = share[:, None, :] * np.exp(-beta * d)
        z = joint.sum(axis=2)
        encoder = joint / z[..., None]
    assert best <= (-(np.log(z) @ law.p)).min() + 1e-7 * beta


def test_climbing_never_loses():
    law, starts = problem(2)
    shares = np.log(law.p) + np.random.default_rng(0).normal(size=10)
    before = log_gain(5.0, shares, law.divergence(starts.posteriors))
    posteriors, after = climb(law, 5.0, shares, starts.posteriors, 3)
    assert (after >= before - 1e-9).mean() > 0.95  # an extrapolated step may cross into another valley
    assert after.max() >= before.max() - 1e-12
    np.testing.assert_allclose(posteriors.sum(1), 1, atol=1e-12)


def test_the_dual_holds_for_any_z():
    """-G + max log C never falls below the optimum, whatever mixture or raised z it is taken from (weak duality)."""
    law, starts = problem(5)
    beta = 6.0
    best = -solve(law, beta, (law.p, law.w), starts, 1e-9 * beta)[0].objective
    rng = np.random.default_rng(0)
    for _ in range(20):
        k = rng.integers(1, 6)
        mixture = Mixture.of(law, beta, rng.dirichlet(np.ones(k)), rng.dirichlet(np.ones(4), k))
        for one in (mixture, levelled(law, mixture, starts)):
            assert starts.best(law, one, cycles=6)[1] - one.objective >= best - 1e-6
