"""Explicit steps: their order, that of their dense output, and how a run of them ends."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.simulation import integrators as steps
from tests.biology.simulation.rate_rules import SMOOTH, exact, fixed, made, rates


def test_coefficients_meet_the_conditions_of_order():
    """sum b = 1, sum b c = 1/2, sum b c^2 = 1/3, sum b c^3 = 1/4, sum b c^4 = 1/5; errors vanish up to order 4."""
    b, c = np.append(steps.WEIGHTS[5], 0.0), np.concatenate([[0.0], steps.NODES])
    for power in range(5):
        assert b @ c**power == pytest.approx(1 / (power + 1), abs=1e-14)
        assert steps.DENSE.sum(axis=0) @ c**power == pytest.approx(1 / (power + 1), abs=1e-12)
    for power in range(4):
        assert steps.ERROR @ c**power == pytest.approx(0.0, abs=1e-12)
    assert abs(steps.ERROR @ c**4) > 1e-4
    np.testing.assert_allclose(steps.WEIGHTS.sum(axis=1), steps.NODES, atol=1e-14)


def test_order_of_steps_is_five():
    """A decay, a logistic curve and a driven equation: halving the step divides the error by 2^5."""
    errors = [np.abs(fixed(rates(SMOOTH), "explicit", 2 / n, n)[0] - exact(2.0)) for n in (16, 32)]
    orders = np.log2(errors[0] / errors[1])
    assert (orders > 4.5).all() and (orders < 6.5).all()


def test_order_of_dense_output_is_four():
    """Inside one step the error falls with h^5."""
    inside = np.array([0.25, 0.5, 0.75])
    errors = [np.abs(fixed(rates(SMOOTH), "explicit", h, 1, inside * h)[1] - exact(inside * h)).max() for h in (0.4, 0.2)]
    assert 4.0 < np.log2(errors[0] / errors[1]) < 6.5


def test_a_stiff_row_stops_where_it_is_seen():
    run, y, p = made(rates({"x": (0.0, "-1e5 * (x - cos(time))")}), [1.0])
    real, whole = run.controls(1)
    real[0, steps.STOP], whole[0, steps.SWITCH] = 1.0, 1
    run.call(run.explicitly, np.zeros(0), (y, p, np.zeros((1, 1, 1)), np.ones((1, 1)), real, whole), np.array([True]))
    assert whole[0, steps.STATUS] == steps.STIFF and 0 < real[0, steps.T] < 0.1
    assert y[0, 0] == pytest.approx(np.cos(real[0, steps.T]), abs=1e-4)
