"""Mixtures: densities against scipy, margins, and what EM finds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, multivariate_t

from sciml.biology.information.mixture import Mixture, fit_mixture
from sciml.seeding import numpy_generator

WEIGHTS = np.array([0.3, 0.7])
MEANS = np.array([[0.0, 1.0, -1.0], [2.0, 0.0, 0.5]])
SCALES = np.array([np.eye(3) + 0.4, [[1.0, -0.5, 0.2], [-0.5, 2.0, 0.0], [0.2, 0.0, 0.5]]])


def scipy_density(points, freedom, columns):
    total = 0
    for weight, mean, scale in zip(WEIGHTS, MEANS, SCALES, strict=True):
        block = scale[np.ix_(columns, columns)]
        law = multivariate_normal(mean[columns], block) if math.isinf(freedom) else multivariate_t(mean[columns], block, df=freedom)
        total = total + weight * law.pdf(points[:, columns])
    return np.log(total)


@pytest.mark.parametrize("freedom", [math.inf, 3.0])
def test_the_log_ratio_is_that_of_scipy(freedom):
    points = np.random.default_rng(0).normal(size=(50, 3)) * 2
    expected = scipy_density(points, freedom, [0, 1, 2]) - scipy_density(points, freedom, [0]) - scipy_density(points, freedom, [1, 2])
    mixture = Mixture(WEIGHTS, MEANS, SCALES, freedom)
    assert np.allclose(mixture.log_ratio(points[:, :1], points[:, 1:]), expected, atol=1e-10)


@pytest.mark.parametrize("freedom", [math.inf, 5.0])
def test_draws_have_the_mean_and_covariance_of_the_law(freedom):
    """|z| <= 5 for the mean; within 5 % for the covariance (200,000 rows)."""
    rows = Mixture(WEIGHTS, MEANS, SCALES, freedom).draw(200_000, numpy_generator(0))
    mean = WEIGHTS @ MEANS
    wide = 1.0 if math.isinf(freedom) else freedom / (freedom - 2)
    covariance = sum(w * (wide * c + np.outer(m, m)) for w, m, c in zip(WEIGHTS, MEANS, SCALES, strict=True)) - np.outer(mean, mean)
    assert np.all(np.abs(rows.mean(axis=0) - mean) <= 5 * np.sqrt(np.diag(covariance) / 200_000))
    assert np.allclose(np.cov(rows, rowvar=False), covariance, rtol=0.05, atol=0.05)


def test_components_that_differ_in_covariance_alone_are_found():
    """Half with correlation 0.9, half with -0.9, both about 0."""
    law = Mixture(np.array([0.5, 0.5]), np.zeros((2, 2)), np.array([[[1, 0.9], [0.9, 1]], [[1, -0.9], [-0.9, 1]]]))
    found = fit_mixture(law.draw(3000, numpy_generator(1)), np.eye(2), 2, math.inf, numpy_generator(2))
    correlations = found.scales[:, 0, 1] / np.sqrt(found.scales[:, 0, 0] * found.scales[:, 1, 1])
    assert np.allclose(np.sort(correlations), [-0.9, 0.9], atol=0.03) and np.allclose(found.weights, 0.5, atol=0.06)


def test_one_gaussian_component_has_the_sample_moments():
    rows = np.random.default_rng(3).normal(size=(400, 2)) @ [[1, 0.5], [0, 1]]
    found = fit_mixture(rows, np.cov(rows, rowvar=False), 1, math.inf, numpy_generator(0))
    assert np.allclose(found.means[0], rows.mean(axis=0)) and np.allclose(found.scales[0], np.cov(rows, rowvar=False), atol=0.02)


def test_heavy_tails_keep_their_scale():
    law = Mixture(np.ones(1), np.zeros((1, 2)), np.array([[[1.0, 0.7], [0.7, 1.0]]]), 2.0)
    found = fit_mixture(law.draw(5000, numpy_generator(4)), np.eye(2), 1, 2.0, numpy_generator(0))
    assert np.allclose(found.scales[0], law.scales[0], atol=0.1)
