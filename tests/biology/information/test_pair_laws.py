"""Truths of continuous laws against closed forms of special cases; all laws of the lists are tested by simulation in test_known_laws."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.pair_laws import (
    Gaussian,
    GaussianMixture,
    PoissonOfExponential,
    Student,
    TwoSigns,
    UniformNoise,
    dense,
    paired,
)
from sciml.biology.information.quadrature import integral


def test_gaussian():
    r = np.array([0.8, 0.6, 0.4, 0.2, 0])
    assert Gaussian(paired(*r), 5).bits() == pytest.approx(-0.5 * np.log2(1 - r**2).sum(), rel=1e-12)
    assert Gaussian(dense(2, -0.3), 1).bits() == pytest.approx(-0.5 * np.log2(1 - 0.09), rel=1e-12)


def test_student_tends_to_the_gaussian_and_scales_do_not_matter():
    assert Student(paired(0.5), 1, 1e7).bits() == pytest.approx(Gaussian(paired(0.5), 1).bits(), abs=1e-6)
    scale = np.diag([3.0, 0.1])
    assert Student(scale @ paired(0.5) @ scale, 1, 3.0).bits() == pytest.approx(Student(paired(0.5), 1, 3.0).bits(), rel=1e-12)


def test_mixtures_of_one_and_of_two_far_parts():
    one = GaussianMixture(np.zeros((1, 2)), np.array([0.6]), 0.7)
    assert one.bits() == pytest.approx(Gaussian(paired(0.6), 1).bits(), abs=1e-9)
    far = GaussianMixture(np.array([[0.0, 0.0], [30.0, 30.0]]), np.zeros(2), 1.0)
    assert far.bits() == pytest.approx(1.0, abs=1e-9)


def test_two_signs_of_one_strong_pair_and_the_published_figure():
    law = TwoSigns(np.array([0.8, 0.6, 0.4, 0.2, 0.0]))
    assert law.bits() == pytest.approx(0.5790, abs=2e-4)
    four = TwoSigns(np.full(4, 0.5))  # the density of L by quadrature of the pair itself is out of reach; four equal pairs are two gammas
    from scipy.stats import gamma

    mean = integral(
        lambda p: gamma.pdf(p[:, 0], 2, scale=2.0) * gamma.pdf(p[:, 1], 2, scale=2 / 3) * np.logaddexp(0, p[:, 1] - p[:, 0]) / np.log(2),
        [(0.0, 4.0, 90.0), (0.0, 4.0, 40.0)],
        12,
    )
    assert four.bits() == pytest.approx(Gaussian(paired(*np.full(4, 0.5)), 4).bits() - 1 + mean, abs=1e-6)


def test_uniform_noise_by_quadrature():
    law = UniformNoise(0.25)
    entropy = integral(lambda p: _trapezium(p[:, 0], 0.25), [(-0.25, 0.25, 0.75, 1.25)], 12)
    assert law.bits() == pytest.approx(entropy - np.log2(0.5), abs=1e-3)  # the integrand ends with infinite slope


def _trapezium(y, width):
    density = (np.minimum(1, y + width) - np.maximum(0, y - width)) / (2 * width)
    return -density * np.log2(density)


def test_poisson_of_exponential_closed_form():
    k = np.arange(1, 200)
    nats = 2 * np.log(2) - np.euler_gamma - (np.log(k) * 0.5**k).sum()
    assert PoissonOfExponential().bits() == pytest.approx(nats / np.log(2), abs=1e-9)
