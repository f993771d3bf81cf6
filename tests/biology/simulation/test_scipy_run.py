"""scipy's steps through events and changed conditions, against closed forms and our own steps."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.network import Event
from sciml.biology.simulation.ode import simulate_ode
from tests.biology.simulation.rate_rules import rates


@pytest.mark.parametrize("method", ["scipy", "auto"])
def test_a_ball_bounces(method):
    """From height 1 with g = 2: it lands at t = 1 with speed 2, leaves with 1, is at 1/4 at t = 1.5 and lands at t = 2."""
    bounce = Event("bounce", parse("x < 0"), (("v", parse("-v / 2")), ("x", parse("0"))))
    net = rates({"x": (1.0, "v"), "v": (0.0, "-2")}, events=[bounce])
    found = simulate_ode(net, [0.5, 1.5, 1.75], method=method)
    np.testing.assert_allclose(found.select("x"), [0.75, 0.25, 0.1875], rtol=1e-7)
    assert found.statistics["steps"] > 0 and found.statistics["evaluations"] > 0


def test_a_condition_ends_a_step():
    net = rates({"x": (0.0, "piecewise(1, x < 2, 0.5)")})
    np.testing.assert_allclose(simulate_ode(net, [1.0, 2.0, 4.0], method="scipy").select("x"), [1.0, 2.0, 3.0], rtol=1e-7)
