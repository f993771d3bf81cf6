"""Integrals with closed answers."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.quadrature import chi_square_mean, integral, panels


def test_panels_stop_at_steps():
    nodes, weights = panels([0.0, 1.0, 3.0], 2)
    assert weights.sum() == pytest.approx(3.0, rel=1e-14)
    assert weights @ np.where(nodes < 1, 5.0, 0.0) == pytest.approx(5.0, rel=1e-14)


def test_one_and_two_dimensions():
    assert integral(lambda p: np.exp(-0.5 * p[:, 0] ** 2), [(-12.0, 12.0)], 12) == pytest.approx(np.sqrt(2 * np.pi), rel=1e-13)
    found = integral(lambda p: p[:, 0] * np.exp(-p[:, 0] * p[:, 1]), [(0.0, 1.0), (0.0, 2.0)], 4)
    assert found == pytest.approx(1 - (1 - np.exp(-2)) / 2, rel=1e-13)


def test_a_sum_of_chi_squares():
    r = np.array([0.8, 0.6, 0.4, 0.2])
    factors = np.concatenate([r / (1 - r), -r / (1 + r)])
    assert chi_square_mean(np.ones_like, factors) == pytest.approx(1, abs=1e-7)
    assert chi_square_mean(lambda v: np.clip(v, -500, 500), factors) == pytest.approx(factors.sum(), abs=1e-4)  # the kept range ends at 157
    # L is the log ratio of two laws, under the second of which -L has the same law: E f(L) exp(-L) = E f(-L), with f the squared logistic
    rising, falling = (lambda v: 0.5 + 0.5 * np.tanh(v / 2)), (lambda v: 0.5 - 0.5 * np.tanh(v / 2))
    square = chi_square_mean(lambda v: falling(v) ** 2, factors)
    assert chi_square_mean(lambda v: rising(v) * falling(v), factors) == pytest.approx(square, abs=1e-7)
