"""Trajectories in single precision, 64 side by side; those that need more are given to the double kernel on the way."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.lanes import LaneProgram

__all__ = ["LaneRuns", "coefficients", "fits_single"]

_SMALLEST, _LARGEST = 1e-30, 1e30  # coefficients outside are no numbers for single precision


def coefficients(jumps: Jumps, nodes: tuple[int, ...], rows: np.ndarray) -> np.ndarray:
    """[rows, nodes]: nodes that depend on parameters alone, whose `rows` are one for all trajectories or one each."""
    found = jumps.graph.evaluate(nodes, params=list(rows.T))
    return np.ascontiguousarray(np.stack([np.broadcast_to(c, len(rows)) for c in found], axis=1)) if found else np.zeros((len(rows), 0))


def fits_single(values: np.ndarray) -> np.ndarray:
    """Which coefficients single precision can hold."""
    return np.asarray((values == 0) | ((np.abs(values) >= _SMALLEST) & (np.abs(values) <= _LARGEST)))


class LaneRuns:
    """What runs a lane program to `times`, which ascend. `kinds`: the arithmetics that were used."""

    def __init__(self, jumps: Jumps, program: LaneProgram, times: np.ndarray, stream: int, rounds: bool, begin: float = 0.0) -> None:
        self.jumps, self.program, self.times, self.stream, self.rounds, self.begin = jumps, program, times, stream, rounds, begin
        self.kinds: set[str] = set()

    def run(
        self, first: int, start: np.ndarray, rows: np.ndarray, skipped: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray
    ) -> None:
        """Trajectories `first`, `first + 1`, ... from `start` with parameters `rows`, one each or one for all; records from `skipped` on
        go to `out` [n, T, s]. Raises what the double kernel raises."""
        from sciml.biology.simulation.lane_driver import run_lanes

        n = len(out)
        single, double = (coefficients(self.jumps, nodes, rows) for nodes in (self.program.single, self.program.double))
        fits = np.all(fits_single(single), axis=1)
        left = np.full((n, out.shape[2] + 2), np.nan)
        if not fits.all():
            beyond = np.broadcast_to(~fits, n)
            left[beyond, :2], left[beyond, 2:] = 0.0, np.broadcast_to(start, (n, out.shape[2]))[beyond]
            single = np.where(fits[:, None], single, 0.0)
        if fits.any():
            self.kinds.add("lanes32")
        numbers = (start, single.astype(np.float32), double)
        lost = run_lanes(self.program, self.stream, first, *numbers, self.times, skipped, out, left, done, signals)
        if (lost or not fits.all()) and not done.all() and not signals[0]:
            from sciml.biology.simulation.scalar_runs import ScalarRuns

            self.kinds.add("scalar64")
            ScalarRuns(self.jumps, self.times, self.stream, self.rounds, self.begin).go_on(first, left, rows, skipped, out, done, signals)
