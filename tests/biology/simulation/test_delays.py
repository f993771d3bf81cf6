"""`delay(x, d)` against closed forms by the method of steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.network import Event, Network, Parameter, Rule
from sciml.biology.simulation.ode import simulate_ode
from sciml.errors import DataError


def network(rates, assigned=None, events=(), **values):
    return Network(
        "delays",
        parameters=[Parameter(id, v, constant=False) for id, v in values.items()]
        + [Parameter(id, constant=False) for id in assigned or {}],
        rules=[Rule("rate", parse(f), id) for id, f in rates.items()]
        + [Rule("assignment", parse(f), id) for id, f in (assigned or {}).items()],
        events=events,
    )


def test_a_constant_lag():
    """x' = -x(t - 1), x = 1 before 0: sum over n of (-1)^n (t - n + 1)^n / n! while t > n - 1."""
    times = np.linspace(0, 5, 41)
    found = simulate_ode(network({"x": "-delay(x, 1)"}, x=1.0), times).select("x")
    exact = [sum((-1) ** n * max(t - n + 1, 0) ** n / math.factorial(n) for n in range(8) if t > n - 1) for t in times]
    np.testing.assert_allclose(found, exact, atol=1e-9)


def test_lags_that_vary_and_lags_of_lags():
    net = network({"x": "-x"}, {"y": "delay(x, 1 + x)", "z": "delay(y, 0.5)"}, x=1.0)
    found = simulate_ode(net, [0, 0.4, 1, 2, 3])
    x = lambda t: math.exp(-max(t, 0.0))  # noqa: E731
    y = lambda t: x(t - 1 - x(t)) if t > 0 else 1.0  # noqa: E731
    np.testing.assert_allclose(found.select("y"), [y(t) for t in found.times], rtol=1e-6)
    np.testing.assert_allclose(found.select("z"), [y(t - 0.5) for t in found.times], rtol=1e-6)


def test_a_jump_is_felt_one_lag_later():
    """x jumps from 0 to 1 at t = 1; y' = x(t - 0.7)."""
    net = network({"y": "delay(x, 0.7)"}, x=0.0, y=0.0, events=[Event("e", parse("time >= 1"), (("x", parse("1")),))])
    np.testing.assert_allclose(simulate_ode(net, [1.6, 1.7, 2.0, 4.0]).select("y"), [0, 0, 0.3, 2.3], atol=1e-9)


def test_a_trigger_that_looks_back():
    net = network({"x": "1"}, x=0.0, n=0.0, events=[Event("e", parse("delay(x, 2) > 1.5"), (("n", parse("x")),))])
    np.testing.assert_allclose(simulate_ode(net, [3.4, 3.6]).select("n"), [0, 3.5], rtol=1e-9)


def test_a_delay_that_is_or_turns_negative_is_refused():
    lagged = {"y": "delay(x, s)"}
    for net in (network({"x": "-x"}, lagged, x=1.0, s=-1.0), network({"x": "-x", "s": "-0.5"}, lagged, x=1.0, s=1.0)):
        with pytest.raises(DataError, match=r"delay\(\) looks back by -"):
            simulate_ode(net, [4.0])
