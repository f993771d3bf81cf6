"""Deterministic simulation: steps, events and break points put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from sciml.arguments import Bound, checked
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.system import System
from sciml.biology.network import Network
from sciml.biology.simulation.burn_in import begin_cells
from sciml.biology.simulation.cuda_device import cuda_device
from sciml.biology.simulation.equations import equations_of
from sciml.biology.simulation.requests import Before, Count, Device, Laws, Seed, Start, Tolerance, check_cells
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.trajectories import Solution, checked_times
from sciml.errors import ConfigError

__all__ = ["simulate_ode"]

_Absolute = Annotated[float, Bound("a finite number >= 0", lambda x: 0 <= x < np.inf)]
_CELLS = 1000


@checked
def simulate_ode(
    net: Network,
    times: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    rtol: Tolerance = 1e-8,
    atol: _Absolute | Mapping[str, _Absolute] | None = None,
    method: Literal["auto", "explicit", "stiff", "scipy"] = "auto",
    n: Count | None = None,
    seed: Seed = 0,
    extrinsic: Laws | None = None,
    start: Start = "given",
    before: Before | None = None,
    device: Device = "cpu",
) -> Solution:
    """dy/dt = f(t, y, p) from time 0, whatever `times[0]` is: amounts [T, S] at the times asked for, in that order.

    `parameters` {id: number or array [B]} replaces values of parameters, compartments and starts; arrays give a batch, [B, T, S].
    A step's error is held below rtol |y| + atol. `atol` None: 1e-10 of each state's own scale, its largest size so far (of what begins at 0
    its largest size in a rough run made before); else a number in amounts, or {species: number}, for the others as with None.
    `method`: "explicit" (order 5(4), Tsitouras), "stiff" (Rosenbrock, order 5(4); from ten states on, where no condition is searched for,
    differentiation formulas of order 1 to 5), "auto" (explicit until stiffness is seen), "scipy" (the reference: Radau). What happens
    (events, pulses) never depends on `times`. `extrinsic` {id: law} draws one value for each of `n` cells (1,000 if nothing says how many),
    the batch, by `seed`; the same cells as of the stochastic methods. `start`: as the model says, at rest ("steady_state"), or after so
    long a time before 0, for each set of parameters; during that `before` {id: number} holds, as in {"ligand": 0}. `seed` also puts events
    that tie into order. `device` "cuda" takes one set of the batch a thread of a GPU, in double precision ("auto" or "explicit"); sets that
    are stiff are run on the CPU. Events, delays and conditions on states are refused there.

    Raises ConfigError for wrong options, DataError for values that are missing or not finite (with expression, species and time), and
    ConvergenceError where no step is small enough.
    """
    check_cells(net, start, before, extrinsic, parameters)
    asked = checked_times(times)
    grid, place = np.unique(asked, return_inverse=True)
    count = _cells(n, parameters or {}, extrinsic)
    if extrinsic or start != "given":
        options = {"rtol": rtol, "atol": atol, "method": method, "device": device}
        parameters, _ = begin_cells(_course, net, count, seed, parameters, extrinsic, start, before, **options)
    system = system_of(net)
    y, p = system.begin(parameters)
    states, numbers = np.atleast_2d(y), np.atleast_2d(p)
    equations = equations_of(system)
    run = _kind(system, method, device)(
        system=system, equations=equations, grid=grid, rtol=rtol, absolute=equations.absolute(atol), method=method, seed=seed,
        given=parameters,
    )  # fmt: skip
    scale = np.abs(states)
    if atol is None or isinstance(atol, Mapping):  # what is small for a state is known when its size is: by a run that is not exact
        run.measure(states, numbers, scale)
    else:
        run.floor = 0.0
    out, statistics = run.all(states, numbers, scale)
    lags = np.stack(run.lags)[:, place].reshape(*y.shape[:-1], len(asked), -1) if run.lags else None
    if not np.array_equal(asked, grid):
        out = out[:, place]
    shape = (*y.shape[:-1], len(asked), y.shape[-1])
    return Solution(system, asked, out.reshape(shape), p, lags=lags, statistics=statistics)


def _course(net: Network, times: Any, n: int, seed: int, *, initial: Any = None, **options: Any) -> Solution:
    """Deterministic cells, asked for as those of a stochastic method; one where they are alike, and starts need not be whole."""
    return simulate_ode(net, times, seed=seed, **options)


def _cells(n: int | None, parameters: Mapping[str, Any], extrinsic: Laws | None) -> int:
    """How many cells there are. ConfigError where `n` and the arrays differ, or nothing makes cells differ."""
    rows = next((len(value) for value in parameters.values() if np.ndim(value) == 1), None)
    if n is None:
        return rows or (_CELLS if extrinsic else 1)
    if rows not in (None, n):
        raise ConfigError(f"n: found {n}, but arrays of {rows} values in parameters")
    if n > 1 and rows is None and not extrinsic:
        raise ConfigError(f"n: found {n}, but all cells would be alike; give extrinsic={{id: law}} or arrays of parameters")
    return int(n)


def _kind(system: System, method: str, device: str) -> type[Run]:
    """Who makes the steps; all but the ordinary one are loaded where they are needed."""
    if device == "cuda":
        cuda_device()
        from sciml.biology.simulation.gpu_odes import GpuRun

        return GpuRun
    if system.lags:
        from sciml.biology.simulation.delays import DelayedRun

        return DelayedRun
    if method == "scipy":
        from sciml.biology.simulation.scipy_run import ScipyRun

        return ScipyRun
    return Run
