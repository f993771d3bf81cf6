"""The linear noise approximation: mean, covariance and power spectrum of fluctuations that are small beside the mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Unpack

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import orth, solve_continuous_lyapunov

from sciml.arguments import checked, shown
from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.native import native
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.burn_in import before_zero
from sciml.biology.simulation.jump_model import CountingOptions, JumpModel, jump_model
from sciml.biology.simulation.requests import Before, Start, check_cells
from sciml.biology.simulation.steady_state import steady_state
from sciml.biology.simulation.time_breaks import time_breaks
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError, ConvergenceError

__all__ = ["LinearNoise", "StationaryNoise", "linear_noise", "stationary_noise"]

_RTOL, _ATOL = 1e-10, 1e-10
_MOST_CALLS = 100_000  # evaluations between two stops
_STEPS = 50


@dataclass(frozen=True, repr=False)
class LinearNoise:
    """`mean` [T, S] and `covariance` [T, S, S] of amounts, in the model's units; exact where all laws are linear.

    What a rule determines has the moments of its linear part (exact where the rule is linear).
    """

    model: JumpModel
    times: np.ndarray
    state_mean: np.ndarray
    state_covariance: np.ndarray

    @property
    def species(self) -> tuple[str, ...]:
        """Ids of all species: the axes of `mean` and `covariance`."""
        return tuple(s.id for s in self.model.jumps.system.network.species)

    @cached_property
    def mean(self) -> np.ndarray:
        """[T, S]."""
        return self._of([self.model.jumps.system.amounts[id] for id in self.species])[0]

    @cached_property
    def covariance(self) -> np.ndarray:
        """[T, S, S]."""
        return self._of([self.model.jumps.system.amounts[id] for id in self.species])[1]

    @property
    def std(self) -> np.ndarray:
        """[T, S]."""
        return np.asarray(np.sqrt(np.maximum(np.einsum("tii->ti", self.covariance), 0.0)))

    @checked
    def select(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation) [T] of what an id means in formulas. Raises ConfigError for an id that the model does not have."""
        values = self.model.jumps.system.values
        if name not in values:
            raise ConfigError(f"select: {name!r} is no symbol of {self.model.name!r}{nearest(name, values)}")
        mean, covariance = self._of([values[name]])
        return mean[:, 0], np.asarray(np.sqrt(np.maximum(covariance[:, 0, 0], 0.0)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: times, species, mean, std, covariance."""
        arrays = {"times": self.times, "mean": self.mean, "std": self.std, "covariance": self.covariance}
        return {"species": list(self.species), **{k: v.tolist() for k, v in arrays.items()}}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.model.name!r}: {len(self.times)} times, {len(self.species)} species>"

    def _of(self, nodes: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Mean [T, k] and covariance [T, k, k] of nodes of the system: h(m) and H C H^T."""
        system, unit = self.model.jumps.system, self.model.jumps.molecules
        raw = self.model.described()["parameters"]
        slopes = partials(system.graph, nodes, "state")
        wanted = [*nodes, *(node for row in slopes for node in row.values())]
        states = list((self.state_mean / unit).T)
        found = iter(
            np.broadcast_to(v, len(self.times)) for v in system.graph.evaluate(wanted, states=states, params=list(raw), time=self.times)
        )
        mean = np.stack([next(found) for _ in nodes], axis=1)
        h = np.zeros((len(self.times), len(nodes), len(unit)))
        for row, entries in enumerate(slopes):
            for state in entries:
                h[:, row, state] = next(found) / unit[state]
        return mean, h @ self.state_covariance @ np.swapaxes(h, 1, 2)


@dataclass(frozen=True, repr=False)
class StationaryNoise(LinearNoise):
    """Linear noise about a stable steady state; `times` is [inf]. `jacobian` [s, s], `diffusion` [s, s] are of the states in molecules."""

    jacobian: np.ndarray
    diffusion: np.ndarray

    def spectrum(self, frequencies: Any) -> np.ndarray:
        """[F, S]: S(w) = int C(tau) exp(-i w tau) d tau of each species' amount at angular frequencies w; int S dw / (2 pi) = variance.

        (i w - J)^-1 D (-i w - J^T)^-1, where J and D are restricted to what reactions can change.
        """
        try:
            w = np.atleast_1d(np.asarray(frequencies, dtype=float))
        except (TypeError, ValueError):
            w = np.array([np.nan])
        if w.ndim != 1 or not np.isfinite(w).all():
            raise ConfigError(f"spectrum: frequencies: found {shown(frequencies)}, expected a finite number or a list of them")
        basis = orth(self.model.changes.T.astype(float))
        jacobian, diffusion = basis.T @ self.jacobian @ basis, basis.T @ self.diffusion @ basis
        resolvent = np.linalg.inv(1j * w[:, None, None] * np.eye(len(jacobian)) - jacobian)
        full = basis @ (resolvent @ diffusion @ np.conj(np.swapaxes(resolvent, 1, 2))) @ basis.T
        return np.stack([self._spectral(id, full) for id in self.species], axis=1)

    def _spectral(self, id: str, full: np.ndarray) -> np.ndarray:
        system, unit = self.model.jumps.system, self.model.jumps.molecules
        slopes = partials(system.graph, [system.amounts[id]], "state")[0]
        raw = self.model.described()["parameters"]
        values = system.graph.evaluate(list(slopes.values()), states=list(self.state_mean[0] / unit), params=list(raw))
        h = np.zeros(len(unit))
        for state, value in zip(slopes, values, strict=True):
            h[state] = float(value) / unit[state]
        return np.asarray(np.real(np.einsum("i,fij,j->f", h, full, h)))


class _Rates:
    """f, J and D at a state: drift, its Jacobian, and sum_r v_r v_r^T a_r."""

    def __init__(self, model: JumpModel) -> None:
        nodes, graph = model.macroscopic, model.jumps.graph
        slopes = partials(graph, nodes, "state")
        self.places = [(r, s) for r, row in enumerate(slopes) for s in row]
        self.function = native(graph, [*nodes, *(n for row in slopes for n in row.values())], model.molecules.parameters.shape[1])
        self.changes, self.p = model.changes.astype(float), np.ascontiguousarray(model.molecules.parameters[0])

    def at(self, t: float, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(f [s], J [s, s], D [s, s])."""
        values = self.function(t, y, self.p)
        rates = values[: len(self.changes)]
        slopes = np.zeros(self.changes.shape)
        for (r, s), value in zip(self.places, values[len(rates) :], strict=True):
            slopes[r, s] = value
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number any more is looked at by the callers
            return self.changes.T @ rates, self.changes.T @ slopes, (self.changes.T * rates) @ self.changes

    def moments(self, t: float, z: np.ndarray) -> np.ndarray:
        """d/dt of the mean and of the covariance C: f, J C + C J^T + D."""
        s = self.changes.shape[1]
        drift, jacobian, diffusion = self.at(t, z[:s])
        product = jacobian @ z[s:].reshape(s, s)
        return np.concatenate([drift, (product + product.T + diffusion).ravel()])


@checked
def linear_noise(
    net: Network,
    times: Any,
    *,
    parameters: Mapping[str, float] | None = None,
    start: Start = "given",
    before: Before | None = None,
    **counting: Unpack[CountingOptions],
) -> LinearNoise:
    """dm/dt = f(m), dC/dt = J C + C J^T + D with f = sum v_r a_r, J = df/dm, D = sum v_r v_r^T a_r: start C = 0.

    `start`: there, at rest with the noise at rest ("steady_state"), or after so long a time before 0; during that `before` {id: number}
    holds. Mass action counts as X^m here (the limit of many molecules). Relative tolerance 1e-10. Raises ConfigError for events and rate
    rules, ConvergenceError where there is no steady state. Source: van Kampen, Stochastic Processes in Physics and Chemistry, ch. X.
    """
    check_cells(net, start, before)
    asked = checked_times(times)
    model = jump_model(net, "linear_noise", parameters=parameters, timed=True, single=True, real=True, **counting)
    if not model.jumps.system.states:
        raise ConfigError(f"{net.id}: nothing in it changes, so there is no noise to compute")
    rates, mean, s = _Rates(model), model.molecules.start[0].copy(), len(model.molecules.start[0])
    covariance = np.zeros((s, s))
    if start != "given":
        held, earlier = {**(parameters or {}), **(before or {})}, before_zero(net, start)
        if start == "steady_state":
            rest: LinearNoise = stationary_noise(earlier, parameters=held, **counting)
        else:
            rest = linear_noise(earlier, [start], parameters=held, **counting)
        moved = [i for i, id in enumerate(model.jumps.system.states) if id not in (before or {})]
        mean[moved] = rest.state_mean[0, moved]
        covariance[np.ix_(moved, moved)] = rest.state_covariance[0][np.ix_(moved, moved)]
    stops = np.unique(np.concatenate([asked, time_breaks(model.jumps.system, *_at_start(model), float(asked.max()))]))
    z, now, reached = np.concatenate([mean, covariance.ravel()]), 0.0, {}
    for stop in stops:
        if stop > now:
            inside = np.nextafter(stop, 0.0)  # laws of the piece: at a break point the next one begins
            z = _integrated(rates, np.nextafter(now, np.inf), inside, z, net.id)
            now = float(stop)
        reached[float(stop)] = z
    table = np.stack([reached[float(t)] for t in asked])
    return LinearNoise(model, asked, table[:, :s], table[:, s:].reshape(-1, s, s))


@checked
def stationary_noise(
    net: Network, *, parameters: Mapping[str, float] | None = None, **counting: Unpack[CountingOptions]
) -> StationaryNoise:
    """f(m) = 0 and J C + C J^T + D = 0 (Lyapunov) at the steady state that the network runs into from its start.

    On what reactions can change: conserved sums have no noise. Raises ConvergenceError where there is no stable steady state.
    """
    model = jump_model(net, "stationary_noise", parameters=parameters, single=True, real=True, **counting)
    rates = _Rates(model)
    basis = orth(model.changes.T.astype(float))
    rest = steady_state(net, parameters)
    if rest.drifts:
        raise ConvergenceError(f"{net.id}: {', '.join(map(repr, rest.drifts))} adds up without end, so there is no noise at rest")
    y = _settled(rates, basis, model, rest.solution.states[0])
    _, jacobian, diffusion = rates.at(0.0, y)
    inner = basis.T @ jacobian @ basis
    slowest = np.linalg.eigvals(inner).real.max(initial=-np.inf)
    if slowest >= -1e-12 * np.abs(inner).max(initial=0.0):
        raise ConvergenceError(f"{net.id}: its steady state is not stable: an eigenvalue of the Jacobian is {slowest:.3g}, expected < 0")
    covariance = basis @ solve_continuous_lyapunov(inner, -basis.T @ diffusion @ basis) @ basis.T
    return StationaryNoise(model, np.array([np.inf]), y[None], covariance[None], jacobian, diffusion)


def _at_start(model: JumpModel) -> tuple[np.ndarray, np.ndarray]:
    return model.molecules.start[0] / model.jumps.molecules, model.described()["parameters"]


def _integrated(rates: _Rates, start: float, end: float, z: np.ndarray, name: str) -> np.ndarray:
    """z at `end`. The integrator's time is the share of the span, so that no span is too short or too long for its first step."""
    span, calls = end - start, 0
    if span <= 0:
        return z

    def slopes(share: float, z: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls > _MOST_CALLS:
            raise ConvergenceError(
                f"{name}: linear noise took {_MOST_CALLS:,} evaluations and came to {start + share * span:g}, expected {end:g}; "
                "ask for an earlier time, or for stationary_noise"
            )
        with np.errstate(over="ignore"):
            return np.asarray(span * rates.moments(min(start + share * span, end), z))

    found = solve_ivp(slopes, (0.0, 1.0), z, method="LSODA", rtol=_RTOL, atol=_ATOL, t_eval=[1.0])
    if not found.success or not np.isfinite(found.y).all():
        raise ConvergenceError(f"{name}: linear noise stopped between {start:g} and {end:g}: {found.message}")
    return np.asarray(found.y[:, -1])


def _settled(rates: _Rates, basis: np.ndarray, model: JumpModel, rest: np.ndarray) -> np.ndarray:
    """The steady state in molecules next to that of the rate equations as they stand, with the conserved sums of the start."""
    y = rest * model.jumps.molecules
    missing = model.molecules.start[0] - y
    y = y + missing - basis @ (basis.T @ missing)
    for _ in range(_STEPS):
        drift, jacobian, _ = rates.at(0.0, y)
        step = basis @ np.linalg.lstsq(basis.T @ jacobian @ basis, -basis.T @ drift, rcond=None)[0]
        y = y + step
        if np.abs(step).max(initial=0.0) <= 1e-12 * max(np.abs(y).max(initial=0.0), 1e-300):
            return np.asarray(y)
    raise ConvergenceError(f"{model.name}: Newton's method leaves the steady state that the network runs into")
