"""Equations dx/dt = formula as networks, and runs of them in steps of one length."""

from __future__ import annotations

import numpy as np

from sciml.biology.formula import parse
from sciml.biology.kernels.compiled import system_of
from sciml.biology.network import Network, Parameter, Rule
from sciml.biology.simulation import step_control as steps
from sciml.biology.simulation.equations import equations_of
from sciml.biology.simulation.run import Run

SMOOTH = {"a": (1.0, "-a"), "b": (0.1, "b * (1 - b)"), "c": (1.0, "c * cos(time)")}


def exact(t):
    """The solution of SMOOTH: a decay, a logistic curve, exp(sin t)."""
    return np.stack([np.exp(-t), 1 / (1 + 9 * np.exp(-t)), np.exp(np.sin(t))], axis=-1)


def rates(states, parameters=None, events=(), assigned=None):
    """dx/dt = formula for each (start, formula)."""
    assigned = assigned or {}
    return Network(
        "rates",
        parameters=[Parameter(id, start, constant=False) for id, (start, _) in states.items()]
        + [Parameter(id, constant=False) for id in assigned]
        + [Parameter(id, value, constant=False) for id, value in (parameters or {}).items()],
        rules=[Rule("rate", parse(formula), id) for id, (_, formula) in states.items()]
        + [Rule("assignment", parse(formula), id) for id, formula in assigned.items()],
        events=events,
    )


def made(net, grid, method="explicit", rtol=1e-8, **options):
    """(run, y [1, n], p [1, m]) of a network."""
    system = system_of(net)
    y, p = system.begin()
    numbers = {"grid": np.asarray(grid, float), "rtol": rtol, "absolute": np.zeros(len(y))}
    run = Run(system=system, equations=equations_of(system), method=method, **numbers, **options)
    return run, y[None].copy(), p[None].copy()


def fixed(net, method, h, count, grid=()):
    """(y, states at the times of `grid`) after `count` steps of length h, whatever their errors are."""
    run, y, p = made(net, grid, method)
    run.absolute[:] = 1e30
    real, whole = run.controls(1)
    real[0, steps.LONGEST] = np.inf
    out = np.zeros((1, len(run.grid), y.shape[1]))
    whole[0, steps.TO_THE_END], whole[0, steps.SWITCH] = 1, 0
    integrate = run.explicitly if method == "explicit" else next(run.stiff_methods())
    for index in range(count):
        real[0, steps.T], real[0, steps.STOP], real[0, steps.H] = index * h, (index + 1) * h, h
        run.call(integrate, np.zeros(0), (y, p, out, np.abs(y), real, whole), np.array([True]))
    assert whole[0, steps.STEPS] == count and not whole[0, steps.REJECTED]
    return y[0], out[0]
