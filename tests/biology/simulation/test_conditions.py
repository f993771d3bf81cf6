"""What is linear in time is solved for its changes; the rest is watched."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.kernels.compiled import system_of
from sciml.biology.simulation.conditions import after, conditions_of
from tests.biology.simulation.rate_rules import rates


def prepared(formula, t, start=0.0):
    system = system_of(rates({"x": (start, formula)}))
    conditions = conditions_of(system)
    y, p = system.begin()
    p = np.concatenate([p, np.zeros(conditions.count)])
    if conditions.modes is not None:
        p[len(p) - conditions.count :] = conditions.modes(t, y, p)
    return conditions, y, p


@pytest.mark.parametrize(("t", "wanted"), [(1.0, 8.0), (8.5, 24.0), (25.0, 32.0)])
def test_light_and_dark(t, wanted):
    conditions, y, p = prepared("piecewise(1, rem(time, 24) < 8, 0)", t)
    assert conditions.watched is None and conditions.next_change(t, y, p) == pytest.approx(wanted, rel=1e-14)


def test_a_last_change():
    conditions, y, p = prepared("piecewise(1, 2 * time > 7, 0)", 0.0)
    assert conditions.next_change(0.0, y, p) == 3.5
    assert conditions.next_change(3.5, y, p) == np.inf


def test_what_depends_on_a_state_is_watched():
    conditions, y, p = prepared("piecewise(0, x > 2, 1) + floor(time)", 0.0)
    assert conditions.count == 2 and len(conditions.watched_modes) == 1 and conditions.next_change(0.0, y, p) == 1.0
    marks = p[len(p) - 2 :][list(conditions.watched_modes)]
    assert conditions.first_change(1.0, 3.0, lambda t: np.array([t]), p, marks) == pytest.approx(2.0, rel=1e-14)
    assert conditions.first_change(0.0, 1.9, lambda t: np.array([t]), p, marks) is None


def test_a_smooth_model_has_none():
    conditions, y, p = prepared("-x + sin(time)", 0.0)
    assert conditions.count == 0 and conditions.modes is None and conditions.next_change(0.0, y, p) == np.inf


def test_after():
    for t in (0.0, 1e-300, 1.0, 1e20):
        assert t < after(t) <= t + max(4e-15 * t, 1e-299)
