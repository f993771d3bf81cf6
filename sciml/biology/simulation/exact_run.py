"""What all blocks of an exact run share, and a block of it: lanes where single precision will do, else the double kernel."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sciml.biology.kernels.lanes import lane_program
from sciml.biology.simulation.molecules import Molecules
from sciml.biology.simulation.trajectories import Ensemble
from sciml.seeding import derive

if TYPE_CHECKING:
    from sciml.biology.simulation.scalar_runs import ScalarRuns

__all__ = ["ExactRun"]

_SMALLEST, _LARGEST = 1e-30, 1e30  # coefficients outside are no numbers for single precision


class ExactRun:
    """The program of a run, its coefficients, start and parameters.

    `asked` [T]: times in the order asked; `final`: only the last of them is kept. `rounds`: what events leave is rounded.
    """

    def __init__(self, molecules: Molecules, asked: np.ndarray, seed: int, *, final: bool, rounds: bool, device: str) -> None:
        self.molecules, self.rounds, self.device, self.seed = molecules, rounds, device, int(seed)
        self.times = np.unique(asked)
        self.kept = len(self.times) - 1 if final else 0  # the first record that is kept
        self.asked = self.times[-1:] if final else asked
        self.stream = np.uint64(derive(seed, "simulate_ssa"))
        jumps = molecules.jumps
        self.program = lane_program(jumps) if device == "cpu" else None
        self.left = False
        if self.program is not None:
            columns = list(molecules.parameters.T)
            single = _rows(jumps.graph.evaluate(self.program.single, params=columns), len(molecules.parameters))
            fits = (single == 0) | ((np.abs(single) >= _SMALLEST) & (np.abs(single) <= _LARGEST))
            if fits.all():
                self.single = single.astype(np.float32)
                self.double = _rows(jumps.graph.evaluate(self.program.double, params=columns), len(molecules.parameters))
            else:
                self.program = None
        self.dtype = np.int64 if all(jumps.counted) else np.float64

    @property
    def kernel(self) -> str:
        """Which arithmetic was used."""
        if self.device == "cuda":
            return "threads64"
        return "scalar64" if self.program is None else "lanes32+scalar64" if self.left else "lanes32"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the model's molecules gave to say."""
        return self.molecules.notes

    @cached_property
    def scalar(self) -> ScalarRuns:
        """The double kernel, made where it is needed."""
        from sciml.biology.simulation.scalar_runs import ScalarRuns

        m = self.molecules
        return ScalarRuns(m.jumps, m.parameters, self.times, int(self.stream), self.rounds)

    def room(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """What `block` fills for n trajectories: states [n, T, s] in molecules, times ascending; which are done [n]."""
        shape = (n, len(self.times) - self.kept, len(self.molecules.jumps.system.states))
        return np.empty(shape, dtype=self.dtype), np.zeros(n, dtype=np.uint8)

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`."""
        count, m = len(out), self.molecules
        if self.device == "cuda":
            from sciml.biology.simulation.thread_runs import run_threads

            out[:] = run_threads(m, self.times, first, count, int(self.stream))[:, self.kept :]
            done[:] = 1
            signals[1] += count
            return
        left = np.full((count, out.shape[2] + 2), np.nan)
        part = slice(first, first + count)
        if self.program is None:
            left[:, :2] = 0.0
            left[:, 2:] = m.start[part] if len(m.start) > 1 else m.start
            self.scalar.run(first, left, self.kept, out, done, signals)
            return
        from sciml.biology.simulation.lane_driver import run_lanes

        start, single, double = (r[part] if len(r) > 1 else r for r in (m.start, self.single, self.double))
        if run_lanes(self.program, int(self.stream), first, start, single, double, self.times, self.kept, out, left, done, signals):
            self.left = True
            self.scalar.run(first, left, self.kept, out, done, signals)

    def answered(self, states: np.ndarray) -> np.ndarray:
        """[n, T, s] of what `block` filled: at the times asked, in their order, and in the model's units."""
        order = np.searchsorted(self.times[self.kept :], self.asked)
        if not np.array_equal(order, np.arange(states.shape[1])):
            states = states[:, order]
        return states / self.molecules.jumps.molecules if self.molecules.per_unit else states

    def ensemble(self, states: np.ndarray, chosen: slice | np.ndarray = slice(None), notes: tuple[str, ...] = ()) -> Ensemble:
        """The result of the trajectories `chosen`, whose states are given."""
        m = self.molecules
        raw = m.raw[chosen] if m.raw.ndim > 1 else m.raw
        answer, said = self.answered(states), m.notes + notes
        return Ensemble(m.jumps.system, self.asked, answer, raw, notes=said, seed=self.seed, kernel=self.kernel, molecules=m.per_unit)


def _rows(columns: list[np.ndarray], count: int) -> np.ndarray:
    """[count, columns]."""
    return np.ascontiguousarray(np.stack([np.broadcast_to(c, count) for c in columns], axis=1)) if columns else np.zeros((1, 0))
