"""Multistep formulas for many states: their order, decay of what is fast, the solution between steps, elimination."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from sciml.biology.simulation.ode import simulate_ode
from tests.biology.simulation.rate_rules import rates

MANY = 12


def curves(fast):
    """x_i' = -fast_i (x_i - cos(t + i)) - sin(t + i), whose solutions are cos(t + i) however fast they come back to it."""
    return rates({f"x{i}": (float(np.cos(i)), f"-{k!r} * (x{i} - cos(time + {i})) - sin(time + {i})") for i, k in enumerate(fast)})


def off(net, rtol, times):
    found = simulate_ode(net, times, method="stiff", rtol=rtol)
    return np.abs(found.states - np.cos(times[:, None] + np.arange(MANY))).max(), found.statistics


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_a_slow_curve_in_stiff_equations(rtol):
    """At the ends of steps and between them; errors add up over the run, so that more than the tolerance is allowed."""
    error, statistics = off(curves([float(10**k) for k in np.linspace(0, 6, MANY)]), rtol, np.linspace(0, 10, 70))
    assert error < 100 * rtol
    assert statistics["evaluations"] < 4 * statistics["steps"]  # what a step of a multistep method takes; a Rosenbrock step takes nine


def test_order_five():
    """The error of the whole run falls with the fifth power of the number of steps."""
    times = np.linspace(0, 100, 11)
    (loose, few), (tight, many) = (off(curves([1.0] * MANY), rtol, times) for rtol in (1e-5, 1e-9))
    assert 4.5 < np.log(loose / tight) / np.log(many["steps"] / few["steps"]) < 6.5


def test_what_is_fast_is_gone_at_once():
    net = rates({f"x{i}": (1.0, f"-1e{i} * x{i}") for i in range(MANY)})
    found = simulate_ode(net, [1.0], method="stiff", rtol=1e-6)
    assert found.states[0, 0] == pytest.approx(np.exp(-1.0), rel=1e-4)
    assert np.abs(found.states[0, 2:]).max() < 1e-8
    assert found.statistics["steps"] < 2000  # over eleven decades


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_a_linear_system_with_fill_against_the_matrix_exponential(scale):
    rng = np.random.default_rng(5)
    matrix = np.where(rng.random((MANY, MANY)) < 0.3, rng.standard_normal((MANY, MANY)), 0.0) - np.diag(10.0 ** rng.uniform(0, 3, MANY))
    rows = [" + ".join(f"({float(matrix[i, j])!r}) * x{j}" for j in range(MANY) if matrix[i, j]) for i in range(MANY)]
    found = simulate_ode(rates({f"x{i}": (scale * (i + 1), row) for i, row in enumerate(rows)}), [0.05, 0.5], method="stiff", rtol=1e-10)
    for row, t in enumerate((0.05, 0.5)):
        wanted = scale * expm(matrix * t) @ np.arange(1.0, MANY + 1)
        np.testing.assert_allclose(found.states[row], wanted, rtol=1e-6, atol=1e-8 * scale)


def test_a_batch_is_its_runs_one_by_one():
    net = rates({f"x{i}": (1.0, f"-k * 1e{i % 5} * x{i}") for i in range(MANY)}, {"k": 1.0})
    values, times = np.array([0.5, 1.0, 7.0]), [0.1, 1.0]
    batch = simulate_ode(net, times, {"k": values}, method="stiff").states
    for row, k in zip(batch, values, strict=True):
        assert (row == simulate_ode(net, times, {"k": float(k)}, method="stiff").states).all()
