"""What tau-leaping and the Langevin equation share about a run: the model's code, break points, blocks of trajectories, failures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.leap_steps import Leaps, Scratch, leaps_of, scratch
from sciml.biology.simulation.sampled_run import SampledRun
from sciml.biology.simulation.time_breaks import time_breaks
from sciml.seeding import derive

__all__ = ["LeapRun"]


@dataclass
class LeapRun(SampledRun):
    """A model at the times `asked` [T]; `final`: only the last of them is kept. `method` names the streams of random numbers."""

    model: JumpModel
    asked: np.ndarray
    epsilon: float
    seed: int
    method: str
    final: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.model.molecules, self.asked, self.seed, final=self.final)

    @cached_property
    def leaps(self) -> Leaps:
        """Compiled propensities and slopes."""
        return leaps_of(self.model)

    @cached_property
    def breaks(self) -> np.ndarray:
        """Where laws jump in time, for any of the trajectories."""
        system = self.model.jumps.system
        if not system.graph.leaves(system.rates, "time"):
            return np.zeros(0)
        rows = np.unique(np.atleast_2d(self.molecules.raw), axis=0)
        start = self.molecules.start[0] / self.model.jumps.molecules
        return np.unique(np.concatenate([time_breaks(system, start, row, float(self.times[-1])) for row in rows]))

    def stream(self, *names: str | int) -> Any:
        """The word from which the streams of all trajectories come."""
        return np.uint64(derive(self.seed, self.method, *names))

    def scratch(self) -> Scratch:
        """Room for one trajectory at a time."""
        tables = self.leaps.code.tables
        return scratch(len(tables.starts) - 1, len(tables.channel), self.model.changes.shape[1])

    def started(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(states [count, s] to be moved, parameters) of trajectories first, first + 1, ..."""
        start, parameters = self.model.rows(first, count)
        return np.array(np.broadcast_to(start, (count, start.shape[1])), order="C"), parameters

    def check(self, first: int, failed: np.ndarray, y: np.ndarray) -> None:
        """Raise for the first trajectory that met a propensity that cannot be, in the state y."""
        bad = np.flatnonzero(failed)
        if len(bad):
            channel, state = int(failed[bad[0]]) - 1, y[bad[0]]
            raise self.model.refused(channel, state, float(self.model.rates_unchecked(state, first + int(bad[0]))[channel]))
