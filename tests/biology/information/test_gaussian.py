"""The closed formula, and its bias against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.gaussian import gaussian_nats, wishart_bias_nats


@pytest.mark.parametrize(("n", "dx", "dy"), [(15, 2, 3), (60, 5, 5)])
def test_the_mean_over_samples_is_the_truth(n, dx, dy):
    """400 samples; |z| <= 4. Without the correction the mean is too high by `wishart_bias_nats`, many standard errors."""
    rng = np.random.default_rng(0)
    r = np.zeros(max(dx, dy))
    r[:2] = 0.8, 0.5
    truth = -0.5 * np.log(1 - r**2).sum()
    found = []
    for _ in range(400):
        x, noise = rng.normal(size=(n, max(dx, dy))), rng.normal(size=(n, max(dx, dy)))
        y = r * x + np.sqrt(1 - r * r) * noise
        found.append(gaussian_nats(x[:, :dx], y[:, :dy]))
    error = np.std(found) / 20
    assert abs(np.mean(found) - truth) <= 4 * error
    assert wishart_bias_nats(n, dx, dy) > 8 * error


def test_for_one_column_each_it_is_the_formula_of_the_correlation():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 50, 1))
    y += x
    plain = -0.5 * np.log(1 - np.corrcoef(x[:, 0], y[:, 0])[0, 1] ** 2)
    assert gaussian_nats(x, y) == pytest.approx(plain - wishart_bias_nats(50, 1, 1), abs=1e-12)
