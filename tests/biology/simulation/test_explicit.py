"""Explicit steps: their order, that of their dense output, and how a run of them ends."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.simulation import step_control as steps
from tests.biology.simulation.rate_rules import SMOOTH, exact, fixed, made, rates


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
