"""The states at all measurements: runs of every condition, from its start or from the steady state of another condition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciml.biology.fitting.flow import Flow
from sciml.biology.fitting.statement import Statement
from sciml.biology.kernels.system import System

__all__ = ["Runs"]


@dataclass(frozen=True)
class _Batch:
    """Runs to the same end: numbers of the `experiments`, the times, and (experiment in the batch, time, measurement) of what is read."""

    experiments: np.ndarray
    grid: np.ndarray
    places: tuple[np.ndarray, np.ndarray, np.ndarray]


class Runs:
    """Which runs a problem needs. `conditions` are those with starts of their own; each is simulated once, however many rows it has.

    An experiment is a condition and the one before it. `kept` [E, n] says which states it takes over from the steady state before.
    """

    def __init__(self, problem: Statement, system: System) -> None:
        self.system = system
        pairs = list(dict.fromkeys((m.before, m.condition) for m in problem.measurements))
        self.conditions = tuple(dict.fromkeys([c for _, c in pairs] + [b for b, _ in pairs if b]))
        number = {id: c for c, id in enumerate(self.conditions)}
        self.condition = np.array([number[c] for _, c in pairs])
        self.before = np.array([number[b] if b else -1 for b, _ in pairs])
        place = {pair: e for e, pair in enumerate(pairs)}
        self.rows = np.array([place[m.before, m.condition] for m in problem.measurements])
        self.kept = np.array([[bool(b) and id not in problem.conditions[c] for id in system.states] for b, c in pairs]).reshape(
            len(pairs), -1
        )
        times = np.array([m.time for m in problem.measurements])
        self.steady = np.isinf(times)
        self.batches = tuple(self._batches(times))

    def _batches(self, times: np.ndarray) -> list[_Batch]:
        ends = {e: times[(self.rows == e) & ~self.steady].max(initial=-1.0) for e in range(len(self.condition))}
        found = []
        for end in sorted({end for end in ends.values() if end >= 0}):
            experiments = np.array([e for e, last in ends.items() if last == end])
            read = np.flatnonzero(np.isin(self.rows, experiments) & ~self.steady)
            grid, place = np.unique(times[read], return_inverse=True)
            found.append(_Batch(experiments, grid, (np.searchsorted(experiments, self.rows[read]), place, read)))
        return found

    def states(self, flow: Flow, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        """[V, R, n] at the measurements, from starts y [V, C, n] and parameters p [V, C, m] of V variants.

        n may be a multiple of the number of states: sensitivities after the states are kept or not as the states are.
        """
        begun = y[:, self.condition]
        first = np.unique(self.before[self.before >= 0])
        if len(first):
            rest = np.full_like(y, np.nan)
            rest[:, first] = flow.steady(y[:, first], p[:, first])
            kept = np.tile(self.kept, (1, y.shape[2] // max(self.kept.shape[1], 1)))
            begun = np.where(kept, rest[:, self.before], begun)
        out = np.empty((len(y), len(self.rows), y.shape[2]))
        for batch in self.batches:
            found = flow.run(begun[:, batch.experiments], p[:, self.condition[batch.experiments]], batch.grid)
            experiment, place, read = batch.places
            out[:, read] = found[:, experiment, place]
        if self.steady.any():
            last = np.unique(self.rows[self.steady])
            found = flow.steady(begun[:, last], p[:, self.condition[last]])
            out[:, self.steady] = found[:, np.searchsorted(last, self.rows[self.steady])]
        return out
