"""Runs of many starts at once, and with them how the states change with the parameters of the fit (forward sensitivities).

With s_k = dy/dtheta_k: ds_k/dt = J s_k + (df/dp) dp/dtheta_k, J = df/dy. States and sensitivities are integrated together as one larger
system, so errors of both are controlled.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sciml.biology.kernels.compiled import made_once
from sciml.biology.kernels.system import System
from sciml.biology.simulation.equations import Equations, equations_of
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.sensitivities import enlarged
from sciml.errors import ConvergenceError

__all__ = ["Flow", "SensitiveFlow", "differentiable"]

_MOST, _MOST_AT_REST = 1_000_000, 50_000  # steps of one run; of one that is to come to rest: what takes more oscillates
_LONGEST = 24  # times that the horizon of a steady state is made 4 times longer
_STEADY = 1e-8  # relative change of every state, over a horizon 4 times as long, below which it is steady


class Flow:
    """States over time of one structure of equations: starts y [V, C, n] with parameters p [V, C, m]."""

    def __init__(self, system: System, rtol: float, equations: Equations | None = None) -> None:
        self.system, self.rtol = system, rtol
        self.equations = equations or equations_of(system)

    def run(self, y: np.ndarray, p: np.ndarray, grid: np.ndarray, most: int = _MOST) -> np.ndarray:
        """[V, C, T, n] at the times of `grid`."""
        flat, numbers = y.reshape(-1, y.shape[-1]), p.reshape(-1, p.shape[-1])
        run = Run(
            system=self.system, equations=self.equations, grid=grid, rtol=self.rtol, absolute=np.zeros(flat.shape[1]), most=most
        )  # fmt: skip
        size = np.abs(flat)
        run.measure(flat, numbers, size)
        found = run.all(flat, numbers, size)[0]
        if not np.isfinite(found).all():  # again with the errors of all states watched, which ends in an error that says where
            found = run.all(flat, numbers, np.maximum(np.nan_to_num(size), 1.0))[0]
        return found.reshape(*y.shape[:-1], len(grid), y.shape[-1])

    def steady(self, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        """[V, C, n] at rest. Raises ConvergenceError where a state still changes after a very long time."""
        now, horizon, size = y, 1.0, np.abs(y)
        for _ in range(_LONGEST):
            try:
                later = self.run(now, p, np.array([horizon]), _MOST_AT_REST)[..., 0, :]
            except ConvergenceError as error:
                raise ConvergenceError(f"no steady state was reached within time {horizon:.3g}: {error}") from error
            size = np.maximum(size, np.abs(later))
            change = np.abs(later - now) / np.where(size > 0, size, 1.0)
            now, horizon = later, 4.0 * horizon
            if horizon > 100 and change.max(initial=0.0) <= _STEADY:
                return now
        worst = int(np.argmax(change.reshape(-1, change.shape[-1]).max(axis=0)))
        raise ConvergenceError(
            f"{self.system.network.id}: {self.system.states[worst]!r} comes to no steady state: it still changes after time {horizon:.3g}"
        )


class SensitiveFlow:
    """A flow of states and sensitivities in one: `joined` makes its starts, `parted` takes its states apart again.

    `moving` [K, m] says which entries of dp may differ from zero.
    """

    def __init__(self, system: System, rtol: float, moving: np.ndarray) -> None:
        self.count, self.states = len(moving), len(system.states)
        self.pairs = tuple(zip(*(places.tolist() for places in np.nonzero(moving)), strict=True))
        name = f"sensitivities {self.count} {self.pairs}"
        larger, equations = made_once(system, name, self._made)
        self.flow = Flow(replace(larger, network=system.network), rtol, equations)

    def joined(self, y: np.ndarray, p: np.ndarray, dy: np.ndarray, dp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(starts [C, n + K n], parameters) from y [C, n], p [C, m], dy [C, K, n] and dp [C, K, m]."""
        moved = [dp[:, k, slot, None] for k, slot in self.pairs]
        return np.concatenate([y, dy.reshape(len(y), -1)], axis=1), np.concatenate([p, *moved], axis=1)

    def parted(self, both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(states [..., n], sensitivities [..., K, n])."""
        return both[..., : self.states], both[..., self.states :].reshape(*both.shape[:-1], self.count, self.states)

    def _made(self, system: System) -> tuple[System, Equations]:
        larger = enlarged(system, [f"parameter {k}" for k in range(self.count)], self.pairs)
        return larger, Equations(larger)


def differentiable(system: System, equations: Equations, moving: np.ndarray) -> bool:
    """Whether forward sensitivities hold: nothing jumps at a time that depends on the states or on what is fitted."""
    if system.events or system.lags or system.fast or system.residuals:
        return False
    conditions = equations.conditions
    if conditions.watched is not None:
        return False
    slots = set(np.flatnonzero(moving.any(axis=0)).tolist())
    live = [
        n
        for n in system.graph.reach(system.derivatives)
        if system.graph.ops[n] in ("lt", "leq", "eq", "neq", "floor", "ceil", "quotient", "rem")
    ]
    return not (system.graph.leaves(live, "param") & slots) and not system.graph.leaves(live, "state")
