"""What all blocks of an exact run share: lanes where single precision will do, stages between timed events, else the double kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sciml.biology.kernels.lanes import lane_program
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.lane_runs import LaneRuns
from sciml.biology.simulation.molecules import Molecules
from sciml.biology.simulation.sampled_run import SampledRun
from sciml.seeding import derive

if TYPE_CHECKING:
    from sciml.biology.simulation.scalar_runs import ScalarRuns
    from sciml.biology.simulation.stages import Stages

__all__ = ["ExactRun"]

_FEW = 256  # trajectories of a block that may take long


class ExactRun(SampledRun):
    """The program of a run, its coefficients, start and parameters. `rounds`: what events leave is rounded."""

    def __init__(self, molecules: Molecules, asked: np.ndarray, seed: int, *, final: bool, rounds: bool, device: str) -> None:
        super().__init__(molecules, asked, seed, final=final, device=device)
        self.rounds = rounds
        self.dtype = np.int64 if all(molecules.jumps.counted) else np.float64
        self.runs = self._runs() if device == "cpu" else None

    def _runs(self) -> LaneRuns | Stages | ScalarRuns:
        """What is right for the model."""
        m, numbers = self.molecules, (self.times, derive(self.seed, "simulate_ssa"), self.rounds)
        program = lane_program(m.jumps)
        if program is not None:
            return LaneRuns(m.jumps, program, *numbers)
        if m.jumps.events:  # what follows needs numba, which a second use of a model without events does not
            from sciml.biology.simulation.stages import stages_of

            stages = stages_of(m, *numbers)
            if stages is not None:
                return stages
        from sciml.biology.simulation.scalar_runs import ScalarRuns

        self.largest = _FEW
        return ScalarRuns(m.jumps, *numbers)

    @property
    def kernel(self) -> str:
        """Which arithmetic was used."""
        return "threads64" if self.runs is None else "+".join(sorted(self.runs.kinds))

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`."""
        start, rows = JumpModel(self.molecules).rows(first, len(out))
        if self.runs is not None:
            self.runs.run(first, start, rows, self.skipped, out, done, signals)
            return
        from sciml.biology.simulation.gpu_runs import run_on_gpu

        out[:] = run_on_gpu(self.molecules, self.times, first, len(out), derive(self.seed, "simulate_ssa"))[:, self.skipped :]
        done[:] = 1
        signals[1] += len(out)
