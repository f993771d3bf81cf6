"""A problem compiled: its likelihood, gradient and Fisher information as functions of the values of its parameters.

Nothing is compiled again when values change: they are arguments of what was compiled once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from sciml.biology.fitting.flow import Flow, SensitiveFlow, differentiable
from sciml.biology.fitting.noise import Densities, densities
from sciml.biology.fitting.parameters import log_prior, scaled, slopes, unscaled
from sciml.biology.fitting.readout import Reading, Readout
from sciml.biology.fitting.runs import Runs
from sciml.biology.fitting.starts import Starts, Values, with_meant_starts
from sciml.biology.fitting.statement import Statement
from sciml.biology.kernels.compiled import system_of
from sciml.errors import DataError

__all__ = ["Objective", "Point"]

_LARGEST = 1000  # states and sensitivities; beyond, differences take less time and agree to 1e-6
_STEP = 1e-3  # of central differences, on the scale of a parameter


@dataclass(frozen=True)
class Point:
    """The objective at one point x [K] on the scales of the estimated parameters.

    `value` is minus the log-likelihood, minus the log densities of the priors; `gradient` [K] and `information` [K, K] (the expected
    Fisher information, and the curvature of the priors) are with respect to x.
    """

    x: np.ndarray
    value: float
    log_likelihood: float
    gradient: np.ndarray
    information: np.ndarray


class Objective:
    """What a problem needs, compiled once. Values are those of all parameters [K], points are those of the estimated ones, scaled."""

    def __init__(self, problem: Statement, rtol: float = 1e-8) -> None:
        self.problem = problem
        named = {id for row in problem.conditions.values() for id in row} | {p.id for p in problem.parameters}
        network = with_meant_starts(problem.network, named)
        self.system = system_of(network)
        values = Values(problem)
        self.runs = Runs(problem, self.system)
        self.starts = Starts(problem, self.system, values, self.runs.conditions)
        self.readout = Readout(problem, self.system, values, self.runs.condition[self.runs.rows])
        self.values = values
        self.flow = Flow(self.system, rtol)
        self.estimated = np.array([k for k, p in enumerate(problem.parameters) if p.estimated], dtype=np.int64)
        self.scales = [p.scale for p in problem.estimated]
        self._measured = np.array([m.value for m in problem.measurements])
        self.evaluations = 0
        # parameters that a run depends on; the others (scales, offsets, noise) need no sensitivities
        self._dynamic = np.array([k for k in self.estimated if self.starts.moving[k].any()], dtype=np.int64)
        moving = self.starts.moving[self._dynamic, len(self.system.states) :]
        self.sensitive: SensitiveFlow | None = None
        small = len(self.system.states) * (1 + len(self._dynamic)) <= _LARGEST
        if small and differentiable(self.system, self.flow.equations, moving):
            self.sensitive = SensitiveFlow(self.system, rtol, moving)

    def predictions(self, values: np.ndarray) -> np.ndarray:
        """[R]: the predicted number of each measurement."""
        return self._read(values)[0].predicted

    def residuals(self, values: np.ndarray) -> np.ndarray:
        """[R]: (predicted - measured) / sigma on the scale of each observable."""
        reading, states = self._read(values)
        return self._densities(reading, states).residual

    def log_likelihood(self, values: np.ndarray) -> float:
        """The sum of all log densities. Raises DataError with the first measurement that has none."""
        reading, states = self._read(values)
        return float(self._densities(reading, states).log.sum())

    def at(self, x: np.ndarray) -> Point:
        """Value, gradient and information at a point on the scales of the estimated parameters.

        Raises DataError or ConvergenceError, with what was not finite or did not converge, where there is no value.
        """
        self.evaluations += 1
        values = self.full(x)
        reading, states, changes = self._read_with_slopes(values)
        found = self._densities(reading, states)
        inner = slopes(values[self.estimated], self.scales)
        by_prediction, by_sigma = changes[:, :, self.estimated] * inner
        prior, prior_gradient, curvature = log_prior(self.problem.estimated, values[self.estimated])
        gradient = found.by_prediction @ by_prediction + found.by_sigma @ by_sigma + prior_gradient
        information = (by_prediction.T * found.information_prediction) @ by_prediction + (by_sigma.T * found.information_sigma) @ by_sigma
        log_likelihood = float(found.log.sum())
        return Point(x, -log_likelihood - prior, log_likelihood, -gradient, information + np.diag(curvature))

    def full(self, x: np.ndarray) -> np.ndarray:
        """[K]: the values of all parameters at a point."""
        values = np.array([p.nominal for p in self.problem.parameters], dtype=float)
        values[self.estimated] = unscaled(x, self.scales)
        return values

    def point(self, values: np.ndarray) -> np.ndarray:
        """The point of the values of all parameters."""
        return scaled(values[self.estimated], self.scales)

    def _read(self, values: np.ndarray) -> tuple[Reading, np.ndarray]:
        row = self.values.row(values)
        y, p = self.starts.states(row)
        states = self.runs.states(self.flow, y[None], p[None])[0]
        return self.readout.read(states, p, row), states

    def _read_with_slopes(self, values: np.ndarray) -> tuple[Reading, np.ndarray, np.ndarray]:
        row = self.values.row(values)
        y, p = self.starts.states(row)
        dy, dp = self.starts.slopes(row)
        changes = np.zeros((len(self._measured), len(values), y.shape[1]))
        if self.sensitive is None:
            states, changes[:, self._dynamic] = self._differences(values, y, p)
        else:
            joined = self.sensitive.joined(y, p, dy[:, self._dynamic], dp[:, self._dynamic])
            both = self.runs.states(self.sensitive.flow, *(part[None] for part in joined))[0]
            states, changes[:, self._dynamic] = self.sensitive.parted(both)
        return self.readout.read(states, p, row), states, self.readout.slopes(states, p, row, changes, dp)

    def _differences(self, values: np.ndarray, y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(states [R, n], their derivatives [R, K, n]) by central differences: for what jumps when states or parameters say so."""
        starts, spans = [(y, p)], []
        for k in self._dynamic:
            parameter = self.problem.parameters[k]
            at = scaled(values[k : k + 1], [parameter.scale])
            ends = [unscaled(at + sign * _STEP * max(1.0, abs(at[0])), [parameter.scale])[0] for sign in (-1.0, 1.0)]
            ends = np.clip(ends, parameter.lower, parameter.upper)
            spans.append(ends[1] - ends[0])
            for end in ends:
                moved = values.copy()
                moved[k] = end
                starts.append(self.starts.states(self.values.row(moved)))
        states = self.runs.states(self.flow, *(np.stack(part) for part in zip(*starts, strict=True)))
        changes = (states[2::2] - states[1::2]) / np.array(spans)[:, None, None]
        return states[0], np.moveaxis(changes, 0, 1)

    def _densities(self, reading: Reading, states: np.ndarray) -> Densities:
        """Of all measurements; DataError explains the first that has none."""
        parts = [
            densities(
                self._measured[g.rows],
                reading.predicted[g.rows],
                reading.sigma[g.rows],
                g.observable.transformation,
                g.observable.distribution,
            )
            for g in self.readout.groups
        ]
        order = np.argsort(np.concatenate([g.rows for g in self.readout.groups]))
        found = Densities(*(np.concatenate([getattr(part, f.name) for part in parts])[order] for f in fields(Densities)))
        bad = np.flatnonzero(~np.isfinite(found.log))
        if len(bad):
            first = int(bad[np.argmin(self.readout.times[bad])])
            raise DataError(f"{self.problem.name}: {self.readout.explained(first, reading, states)}")
        return found
