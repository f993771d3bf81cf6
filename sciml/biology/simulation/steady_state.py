"""Where a deterministic model comes to rest: by running on, then by Newton's method on what its conservation laws leave free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sciml.arguments import checked
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.system import System
from sciml.biology.network import Network
from sciml.biology.simulation.equations import Equations, equations_of
from sciml.biology.simulation.requests import Tolerance
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.trajectories import Solution
from sciml.errors import ConfigError, ConvergenceError, SciMLError

__all__ = ["SteadyState", "steady_state"]

_HORIZONS = 4.0 ** np.arange(0, 36)
_FEWEST = 4  # horizons before rest is believed
_REST = 1e-6  # relative change over a horizon 4 times as long, below which Newton's method takes over
_EVEN = 1e-3  # relative change of the speed of what is believed to drift on
_STEPS = 50
_MOST_STEPS = 50_000  # of one run: what takes more oscillates
_LOOKS, _TURNS = 400, 6  # times at which a run that came to no rest is looked at again, and turns from which it goes up and down


@dataclass(frozen=True, repr=False)
class SteadyState:
    """f(y) = 0. `amounts`, `concentrations` [S] of all `species`; `stable`: all eigenvalues of df/dy have a negative real part, those that
    conservation laws make zero aside; `eigenvalues` are these, the largest real part first, per unit of time. `time`: so long the model
    ran before. `residual`, a pure number: the largest |f_i| / (sum_j |J_ij y_j| + s_i / time), what is left of the change of a state over
    its gains and losses without their signs and the speed that would bring it to s_i, its largest size on the way, in `time`. `drifts`
    {id: amount per time}: what only adds up, grows or falls for ever and acts on nothing (a degraded or secreted product); it is left
    out, its amount is NaN.
    """

    species: tuple[str, ...]
    amounts: np.ndarray
    concentrations: np.ndarray
    stable: bool
    residual: float
    eigenvalues: np.ndarray
    time: float
    solution: Solution
    drifts: Mapping[str, float]

    @checked
    def select(self, name: str) -> float:
        """What an id means in formulas, at rest: species, parameter, compartment, reaction (its rate), rule-driven symbol."""
        return float(self.solution.select(name)[0])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {
            "amounts": {id: value if np.isfinite(value) else None for id, value in zip(self.species, self.amounts.tolist(), strict=True)},
            "stable": self.stable,
            "residual": self.residual,
            "eigenvalues": [[v.real, v.imag] for v in self.eigenvalues.tolist()],
            "time": self.time,
            "drifts": dict(self.drifts),
        }

    def __repr__(self) -> str:
        values = ", ".join(f"{id} {value:.6g}" for id, value in zip(self.species[:8], self.amounts, strict=False))
        return f"<SteadyState ({'stable' if self.stable else 'unstable'}): {values}{', ...' if len(self.species) > 8 else ''}>"


@checked
def steady_state(net: Network, parameters: Mapping[str, float] | None = None, *, rtol: Tolerance = 1e-8) -> SteadyState:
    """f(y) = 0 that the model comes to from its start, sums of amounts that no reaction changes kept.

    `parameters` as for `simulate_ode`, numbers only. Raises ConvergenceError where the run does not come to rest (it oscillates, grows,
    is driven by time, or slows down as a power of time) and says what moves most, relative to its size, and how fast; ConfigError for a
    model with delays or for arrays of parameters.
    """
    system = system_of(net)
    if system.lags:
        raise ConfigError(f"steady_state: {net.id} looks back in time (delay), which has no finite list of eigenvalues; use simulate_ode")
    y, p = system.begin(parameters)
    if y.ndim > 1:
        raise ConfigError("steady_state: found arrays of parameters, expected numbers; call it for each")
    equations = equations_of(system)
    rest = _rested(system, equations, y, p, rtol)
    functions = _Rest(equations, rest.numbers, rest.time, rest.drifting)
    own = np.maximum(np.abs(rest.state), np.abs(y))
    scale = np.maximum(own, np.minimum(rest.size, own.max(initial=0.0)))  # what came and went was as large as it was
    found = functions.newton(rest.state, np.where(scale > 0, scale, 1.0), net.id)
    eigenvalues = functions.eigenvalues(found)
    residual, speeds = functions.residual(found, scale), functions.rhs(rest.time, found, rest.numbers)
    found[rest.drifting] = np.nan
    solution = Solution(system, np.array([rest.time]), found[None], p)
    return SteadyState(
        species=solution.species,
        amounts=solution.amounts[0],
        concentrations=solution.concentrations[0],
        stable=bool(eigenvalues.real.max(initial=-np.inf) < 0),
        residual=residual,
        eigenvalues=eigenvalues,
        time=rest.time,
        solution=solution,
        drifts={system.states[i]: float(speeds[i]) for i in rest.drifting},
    )


@dataclass(frozen=True)
class _Rested:
    """What a run came to: its state, the largest size of each state on the way (1 for zero), p with modes, and what drifts on for ever."""

    state: np.ndarray
    time: float
    numbers: np.ndarray
    size: np.ndarray
    drifting: list[int]


def _rested(system: System, equations: Equations, y: np.ndarray, p: np.ndarray, rtol: float) -> _Rested:
    """After a horizon over which nothing changes any more but what acts on nothing; each horizon is 4 times the one before."""
    scale, before, last = np.abs(y)[None], y, 0.0
    sinks, known = _sinks(equations), np.full(len(y), np.inf)
    for index, horizon in enumerate(_HORIZONS):
        run = Run(
            system=system, equations=equations, grid=np.array([horizon]), rtol=rtol, absolute=equations.absolute(None), most=_MOST_STEPS
        )  # fmt: skip
        try:
            run.measure(y[None], p[None], scale)
            now = run.all(y[None], p[None], scale)[0][0, -1]
        except SciMLError as error:
            said = _movement(replace(run, grid=np.linspace(0.25, 1.0, _LOOKS) * last), y, p, scale) if last else str(error)
            raise ConvergenceError(f"{system.network.id}: no steady state: {said}") from error
        size = np.where(scale[0] > 0, scale[0], 1.0)
        change, passed, last = now - before, float(horizon) - last, float(horizon)
        moving, before = (np.abs(change) > _REST * size) | (size > 2 * known), now
        known = size
        if index < _FEWEST or (moving & ~sinks).any() or (moving.any() and sinks.all()):
            continue
        numbers = np.concatenate([p, np.zeros(equations.conditions.count)])
        if equations.conditions.modes is not None:
            numbers = np.concatenate([p, equations.conditions.modes(last, now, numbers)])
        even = equations.rhs(last, now, numbers) * passed
        if (np.abs(change - even)[moving] <= _EVEN * np.abs(change[moving])).all():
            return _Rested(now, last, numbers, size, np.flatnonzero(moving).tolist())
    said = _movement(replace(run, grid=np.linspace(0.25, 1.0, _LOOKS) * last), y, p, scale)
    raise ConvergenceError(f"{system.network.id}: no steady state: {said}")


def _sinks(equations: Equations) -> np.ndarray:
    """[n]: whether a state acts on nothing, itself included: its growth keeps nothing from coming to rest."""
    found = np.ones(len(equations.states), dtype=bool)
    if equations.events is not None or equations.conditions.count:  # which may look at it one day
        return ~found
    found[[j for _, j in equations.places]] = False
    return found


def _movement(run: Run, y: np.ndarray, p: np.ndarray, scale: np.ndarray) -> str:
    """What moves most over the times of a run, relative to its size, and how fast; a time is the run's last one."""
    try:
        course = run.all(y[None], p[None], scale.copy())[0][0]
    except SciMLError as error:
        return str(error)
    low, high = course.min(axis=0), course.max(axis=0)
    size = np.abs(course).max(axis=0)
    reach = (high - low) / np.where(size > 1e-9 * scale[0], size, np.inf)
    worst = int(np.argmax(reach))
    name, x, (begin, end) = run.system.states[worst], course[:, worst], run.grid[[0, -1]]
    steps = np.sign(np.diff(x))
    if (steps[1:] * steps[:-1] < 0).sum() >= _TURNS:
        speed = np.abs(np.diff(x)).sum() / (end - begin)
        between = f"between {low[worst]:.6g} and {high[worst]:.6g}"
        return f"{name!r} goes up and down {between} at time {end:.3g}, by {speed:.3g} per time in the mean"
    speed = (x[-1] - x[-2]) / (run.grid[-1] - run.grid[-2])
    power = np.log(max(abs(x[-1]), 1e-300) / max(abs(x[0]), 1e-300)) / np.log(end / begin)
    grows = "grows" if x[-1] > x[0] else "falls"
    return f"{name!r} (now {x[-1]:.6g}) {grows} by {abs(speed):.3g} per time at time {end:.3g}, as time to the power {power:.2g}"


class _Rest:
    """f, its Jacobian and what it conserves, at one set of numbers."""

    def __init__(self, equations: Equations, p: np.ndarray, time: float, drifting: Sequence[int] = ()) -> None:
        self.rhs, self.jacobian_of = equations.rhs, equations.jacobian[0]
        self.places, self.p, self.time, self.size = equations.places, p, time, len(equations.states)
        moving = {i for i, _ in self.places}
        self.held, self.drifting = [i for i in range(self.size) if i not in moving], list(drifting)

    def changes(self, y: np.ndarray) -> np.ndarray:
        """[n] f, nothing for what drifts."""
        f = np.array(self.rhs(self.time, y, self.p))
        f[self.drifting] = 0.0
        return f

    def jacobian(self, y: np.ndarray) -> np.ndarray:
        """[n, n] df/dy; without the columns of states that no state changes (what only events set): nothing can be balanced by them."""
        dense = np.zeros((self.size, self.size))
        values = self.jacobian_of(self.time, y, self.p)
        for (i, j), value in zip(self.places, values, strict=False):
            dense[i, j] = value
        dense[:, self.held] = 0.0
        dense[self.drifting] = 0.0
        return dense

    def newton(self, y: np.ndarray, scale: np.ndarray, name: str) -> np.ndarray:
        """The root next to y, reached along directions in which the state can move.

        With columns scaled to the states' sizes, the least-squares step of J lies in the row space of J; conserved sums (left null vectors
        of the reactions) are put back by the same step: [J; L] step = [-f; 0].
        """
        laws = self.conserved(y, scale)
        for _ in range(_STEPS):
            f = self.changes(y)
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

    def residual(self, y: np.ndarray, size: np.ndarray) -> float:
        """max |f_i| / (sum_j |J_ij y_j| + size_i / time): how exactly gains and losses balance."""
        f, gross = np.abs(self.changes(y)), np.abs(self.jacobian(y)) @ np.abs(y)
        return float(np.max(np.divide(f, gross + size / self.time, out=np.zeros_like(f), where=gross > 0), initial=0.0))
