"""Where a deterministic model comes to rest: by running on, then by Newton's method on what its conservation laws leave free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.arguments import checked
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.system import System
from sciml.biology.network import Network
from sciml.biology.simulation.equations import Equations, equations_of
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.trajectories import Solution
from sciml.errors import ConfigError, ConvergenceError, SciMLError

__all__ = ["SteadyState", "steady_state"]

_HORIZONS = 4.0 ** np.arange(0, 36)
_FEWEST = 4  # horizons before rest is believed
_REST = 1e-6  # relative change over a horizon 4 times as long, below which Newton's method takes over
_STEPS = 50
_MOST_STEPS = 50_000  # of one run: what takes more oscillates


@dataclass(frozen=True, repr=False)
class SteadyState:
    """f(y) = 0. `amounts`, `concentrations` [S] of all `species`; `stable`: all eigenvalues of df/dy have a negative real part, those that
    conservation laws make zero aside; `eigenvalues` are these, the largest real part first, per unit of time. `residual` is the largest
    |f_i| relative to the gross flow through state i (its gains and losses without their signs). `time`: so long the model ran before."""

    species: tuple[str, ...]
    amounts: np.ndarray
    concentrations: np.ndarray
    stable: bool
    residual: float
    eigenvalues: np.ndarray
    time: float
    solution: Solution

    @checked
    def select(self, name: str) -> float:
        """What an id means in formulas, at rest: species, parameter, compartment, reaction (its rate), rule-driven symbol."""
        return float(self.solution.select(name)[0])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {
            "amounts": dict(zip(self.species, self.amounts.tolist(), strict=True)),
            "stable": self.stable,
            "residual": self.residual,
            "eigenvalues": [[v.real, v.imag] for v in self.eigenvalues.tolist()],
            "time": self.time,
        }

    def __repr__(self) -> str:
        values = ", ".join(f"{id} {value:.6g}" for id, value in zip(self.species[:8], self.amounts, strict=False))
        return f"<SteadyState ({'stable' if self.stable else 'unstable'}): {values}{', ...' if len(self.species) > 8 else ''}>"


def steady_state(net: Network, parameters: Mapping[str, float] | None = None, *, rtol: float = 1e-8) -> SteadyState:
    """f(y) = 0 that the model comes to from its start, sums of amounts that no reaction changes kept.

    `parameters` as for `simulate_ode`, numbers only. Raises ConvergenceError where the run does not come to rest: it oscillates,
    grows without end or is driven by time; ConfigError for a model with delays or for arrays of parameters.
    """
    system = system_of(net)
    if system.lags:
        raise ConfigError(f"steady_state: {net.id} looks back in time (delay), which has no finite list of eigenvalues; use simulate_ode")
    y, p = system.begin(parameters)
    if y.ndim > 1:
        raise ConfigError("steady_state: found arrays of parameters, expected numbers; call it for each")
    equations = equations_of(system)
    rested, time, numbers, size = _rested(system, equations, y, p, rtol)
    functions = _Rest(equations, numbers, time)
    own = np.maximum(np.abs(rested), np.abs(y))
    scale = np.maximum(own, np.minimum(size, own.max(initial=0.0)))  # what came and went was as large as it was, a failed run's sizes aside
    found = functions.newton(rested, np.where(scale > 0, scale, 1.0), net.id)
    eigenvalues = functions.eigenvalues(found)
    solution = Solution(system, np.array([time]), found[None], p)
    return SteadyState(
        species=solution.species,
        amounts=solution.amounts[0],
        concentrations=solution.concentrations[0],
        stable=bool(eigenvalues.real.max(initial=-np.inf) < 0),
        residual=functions.residual(found),
        eigenvalues=eigenvalues,
        time=time,
        solution=solution,
    )


def _rested(
    system: System, equations: Equations, y: np.ndarray, p: np.ndarray, rtol: float
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """(state, time, p with modes, largest size of each state on the way, 1 for zero) after a horizon over which nothing changes any more;
    each horizon is 4 times the one before."""
    name, scale, change = system.network.id, np.abs(y)[None], np.inf
    before = y
    for index, horizon in enumerate(_HORIZONS):
        run = Run(system, equations, np.array([horizon]), rtol, equations.absolute(None), 1e-10, "auto", 0, most=_MOST_STEPS)
        try:
            run.measure(y[None], p[None], scale)
            now = run.all(y[None], p[None], scale)[0][0, -1]
        except SciMLError as error:
            raise ConvergenceError(f"{name}: no steady state: it had not come to rest when its run ended: {error}") from error
        size = np.where(scale[0] > 0, scale[0], 1.0)
        change = np.abs(now - before) / size
        before = now
        if index >= _FEWEST and change.max(initial=0.0) <= _REST:
            modes = equations.conditions.modes
            zeros = np.zeros(equations.conditions.count)
            numbers = np.concatenate([p, zeros])
            return now, float(horizon), np.concatenate([p, modes(horizon, now, numbers)]) if modes else numbers, size
    worst = system.states[int(np.argmax(change))]
    raise ConvergenceError(f"{name}: no steady state: {worst!r} still changes after time {_HORIZONS[-1]:.3g}")


class _Rest:
    """f, its Jacobian and what it conserves, at one set of numbers."""

    def __init__(self, equations: Equations, p: np.ndarray, time: float) -> None:
        self.rhs, self.jacobian_of = equations.rhs, equations.jacobian[0]
        self.places, self.p, self.time, self.size = equations.places, p, time, len(equations.states)
        moving = {i for i, _ in self.places}
        self.held = [i for i in range(self.size) if i not in moving]

    def jacobian(self, y: np.ndarray) -> np.ndarray:
        """[n, n] df/dy; without the columns of states that no state changes (what only events set): nothing can be balanced by them."""
        dense = np.zeros((self.size, self.size))
        values = self.jacobian_of(self.time, y, self.p)
        for (i, j), value in zip(self.places, values, strict=False):
            dense[i, j] = value
        dense[:, self.held] = 0.0
        return dense

    def newton(self, y: np.ndarray, scale: np.ndarray, name: str) -> np.ndarray:
        """The root next to y, reached along directions in which the state can move.

        With columns scaled to the states' sizes, the least-squares step of J lies in the row space of J; conserved sums (left null vectors
        of the reactions) are put back by the same step: [J; L] step = [-f; 0].
        """
        laws = self.conserved(y, scale)
        for _ in range(_STEPS):
            f = self.rhs(self.time, y, self.p)
            matrix = self.jacobian(y) * scale
            weight = np.abs(matrix).max(axis=1, initial=0.0)
            weight = np.where(weight > 0, weight, 1.0)
            rows = np.concatenate([matrix / weight[:, None], laws * scale])
            right = np.concatenate([-f / weight, np.zeros(len(laws))])
            step = scale * np.linalg.lstsq(rows, right, rcond=1e-13)[0]
            if not np.isfinite(step).all() or np.max(np.abs(step) / scale, initial=0.0) > 1e-2:
                raise ConvergenceError(f"{name}: no steady state: Newton's method leaves the state that the run came to")
            y = y + step
            if np.max(np.abs(step) / scale, initial=0.0) <= 1e-13:
                break
        return y

    def conserved(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """[l, n]: orthonormal left null vectors of J, which are those of the reactions where these are independent."""
        matrix = self.jacobian(y) * scale
        weight = np.abs(matrix).max(axis=1, initial=0.0)
        weight = np.where(weight > 0, weight, 1.0)
        left, values, _ = np.linalg.svd(matrix / weight[:, None])
        null = left[:, values <= 1e-11 * values.max(initial=0.0)] if len(values) else left
        laws = (null / weight[:, None]).T
        norms = np.linalg.norm(laws * scale, axis=1, keepdims=True)
        return np.asarray(laws / np.where(norms > 0, norms, 1.0))

    def eigenvalues(self, y: np.ndarray) -> np.ndarray:
        """Of J on what is not conserved: those nearest to zero are left out, one for each conserved sum."""
        matrix = self.jacobian(y)
        values = np.linalg.eigvals(matrix)
        kept = np.argsort(np.abs(values))[len(self.conserved(y, np.where(np.abs(y) > 0, np.abs(y), 1.0))) :]
        values = values[kept]
        return values[np.argsort(-values.real)]

    def residual(self, y: np.ndarray) -> float:
        """max |f_i| / sum_j |J_ij y_j|: how exactly gains and losses balance."""
        f, gross = np.abs(self.rhs(self.time, y, self.p)), np.abs(self.jacobian(y)) @ np.abs(y)
        return float(np.max(np.divide(f, gross, out=np.zeros_like(f), where=gross > 0), initial=0.0))
