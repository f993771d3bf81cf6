"""Against the conditions of a minimum, and against fits that really leave a row out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from sciml.biology.information.softmax_regression import _Rows, softmax_regression

RNG = np.random.default_rng(0)
CODES = np.repeat([0, 1, 2], [40, 30, 10])
FEATURES = RNG.normal(size=(80, 3)) + CODES[:, None] * np.array([1.0, 0.5, 0.0])
PENALTY = np.array([1e-6, 0.5, 0.5, 0.5])


def loss(slopes, rows):
    logits = np.log(rows.classes.mean(axis=0)) + rows.features @ slopes.reshape(3, 4).T
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -(rows.classes * logs).sum() + 0.5 * (PENALTY * slopes.reshape(3, 4) ** 2).sum()


def test_newton_finds_the_minimum():
    rows = _Rows.of(FEATURES, CODES)
    found, logs = rows.newton(PENALTY, np.zeros((3, 4)))
    other = minimize(loss, np.zeros(12), args=(rows,), method="BFGS", options={"gtol": 1e-8})
    assert loss(found.ravel(), rows) == pytest.approx(other.fun, abs=1e-6)
    assert np.allclose(np.exp(logs).sum(axis=1), 1)


def test_rows_left_out_are_as_if_they_had_not_been_there():
    rows = _Rows.of(FEATURES, CODES)
    slopes, logs = rows.newton(PENALTY, np.zeros((3, 4)))
    approximate = rows.left_out(logs, PENALTY)
    share = np.log(rows.classes.mean(axis=0))
    for i in (0, 35, 45, 72, 79):
        rest = np.arange(80) != i
        part = _Rows(rows.features[rest], rows.classes[rest])
        near = minimize(
            lambda b, part=part: -(part.classes * _logs(share, part.features, b)).sum() + 0.5 * (PENALTY * b.reshape(3, 4) ** 2).sum(),
            slopes.ravel(), method="BFGS", options={"gtol": 1e-7},
        ).x  # fmt: skip
        exact = _logs(share, rows.features[i : i + 1], near)[0]
        assert np.allclose(np.exp(approximate[i]), np.exp(exact), atol=0.01)
    assert rows.loss(approximate) > rows.loss(logs)


def _logs(share, features, slopes):
    logits = share + features @ slopes.reshape(3, 4).T
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_a_line_of_many_rows_is_thinned_for_the_strength_alone():
    codes = np.repeat([0, 1], [29_950, 50])
    features = RNG.normal(size=(30_000, 1)) + codes[:, None]
    fit = softmax_regression(features - features.mean(), np.ones(1), codes)
    assert fit.fitted.shape == (30_000, 2)
    few = _Rows.of(features, codes).thinned(10_000)
    assert few.classes.sum(axis=0)[1] == 50 and len(few.features) < 10_100
    assert np.exp(fit.fitted).mean(axis=0)[1] == pytest.approx(50 / 30_000, rel=1e-3)  # the intercept is free: shares are kept
