"""What all blocks of an exact run share: lanes where single precision will do, stages between timed events, else the double kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sciml.biology.kernels.lanes import lane_program
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.lane_runs import LaneRuns
from sciml.biology.simulation.molecules import Molecules
from sciml.biology.simulation.stages import Stages, stages_of
from sciml.biology.simulation.trajectories import Ensemble
from sciml.seeding import derive

if TYPE_CHECKING:
    from sciml.biology.simulation.scalar_runs import ScalarRuns

__all__ = ["ExactRun"]


class ExactRun:
    """The program of a run, its coefficients, start and parameters.

    `asked` [T]: times in the order asked; `final`: only the last of them is kept. `rounds`: what events leave is rounded.
    """

    def __init__(self, molecules: Molecules, asked: np.ndarray, seed: int, *, final: bool, rounds: bool, device: str) -> None:
        self.molecules, self.rounds, self.device, self.seed = molecules, rounds, device, int(seed)
        self.times = np.unique(asked)
        self.kept = len(self.times) - 1 if final else 0  # the first record that is kept
        self.asked = self.times[-1:] if final else asked
        self.dtype = np.int64 if all(molecules.jumps.counted) else np.float64
        self.runs = self._runs() if device == "cpu" else None

    def _runs(self) -> LaneRuns | Stages | ScalarRuns:
        """What is right for the model."""
        m, numbers = self.molecules, (self.times, derive(self.seed, "simulate_ssa"), self.rounds)
        program = lane_program(m.jumps)
        if program is not None:
            return LaneRuns(m.jumps, program, *numbers)
        stages = stages_of(m, *numbers)
        if stages is not None:
            return stages
        from sciml.biology.simulation.scalar_runs import ScalarRuns

        return ScalarRuns(m.jumps, *numbers)

    @property
    def kernel(self) -> str:
        """Which arithmetic was used."""
        return "threads64" if self.runs is None else "+".join(sorted(self.runs.kinds))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the model's molecules gave to say."""
        return self.molecules.notes

    def room(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """What `block` fills for n trajectories: states [n, T, s] in molecules, times ascending; which are done [n]."""
        shape = (n, len(self.times) - self.kept, len(self.molecules.jumps.system.states))
        return np.empty(shape, dtype=self.dtype), np.zeros(n, dtype=np.uint8)

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`."""
        start, rows = JumpModel(self.molecules).rows(first, len(out))
        if self.runs is not None:
            self.runs.run(first, start, rows, self.kept, out, done, signals)
            return
        from sciml.biology.simulation.thread_runs import run_threads

        out[:] = run_threads(self.molecules, self.times, first, len(out), derive(self.seed, "simulate_ssa"))[:, self.kept :]
        done[:] = 1
        signals[1] += len(out)

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
