from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.errors import ConfigError, DataError


def covariance(seed, n_x, n_y) -> np.ndarray:
    a = np.random.default_rng(seed).normal(size=(n_x + n_y, n_x + n_y + 2))
    return a @ a.T


def log_volume(m) -> float:
    return float(np.linalg.slogdet(m)[1] / np.log(2)) if len(m) else 0.0


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.8, -0.95])
def test_scalar_curve(rho):
    curve = info.gaussian_bottleneck(np.array([[4, 2 * rho], [2 * rho, 1]]), 1)
    assert len(curve.beta) >= 50
    np.testing.assert_allclose(curve.i_y, -0.5 * np.log2(1 - rho**2 * (1 - 2 ** (-2 * curve.i_x))), atol=1e-12)
    assert curve.onset == pytest.approx(rho**-2)
    assert curve.i_xy == pytest.approx(-0.5 * np.log2(1 - rho**2))
    assert curve.i_xy - curve.i_y.max() <= 1e-3


def test_figures_of_the_closed_form():
    curve = info.gaussian_bottleneck(np.array([[1, 0.8], [0.8, 1]]), 1, betas=[2.031, 1.5, np.inf, 1, 0])
    np.testing.assert_allclose(curve.i_x, [0.4372, 0, np.inf, 0, 0], atol=2e-4)
    np.testing.assert_allclose(curve.i_y, [0.2480, 0, curve.i_xy, 0, 0], atol=2e-4)


@pytest.mark.parametrize(("n_x", "n_y"), [(1, 3), (3, 1), (4, 3)])
def test_encoders_reach_the_curve(n_x, n_y):
    """T = A x + unit noise by determinants, against the sums over directions."""
    cov = covariance(n_x, n_x, n_y)
    curve = info.gaussian_bottleneck(cov, n_x, betas=[1.05, 1.5, 4, 50])
    x, xy, y = cov[:n_x, :n_x], cov[:n_x, n_x:], cov[n_x:, n_x:]
    given = x - xy @ np.linalg.solve(y, xy.T)
    for a, i_x, i_y in zip(curve.encoders, curve.i_x, curve.i_y, strict=True):
        noise = np.eye(len(a))
        assert i_x == pytest.approx(0.5 * log_volume(a @ x @ a.T + noise), abs=1e-9)
        assert i_y == pytest.approx(0.5 * (log_volume(a @ x @ a.T + noise) - log_volume(a @ given @ a.T + noise)), abs=1e-9)
    assert curve.i_xy == pytest.approx(0.5 * (log_volume(x) + log_volume(y) - log_volume(cov)), abs=1e-9)


def test_bound_is_the_curve_and_no_linear_code_beats_it():
    cov, rng = covariance(5, 3, 3), np.random.default_rng(0)
    curve = info.gaussian_bottleneck(cov, 3)
    for i_x, i_y in zip(curve.i_x, curve.i_y, strict=True):
        assert curve.bound(float(i_x)) == pytest.approx((i_y, i_y), abs=1e-9)
    x, xy, y = cov[:3, :3], cov[:3, 3:], cov[3:, 3:]
    given = x - xy @ np.linalg.solve(y, xy.T)
    for _ in range(200):
        a = rng.normal(size=(rng.integers(1, 4), 3)) * rng.choice([0.05, 0.3, 2])
        whole = log_volume(a @ x @ a.T + np.eye(len(a)))
        assert 0.5 * (whole - log_volume(a @ given @ a.T + np.eye(len(a)))) <= curve.bound(0.5 * whole)[1] + 1e-9
    assert curve.bound(0.0) == (0.0, 0.0)
    assert curve.bound(1e6)[0] == pytest.approx(curve.i_xy, abs=1e-12)


def test_no_change_of_units():
    cov, scale = covariance(2, 2, 2), np.diag([1e-6, 1e5, 3.0, 1e3])
    one, two = (info.gaussian_bottleneck(c, 2, betas=[1.5, 3, 20]) for c in (cov, scale @ cov @ scale))
    np.testing.assert_allclose(one.i_x, two.i_x, atol=1e-8)
    np.testing.assert_allclose(one.i_y, two.i_y, atol=1e-8)


def test_independent_variables():
    curve = info.gaussian_bottleneck(np.eye(3), 2)
    assert curve.i_y.max() == 0
    assert curve.onset == np.inf
    assert curve.bound(2.0) == (0.0, 0.0)


def test_to_dict_and_sections():
    curve = info.gaussian_bottleneck(covariance(1, 2, 2), 2, betas=[1.2, 3, np.inf])
    assert json.loads(json.dumps(curve.to_dict(), allow_nan=True))["certified"] is True
    assert curve.to_sections([("cell", 0.4, 0.1)])[0].blocks[0].traces[-1]["name"] == "cell"


@pytest.mark.parametrize(
    ("cov", "n_x", "said"),
    [
        ([[1, 2], [2, 1]], 1, "smallest eigenvalue"),
        ([[1, 1], [1, 1]], 1, "smallest eigenvalue"),
        ([[1, 0.5], [0.4, 1]], 1, "found 0.5 in row 0, column 1 and 0.4"),
        ([[1, np.nan], [np.nan, 1]], 1, "row 0, column 1: found nan"),
        ([[1, 0.5, 0], [0.5, 1, 0]], 1, r"shape \(2, 3\)"),
        ([[1.0]], 1, r"shape \(1, 1\)"),
        (np.eye(2), 2, "n_x: found 2 for a covariance of 2"),
        ("cov", 1, "'cov'"),
    ],
)
def test_what_is_no_covariance_is_refused(cov, n_x, said):
    with pytest.raises(DataError, match=said):
        info.gaussian_bottleneck(cov, n_x)


def test_wrong_options_are_refused():
    with pytest.raises(ConfigError, match="n_x"):
        info.gaussian_bottleneck(np.eye(2), 0)
    with pytest.raises(ConfigError, match="entry 0"):
        info.gaussian_bottleneck(np.eye(2), 1, betas=[-2])
