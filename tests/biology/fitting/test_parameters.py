"""Priors against scipy's densities, scales there and back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sciml.biology.fitting.parameters import PRIORS, FitParameter, Prior, log_prior, scaled, slopes, unscaled
from sciml.errors import DataError

LAWS = {
    "uniform": (0.5, 4.0, lambda v, x: stats.uniform(0.5, 3.5).logpdf(v)),
    "normal": (1.0, 2.0, lambda v, x: stats.norm(1.0, 2.0).logpdf(v)),
    "laplace": (1.0, 2.0, lambda v, x: stats.laplace(1.0, 2.0).logpdf(v)),
    "logNormal": (0.3, 0.7, lambda v, x: stats.lognorm(0.7, scale=np.exp(0.3)).logpdf(v)),
    "logLaplace": (0.3, 0.7, lambda v, x: stats.loglaplace(1 / 0.7, scale=np.exp(0.3)).logpdf(v)),
    "parameterScaleUniform": (-1.0, 3.0, lambda v, x: stats.uniform(-1.0, 4.0).logpdf(x)),
    "parameterScaleNormal": (0.2, 1.5, lambda v, x: stats.norm(0.2, 1.5).logpdf(x)),
    "parameterScaleLaplace": (0.2, 1.5, lambda v, x: stats.laplace(0.2, 1.5).logpdf(x)),
}


@pytest.mark.parametrize("scale", ["lin", "log", "log10"])
@pytest.mark.parametrize("kind", PRIORS)
def test_densities_are_scipys_and_slopes_their_derivatives(kind, scale):
    first, second, exact = LAWS[kind]
    prior = Prior(kind, first, second)
    for value in (0.7, 1.9, 2.8):
        (x,) = scaled([value], [scale])
        found, slope, curvature = prior.log_density(value, scale)
        assert found == pytest.approx(exact(value, x), rel=1e-12, abs=1e-12)
        ends = [prior.log_density(float(unscaled([x + h], [scale])[0]), scale)[0] for h in (-1e-5, 1e-5)]
        assert slope == pytest.approx((ends[1] - ends[0]) / 2e-5, rel=1e-6, abs=1e-6)
        assert curvature >= 0


@pytest.mark.parametrize("kind", PRIORS)
def test_quantiles_have_their_share_below(kind):
    first, second, exact = LAWS[kind]
    prior = Prior(kind, first, second)
    at = [prior.quantile(u, "log10") for u in (0.2, 0.6)]
    axis = np.linspace(*(scaled(at, ["log10"] * 2) if kind.startswith("parameterScale") else at), 401)
    value = unscaled(axis, ["log10"] * len(axis)) if kind.startswith("parameterScale") else axis
    density = np.exp([exact(v, x) for v, x in zip(value, axis, strict=True)])
    assert np.trapezoid(density, axis) == pytest.approx(0.4, abs=1e-4)


def test_outside_a_law_there_is_no_density():
    assert Prior("uniform", 0.0, 1.0).log_density(1.5, "lin")[0] == -np.inf
    assert Prior("logNormal", 0.0, 1.0).log_density(-1.0, "lin")[0] == -np.inf


def test_scales_go_there_and_back():
    values, scales = np.array([-2.0, 0.3, 40.0]), ["lin", "log", "log10"]
    np.testing.assert_allclose(unscaled(scaled(values, scales), scales), values, rtol=1e-14)
    points = scaled(values, scales)
    steps = (unscaled(points + 1e-6, scales) - unscaled(points - 1e-6, scales)) / 2e-6
    np.testing.assert_allclose(slopes(values, scales), steps, rtol=1e-8)


def test_only_parameters_with_a_prior_count():
    parameters = [FitParameter("a", 0, 5, prior=Prior("normal", 1, 2)), FitParameter("b", 0.1, 5, "log10")]
    total, gradient, curvature = log_prior(parameters, [2.0, 3.0])
    assert total == pytest.approx(stats.norm(1, 2).logpdf(2.0))
    np.testing.assert_allclose(gradient, [-0.25, 0])
    np.testing.assert_allclose(curvature, [0.25, 0])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Prior("gamma", 1, 2), "expected one of uniform"),
        (lambda: Prior("normal", 0, 0), "width"),
        (lambda: Prior("uniform", 2, 1), "lower one first"),
        (lambda: Prior("normal", np.nan, 1), "finite"),
        (lambda: FitParameter("k", 2, 1), "lower one first"),
        (lambda: FitParameter("k", -1, 1, "log10"), "expected a number > 0"),
        (lambda: FitParameter("k", estimated=False), "not estimated"),
        (lambda: FitParameter("k", 0, 1, "log2"), "lin, log or log10"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(DataError, match=words):
        make()
