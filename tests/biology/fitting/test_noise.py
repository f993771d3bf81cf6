"""Densities of measurements: against scipy, integrating to one, with the slopes and the information that they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from sciml.biology.fitting.noise import DISTRIBUTIONS, TRANSFORMATIONS, densities

KINDS = [(t, d) for t in TRANSFORMATIONS for d in DISTRIBUTIONS]


def one(m, s, sigma, transformation, distribution, field="log"):
    return float(getattr(densities(*(np.array([v], dtype=float) for v in (m, s, sigma)), transformation, distribution), field)[0])


def test_normal_and_laplace_are_scipys():
    assert one(2.0, 3.0, 0.7, "lin", "normal") == pytest.approx(stats.norm(3.0, 0.7).logpdf(2.0))
    assert one(2.0, 3.0, 0.7, "lin", "laplace") == pytest.approx(stats.laplace(3.0, 0.7).logpdf(2.0))
    assert one(2.0, 3.0, 0.7, "log", "normal") == pytest.approx(stats.lognorm(0.7, scale=3.0).logpdf(2.0))
    assert one(2.0, 3.0, 0.7, "log10", "normal") == pytest.approx(stats.lognorm(0.7 * np.log(10), scale=3.0).logpdf(2.0))


def mass(density, transformation):
    """The integral of a density over the measurement."""
    if transformation == "lin":
        return sum(quad(lambda m: np.exp(density(m)), *ends, limit=200)[0] for ends in ((-30, 3), (3, 30)))
    return sum(quad(lambda u: np.exp(density(np.exp(u)) + u), *ends, limit=200)[0] for ends in ((-60, np.log(3)), (np.log(3), 60)))


@pytest.mark.parametrize(("transformation", "distribution"), KINDS)
def test_densities_integrate_to_one_over_the_measurement(transformation, distribution):
    assert mass(lambda m: one(m, 3.0, 0.6, transformation, distribution), transformation) == pytest.approx(1.0, abs=1e-6)


def test_without_the_slope_of_the_transformation_they_would_not():
    twin = lambda m: one(m, 3.0, 0.6, "log", "normal") + np.log(m)  # noqa: E731
    assert abs(mass(twin, "log") - 1.0) > 0.1


@pytest.mark.parametrize(("transformation", "distribution"), KINDS)
def test_slopes_are_derivatives_and_the_information_their_mean_square(transformation, distribution):
    at = {"s": 3.0, "sigma": 0.6}
    log = lambda m, s, sigma: one(m, s, sigma, transformation, distribution)  # noqa: E731
    for m in (2.0, 4.5):
        for field, move in (("by_prediction", {"s": 1e-6}), ("by_sigma", {"sigma": 1e-6})):
            ends = [log(m, **{k: v + sign * move.get(k, 0.0) for k, v in at.items()}) for sign in (-1, 1)]
            assert one(m, 3.0, 0.6, transformation, distribution, field) == pytest.approx((ends[1] - ends[0]) / 2e-6, rel=1e-6)
    for field, slope in (("information_prediction", "by_prediction"), ("information_sigma", "by_sigma")):
        square = lambda m: log(m, 3.0, 0.6) + 2 * np.log(abs(one(m, 3.0, 0.6, transformation, distribution, slope)) + 1e-300)  # noqa: B023, E731
        assert mass(square, transformation) == pytest.approx(one(1.0, 3.0, 0.6, transformation, distribution, field), rel=1e-5)


def test_what_has_no_density_is_no_number():
    assert np.isnan(one(1.0, 1.0, 0.0, "lin", "normal")) and np.isnan(one(1.0, 1.0, -1.0, "lin", "laplace"))
    assert np.isnan(one(1.0, -1.0, 1.0, "log", "normal")) and not np.isfinite(one(1.0, 0.0, 1.0, "log10", "normal"))
