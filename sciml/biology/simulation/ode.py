"""Deterministic simulation: steps, events and break points put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.system import System
from sciml.biology.network import Network
from sciml.biology.simulation.cuda_device import cuda_device
from sciml.biology.simulation.equations import equations_of
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.trajectories import Solution, checked_times
from sciml.errors import ConfigError

__all__ = ["simulate_ode"]

METHODS = ("auto", "explicit", "stiff", "scipy")
_FLOOR = 1e-10


def simulate_ode(
    net: Network,
    times: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    rtol: float = 1e-8,
    atol: float | Mapping[str, float] | None = None,
    method: str = "auto",
    seed: int = 0,
    device: Literal["cpu", "cuda"] = "cpu",
) -> Solution:
    """dy/dt = f(t, y, p) from time 0, whatever `times[0]` is: amounts [T, S] at the times asked for, in that order.

    `parameters` {id: number or array [B]} replaces values of parameters, compartments and starts; arrays give a batch, [B, T, S].
    A step's error is held below rtol |y| + atol. `atol` None: 1e-10 of each state's own scale, its largest size in a rough run made before;
    else a number in amounts, or {species: number} with None for the others. `method`: "explicit" (order 5(4), Tsitouras), "stiff"
    (Rosenbrock, order 5(4)), "auto" (explicit until stiffness is seen), "scipy" (the reference: Radau). What happens (events, pulses) never
    depends on `times`. `seed` puts events that tie into order. `device` "cuda" takes one set of the batch a thread of a GPU, in double
    precision ("auto" or "explicit"); sets that are stiff are run on the CPU. Events, delays and conditions on states are refused there.

    Raises ConfigError for wrong options, DataError for values that are missing or not finite (with expression, species and time), and
    ConvergenceError where no step is small enough.
    """
    asked = checked_times(times)
    grid, place = np.unique(asked, return_inverse=True)
    _check(rtol, atol, method, device)
    system = system_of(net)
    y, p = system.begin(parameters)
    states, numbers = np.atleast_2d(y), np.atleast_2d(p)
    equations = equations_of(system)
    own = atol is None or isinstance(atol, Mapping)
    options = (system, equations, grid, rtol, equations.absolute(atol), _FLOOR if own else 0.0, method, seed)
    scale = np.abs(states)
    if own:  # what is small for a state is known when its size is: by a run that is not exact
        _kind(system, "auto", device)(*options).measure(states, numbers, scale)
    run = _kind(system, method, device)(*options)
    out, statistics = run.all(states, numbers, scale)
    lags = np.stack(run.lags)[:, place].reshape(*y.shape[:-1], len(asked), -1) if run.lags else None
    out = out[:, place]
    shape = (*y.shape[:-1], len(asked), y.shape[-1])
    return Solution(system, asked, out.reshape(shape), p, lags=lags, statistics=statistics)


def _kind(system: System, method: str, device: str) -> type[Run]:
    """Who makes the steps; all but the ordinary one are loaded where they are needed."""
    if device == "cuda":
        cuda_device()
        from sciml.biology.simulation.thread_odes import ThreadRun

        return ThreadRun
    if system.lags:
        from sciml.biology.simulation.delays import DelayedRun

        return DelayedRun
    if method == "scipy":
        from sciml.biology.simulation.reference import ReferenceRun

        return ReferenceRun
    return Run


def _check(rtol: float, atol: Any, method: str, device: str) -> None:
    if device not in ("cpu", "cuda"):
        raise ConfigError(f"device: found {device!r}, expected 'cpu' or 'cuda'")
    if method not in METHODS:
        raise ConfigError(f"method: found {method!r}, expected one of {', '.join(METHODS)}")
    if not (isinstance(rtol, int | float) and 1e-13 <= rtol < 1):
        raise ConfigError(f"rtol: found {rtol!r}, expected a number from 1e-13 to 1")
    for value in atol.values() if isinstance(atol, Mapping) else [atol]:
        if value is not None and not (isinstance(value, int | float) and 0 <= value < np.inf):
            raise ConfigError(f"atol: found {value!r}, expected a number >= 0, {{species: number}} or None")
