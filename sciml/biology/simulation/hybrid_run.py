"""Blocks of trajectories by the hybrid method."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from sciml.biology.kernels.hybrid_lanes import HybridProgram
from sciml.biology.kernels.lanes import compiled_lanes
from sciml.biology.simulation.costs import exact_seconds, hybrid_seconds
from sciml.biology.simulation.hybrid_loop import HybridTask, Lanes, Results, empty_lanes, run_hybrid
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.lane_runs import coefficients, fits_single
from sciml.biology.simulation.leap_run import LeapRun
from sciml.biology.simulation.streams import stream_words
from sciml.seeding import derive

__all__ = ["HybridRun", "single_coefficients"]

_PILOTS = 2


def single_coefficients(model: JumpModel, program: HybridProgram) -> np.ndarray | None:
    """float32 [1 or n, k]: the coefficients of a program; None where single precision cannot hold them."""
    single = coefficients(model.jumps, program.single, model.molecules.parameters)
    return single.astype(np.float32) if fits_single(single).all() else None


@dataclass
class HybridRun(LeapRun):
    """A program with its coefficients, `single` [1 or n, k]. A species is abundant from `abundant` times the most that a reaction takes."""

    program: HybridProgram = field(kw_only=True)
    single: np.ndarray = field(kw_only=True)
    abundant: float = field(kw_only=True)
    kernel: ClassVar[str] = "hybrid32"

    @cached_property
    def double(self) -> np.ndarray:
        """[1 or n, k]: the coefficients that stay in double precision."""
        return coefficients(self.model.jumps, self.program.double, self.molecules.parameters)

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`."""
        self.react(int(self.stream()), first, out, done, signals)

    def react(self, stream: int, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> np.ndarray:
        """As `block`; returns counts of steps, events one by one, firings drawn for steps [n, 3]."""
        n, y = len(out), self.started(first, len(out))[0]
        single, double, parameters = (
            np.ascontiguousarray(c[first : first + n] if len(c) > 1 else c) for c in (self.single, self.double, self.molecules.parameters)
        )
        task = HybridTask(
            compiled_lanes(self.program.source).address, self.program.marks, self.leaps.code, np.uint64(stream), first, parameters, single,
            double, stream_words(stream, first, n, 1).view(np.float32), self.times, self.skipped, float(self.abundant), float(self.epsilon),
        )  # fmt: skip
        results = Results(out, y, np.zeros(n, dtype=np.int64), done, np.zeros((n, 3)))
        run_hybrid(task, self.lanes(), results, signals)
        self.check(first, results.failed, y)
        return results.counted

    def lanes(self) -> Lanes:
        """Lanes of this program."""
        tables, program = self.leaps.code.tables, self.program
        return empty_lanes(program.rows, self.double.shape[1], program.channels, len(tables.channel), program.states)

    def pays(self) -> bool:
        """Whether it is cheaper than the exact method, by two trajectories of the first row."""
        states, done = self.room(_PILOTS)
        steps, events, firings = self.react(derive(0, "pilot"), 0, states, done, np.zeros(2, dtype=np.int64)).sum(axis=0)
        jumps = self.model.jumps
        return bool(exact_seconds(jumps, firings) >= hybrid_seconds(jumps, steps, events))
