"""Path weights (path_loop) against exact rates: a promoter in the gate, the motif's exact filter and large networks in long tests."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import poisson

from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.simulation.linear_noise import stationary_noise
from sciml.biology.transmission import path_loop
from sciml.biology.transmission.gaussian_rate import reaction_information
from sciml.biology.transmission.observation import traces
from sciml.biology.transmission.path_weights import path_sample
from sciml.errors import ConvergenceError
from tests.biology.transmission.networks import cascade, gene, gene_rate, loop, motif


def _slope(net, dose, n, particles, piece, end, begin=4.0, seed=0):
    """(rate, standard error, share of the correction) in nats per time."""
    model = jump_model(net, "test", single=True)
    grid = np.arange(1, round(end / piece) + 1) * piece
    sample = path_sample(model, traces(model, dose, "X"), grid, begin, n, particles, seed)
    first = int(np.searchsorted(grid, begin))
    slopes = (sample.density + sample.missing)[:, [first, -1]] @ [-1, 1] / (grid[-1] - grid[first])
    return slopes.mean(), slopes.std(ddof=1) / np.sqrt(n), np.diff(sample.missing[:, [first, -1]].mean(axis=0))[0] / slopes.mean()


def exact_rate(kappa: float, until: float, seed: int) -> tuple[float, float]:
    """(rate, standard error) of the motif with lambda = rho = 1 in nats per time: rho E[S ln S - S^ ln S^].

    S^ by the exact forward filter on 0 <= S <= top: dp/dt = (Q - rho s) p between births of X, p -> p s / (p s) at one, each piece by
    eigenvectors of the symmetric form of Q; E[S ln S | X] in place of S ln S.
    """
    rng, s = np.random.default_rng(seed), np.arange(kappa + 6.5 * np.sqrt(kappa) + 9)
    top = len(s) - 1
    q = np.diag(-(kappa * (s < top) + 2 * s)) + np.diag(np.full(top, kappa), -1) + np.diag(s[1:], 1)
    d = np.sqrt(poisson.pmf(s, kappa))
    w, u = np.linalg.eigh(q * d[None, :] / d[:, None])
    there, back = d[:, None] * u, u.T / d[None, :]
    sums = np.stack([np.ones_like(s), s, s * np.log(np.maximum(s, 1))]) @ there
    coefficients, state, t, following, terms = back @ np.eye(len(s))[int(kappa)], int(kappa), 0.0, 20.0, []
    while t < until:
        total = kappa + 2 * state
        step = rng.exponential(1 / total)
        while following <= t + step:
            one, mean, log = sums @ (coefficients * np.exp(w * (following - t)))
            terms.append(log / one - mean / one * np.log(mean / one))
            following += 0.1
        coefficients, t, drawn = coefficients * np.exp(w * step), t + step, rng.uniform(0, total)
        if drawn < kappa:
            state += 1
        elif drawn < kappa + state:
            state -= 1
        else:
            p = (there @ coefficients) * s
            coefficients = back @ (p / p.sum())
    parts = np.array_split(np.array(terms), 50)
    means = np.array([part.mean() for part in parts])
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(50))


@pytest.mark.parametrize(("on", "off", "rho"), [(1.0, 1.0, 5.0), (2.0, 1.0, 8.0)])
def test_a_promoter_has_its_exact_rate(on: float, off: float, rho: float) -> None:
    rate, error, correction = _slope(gene(on, off, rho), "On", 200, 120, 0.05, 12.0)
    assert abs(rate - gene_rate(on, off, rho)) <= 4 * error
    assert error < 0.08 * rate
    assert correction < 0  # the logarithm of a mean is too low, and that of the read-out's filter is taken off


def test_a_small_motif_is_above_its_gaussian_rate() -> None:
    """The exact filter on the same network, |z| <= 4."""
    exact, exact_error = exact_rate(1.0, 3000.0, 1)
    rate, error, _ = _slope(motif(1.0), "S", 200, 150, 0.1, 12.0)
    assert abs(rate - exact) <= 4 * np.hypot(error, exact_error)
    assert exact > 1.15 * 0.5 * (np.sqrt(3) - 1)


def test_a_trajectory_depends_on_seed_and_number_alone() -> None:
    model = jump_model(motif(3.0), "test", single=True)
    states, grid = traces(model, "S", "X"), np.array([0.2, 0.5, 1.0])
    few, many = (path_sample(model, states, grid, 1.0, n, 50, 7, threads=t) for n, t in ((3, 1), (9, 2)))
    np.testing.assert_array_equal(few.density, many.density[:3])
    np.testing.assert_array_equal(few.missing, many.missing[:3])
    other = path_sample(model, states, grid, 1.0, 3, 50, 8)
    assert (other.density != few.density).all()


def test_lost_particles_are_replaced_by_more() -> None:
    """In silence the promoter is nearly always off: few particles are on when X is made again."""
    rate, error, _ = _slope(gene(0.5, 2.0, 20.0), "On", 150, 150, 0.05, 12.0)
    assert abs(rate - gene_rate(0.5, 2.0, 20.0)) <= 4 * error + 0.02 * rate


def test_too_few_particles_are_said() -> None:
    model = jump_model(gene(0.001, 20.0, 500.0).set(On=1, Off=0), "test", single=True)
    with pytest.raises(ConvergenceError, match="none of 128 particles"):
        path_sample(model, traces(model, "On", "X"), np.arange(1, 10) * 500.0, 1.0, 20, 2, 0)
    assert path_loop.LOST != path_loop.FINE


@pytest.mark.long
@pytest.mark.parametrize(("kappa", "n", "particles"), [(1, 8000, 200), (10, 8000, 200), (100, 1600, 200)])
def test_the_motif_approaches_its_gaussian_rate(kappa: int, n: int, particles: int, measured) -> None:
    """Ratios 1.218 +- 0.015 at 1, 1.024 +- 0.015 at 10, 1 within 3 % and 3 standard errors at 100; and the exact filter."""
    gaussian, begun = 0.5 * (np.sqrt(3) - 1), time.process_time()
    rate, error, correction = _slope(motif(float(kappa)), "S", n, particles, 0.05, 12.0, seed=kappa)
    seconds, bar = time.process_time() - begun, {1: 1.218, 10: 1.024, 100: 1.0}[kappa]
    text = f"{rate / gaussian:.4f} +- {error / gaussian:.4f} of the Gaussian rate, bias taken off {correction:.2%}, {seconds:.0f} s CPU"
    measured(f"path weights, kappa / lambda = {kappa}", text, f"{bar} +- {0.03 if kappa == 100 else 0.015}")
    assert abs(rate / gaussian - bar) <= (min(0.03, 3 * error / gaussian) if kappa == 100 else 0.015)
    exact, exact_error = exact_rate(float(kappa), 100_000.0 if kappa < 100 else 2_000.0, 2)
    measured(f"exact filter, kappa / lambda = {kappa}", f"{exact / gaussian:.4f} +- {exact_error / gaussian:.4f} of the Gaussian rate", "")
    assert abs(rate - exact) <= 3.5 * np.hypot(error, exact_error)


@pytest.mark.long
@pytest.mark.parametrize("net", [cascade(200.0), loop(200.0)], ids=["hidden", "feedback"])
def test_hidden_species_and_feedback_approach_linear_noise(net) -> None:
    noise = stationary_noise(net)
    gaussian = reaction_information(noise, traces(noise.model, "S", "X"), np.zeros(1))[0]
    rate, error, _ = _slope(net, "S", 250, 200, 0.1, 12.0)
    assert abs(rate - gaussian) <= 3.5 * error + 0.01 * gaussian
