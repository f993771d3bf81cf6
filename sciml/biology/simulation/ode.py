"""Deterministic simulation: steps, events and break points put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.kernels.compiled import made_once, system_of
from sciml.biology.kernels.native import Native, native
from sciml.biology.kernels.system import System
from sciml.biology.network import Network
from sciml.biology.simulation import integrators as steps
from sciml.biology.simulation.conditions import Conditions, after, conditions_of
from sciml.biology.simulation.events import EventFunctions, Events, event_functions
from sciml.biology.simulation.faults import explained
from sciml.biology.simulation.trajectories import Solution, checked_times
from sciml.errors import ConfigError

__all__ = ["simulate_ode"]

METHODS = ("auto", "explicit", "stiff", "scipy")
_MOST_STEPS = 1_000_000
_QUICK, _QUICK_CHANGES = 1e-9, 50  # so many changes each within this part of the run: a sliding state


def simulate_ode(
    net: Network,
    times: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    rtol: float = 1e-8,
    atol: float | Mapping[str, float] | None = None,
    method: str = "auto",
    seed: int = 0,
) -> Solution:
    """dy/dt = f(t, y, p) from time 0, whatever `times[0]` is: amounts [T, S] at the times asked for, in that order.

    `parameters` {id: number or array [B]} replaces values of parameters, compartments and starts of species; arrays give a batch, [B, T, S].
    A step's error is held below rtol |y| + atol; `atol` None: 1e-10 of the largest size that the state itself has had so far, else a number
    for all or {species: number} in amounts (the others as with None). `method`: "explicit" (order 5(4), Tsitouras), "stiff" (Rosenbrock,
    order 5(4)), "auto" (explicit, until stiffness is seen), "scipy" (the reference: LSODA). What happens (events, pulses) never depends on
    `times`. `seed` puts events that tie into order.

    Raises ConfigError for wrong options, DataError for values that are missing or not finite (with expression, species and time), and
    ConvergenceError where no step is small enough.
    """
    asked = checked_times(times)
    grid, place = np.unique(asked, return_inverse=True)
    _check(rtol, atol, method)
    system = system_of(net)
    y, p = system.begin(parameters)
    states, numbers = np.atleast_2d(y), np.atleast_2d(p)
    equations = made_once(system, "ode", Equations)
    run = Run(system, equations, grid, rtol, equations.absolute(atol, states), 1e-10 if atol is None else 0.0, method, seed)
    out, statistics = run.all(states, numbers)
    out = out[:, place]
    shape = (*y.shape[:-1], len(asked), y.shape[-1])
    return Solution(system, asked, out.reshape(shape), p, statistics=statistics)


def _check(rtol: float, atol: Any, method: str) -> None:
    if method not in METHODS:
        raise ConfigError(f"method: found {method!r}, expected one of {', '.join(METHODS)}")
    if not (isinstance(rtol, int | float) and 1e-13 <= rtol < 1):
        raise ConfigError(f"rtol: found {rtol!r}, expected a number from 1e-13 to 1")
    for value in atol.values() if isinstance(atol, Mapping) else [atol]:
        if value is not None and not (isinstance(value, int | float) and 0 <= value < np.inf):
            raise ConfigError(f"atol: found {value!r}, expected a number >= 0, {{species: number}} or None")


class Equations:
    """What is compiled for the deterministic runs of one structure."""

    def __init__(self, system: System) -> None:
        self.states = system.states
        self.conditions: Conditions = conditions_of(system)
        self.parameters = self.conditions.parameters
        self.rhs: Native = native(system.graph, self.conditions.smooth, self.parameters)
        self.events: EventFunctions | None = event_functions(system, self.parameters) if system.events else None
        self.smooth = self.events is None and not self.conditions.count

    def absolute(self, atol: float | Mapping[str, float] | None, states: np.ndarray) -> np.ndarray:
        """[n]: what is added to the relative part of the tolerance."""
        if isinstance(atol, Mapping):
            if unknown := atol.keys() - set(self.states):
                raise ConfigError(f"atol: {sorted(unknown)[0]!r} is nothing that changes in this model")
            return np.array([atol.get(id, 0.0) for id in self.states])
        return np.full(len(self.states), atol or 0.0)


@dataclass(frozen=True)
class Run:
    """The options of a call, and its two ways: many sets in one loop, or one set from change to change."""

    system: System
    equations: Equations
    grid: np.ndarray
    rtol: float
    absolute: np.ndarray
    floor: float
    method: str
    seed: int

    def all(self, states: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """[B, T, n] for all sets of start and parameters, and what it took."""
        count, n = states.shape
        out = np.empty((count, len(self.grid), n))
        real, whole = self.controls(count)
        numbers = np.concatenate([numbers, np.zeros((count, self.equations.conditions.count))], axis=1)
        if self.equations.smooth:
            real[:, steps.STOP], whole[:, steps.TO_THE_END] = self.grid[-1], 1
            y = states.copy()
            out[:, self.grid == 0] = states[:, None]
            whole[:, steps.NEXT] = np.searchsorted(self.grid, 0.0, side="right")
            self.advance(y, numbers, np.zeros(0), out, np.abs(states), real, whole)
        else:
            for b in range(count):
                self.eventful(states[b : b + 1].copy(), numbers[b : b + 1], out[b : b + 1], real[b : b + 1], whole[b : b + 1])
        names = {"steps": steps.STEPS, "rejected": steps.REJECTED, "evaluations": steps.CALLS}
        return out, {name: int(whole[:, place].sum()) for name, place in names.items()}

    def controls(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        real, whole = np.zeros((count, 6)), np.zeros((count, 10), dtype=np.int64)
        real[:, steps.RTOL], real[:, steps.FLOOR], real[:, steps.LAST_ERROR] = self.rtol, self.floor, 1e-4
        whole[:, steps.MOST] = _MOST_STEPS
        return real, whole

    def advance(self, y: Any, p: Any, marks: Any, out: Any, scale: Any, real: Any, whole: Any) -> None:
        """One call of an integrator for all rows, from where each is to its stop; raises where one fails."""
        e, watched = self.equations, self.equations.conditions.watched
        looked = len(marks) > 0 and watched is not None
        whole[:, steps.WATCHED] = watched.results if looked and watched else 0
        address, context = (watched.address, watched.context) if looked and watched else (0, e.rhs.context)
        common = (marks, self.grid, out, self.absolute, scale, real, whole)
        steps.explicit(e.rhs.address, e.rhs.context, address, context, y, p, *common)
        bad = np.flatnonzero((whole[:, steps.STATUS] == steps.FAILED) | (whole[:, steps.STATUS] == steps.LIMIT))
        if len(bad):
            b = int(bad[0])
            raise explained(self.system, e.conditions.smooth, real[b, steps.T], y[b], p[b], int(whole[b, steps.WORST]), whole[b])

    def eventful(self, y: np.ndarray, p: np.ndarray, out: np.ndarray, real: np.ndarray, whole: np.ndarray) -> None:
        """One set: from one event, break point or changed condition to the next. y [1, n], p [1, m + modes], out [1, T, n]."""
        conditions, end, t = self.equations.conditions, float(self.grid[-1]), 0.0
        events = Events(self.equations.events, self.seed) if self.equations.events else None
        scale, quick, last = np.abs(y), 0, -np.inf
        modes = slice(conditions.parameters - conditions.count, conditions.parameters)
        while True:
            changed = self.happen(events, t, y[0], p[0])
            self.hand_out(t, y, out, whole)
            changed |= self.happen(events, after(t), y[0], p[0])
            if t >= end:
                return
            if conditions.modes is not None:
                p[0, modes] = conditions.modes(after(t), y[0], p[0])
            np.maximum(scale, np.abs(y), out=scale)
            stop = min(end, conditions.next_change(t, y[0], p[0]), events.due if events else np.inf)
            marks = np.concatenate(
                [p[0, modes][list(conditions.watched_modes)], events.now[list(conditions.watched_triggers)] if events else []]
            )
            quick = quick + 1 if t - last < _QUICK * end else 0
            last = t
            if quick > _QUICK_CHANGES:  # slides along a condition: it is looked at again only after a short time
                marks, stop = marks[:0], min(stop, t + _QUICK * end * 2.0 ** min(quick - _QUICK_CHANGES, 12))
            real[0, steps.STOP], real[0, steps.T] = stop, t
            if changed or whole[0, steps.STATUS] == steps.CROSSED or stop < end:
                real[0, steps.H] = 0.0
            self.advance(y, p, marks, out, scale, real, whole)
            t = float(real[0, steps.T])

    def happen(self, events: Events | None, t: float, y: np.ndarray, p: np.ndarray) -> bool:
        if events is None or not events.happen(t, y, p):
            return False
        y[:] = self.system.settle(t, y, p)
        return True

    def hand_out(self, t: float, y: np.ndarray, out: np.ndarray, whole: np.ndarray) -> None:
        """The state at exactly this time."""
        while whole[0, steps.NEXT] < len(self.grid) and self.grid[whole[0, steps.NEXT]] <= t:
            out[0, whole[0, steps.NEXT]] = y[0]
            whole[0, steps.NEXT] += 1
