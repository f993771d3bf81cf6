"""Steps for stiff systems: order, decay of what is fast, elimination, a pivot that vanishes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from sciml.biology.simulation import step_control as steps
from sciml.biology.simulation.ode import simulate_ode
from tests.biology.simulation.rate_rules import SMOOTH, exact, fixed, made, rates

_GAMMA = 0.21193756319429014


def test_order_of_steps_is_five():
    errors = [np.abs(fixed(rates(SMOOTH), "stiff", 2 / n, n)[0] - exact(2.0)) for n in (16, 32)]
    orders = np.log2(errors[0] / errors[1])
    assert (orders > 4.5).all() and (orders < 6.5).all()


def test_order_of_dense_output_is_four():
    inside = np.array([0.25, 0.5, 0.75])
    errors = [np.abs(fixed(rates(SMOOTH), "stiff", h, 1, inside * h)[1] - exact(inside * h)).max() for h in (0.1, 0.05)]
    assert 4.0 < np.log2(errors[0] / errors[1]) < 6.5


def test_what_is_fast_is_gone_after_one_step():
    """R(z) goes to zero with 1/z: y' = -1e8 y over a step of 1."""
    assert abs(fixed(rates({"x": (1.0, "-1e8 * x")}), "stiff", 1.0, 1)[0][0]) < 1e-6


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_a_slow_curve_in_a_stiff_equation(rtol):
    """x' = -1e6 (x - cos t) - sin t has the solution cos t (Prothero and Robinson), at the ends of steps and between them."""
    net, times = rates({"x": (1.0, "-1e6 * (x - cos(time)) - sin(time)")}), np.linspace(0, 10, 50)
    found = simulate_ode(net, times, method="stiff", rtol=rtol)
    assert np.abs(found.select("x") - np.cos(times)).max() < 10 * rtol
    assert found.statistics["steps"] < 300


def test_what_follows_an_oscillator_at_once():
    """x = u^2 to 1e-6 between the steps too, u = cos t."""
    net, times = rates({"u": (1.0, "v"), "v": (0.0, "-u"), "x": (1.0, "-1e6 * (x - u * u)")}), np.linspace(0, 10, 50)
    found = simulate_ode(net, times, method="stiff")
    np.testing.assert_allclose(found.select("x"), np.cos(times) ** 2, atol=3e-6)


def test_a_linear_system_with_fill_against_the_matrix_exponential():
    rng = np.random.default_rng(5)
    n = 9
    matrix = np.where(rng.random((n, n)) < 0.3, rng.standard_normal((n, n)), 0.0) - np.diag(10.0 ** rng.uniform(0, 3, n))
    states = {f"x{i}": (float(i + 1), " + ".join(f"({matrix[i, j]!r}) * x{j}" for j in range(n) if matrix[i, j])) for i in range(n)}
    states = {id: (start, formula.replace("np.float64", "")) for id, (start, formula) in states.items()}
    found = simulate_ode(rates(states), [0.05, 0.5], method="stiff", rtol=1e-9)
    for row, t in enumerate((0.05, 0.5)):
        wanted = expm(matrix * t) @ np.arange(1.0, n + 1)
        np.testing.assert_allclose([found.select(id)[row] for id in states], wanted, rtol=1e-7, atol=1e-8)


def test_a_pivot_that_vanishes_costs_a_step_only():
    """1/(h gamma) - J = 0 in the first step."""
    h = 0.125
    net = rates({"x": (1.0, f"{1 / (h * _GAMMA)!r} * x")})
    run, y, p = made(net, [h], "stiff")
    real, whole = run.controls(1)
    real[0, steps.STOP], real[0, steps.H] = h, h
    run.call(next(run.stiff_methods()), np.zeros(0), (y, p, np.zeros((1, 1, 1)), np.ones((1, 1)), real, whole), np.array([True]))
    assert whole[0, steps.STATUS] == steps.DONE and whole[0, steps.REJECTED] >= 1
    np.testing.assert_allclose(y[0, 0], np.exp(1 / _GAMMA), rtol=1e-6)
