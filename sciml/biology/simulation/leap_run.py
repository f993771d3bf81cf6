"""What tau-leaping and the Langevin equation share about a run: the model's code, break points, blocks of trajectories, failures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.leap_loop import Scratch, scratch
from sciml.biology.simulation.leap_steps import Leaps, leaps_of
from sciml.biology.simulation.time_breaks import time_breaks
from sciml.errors import ConfigError

__all__ = ["LeapRun", "checked_number"]


@dataclass
class LeapRun:
    """A model at sorted `times`."""

    model: JumpModel
    times: np.ndarray
    epsilon: float

    def __post_init__(self) -> None:
        if not 0 < self.epsilon <= 0.5:
            raise ConfigError(f"epsilon: found {self.epsilon!r}, expected a number above 0, at most 0.5")

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
        rows = np.unique(np.atleast_2d(self.model.molecules.raw), axis=0)
        start = self.model.molecules.start[0] / self.model.jumps.molecules
        return np.unique(np.concatenate([time_breaks(system, start, row, float(self.times[-1])) for row in rows]))

    def room(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(states [n, T, s], failed [n], last [n, s]) to be filled."""
        size = self.model.changes.shape[1]
        return np.zeros((n, len(self.times), size)), np.zeros(n, dtype=np.int64), np.zeros((n, size))

    def scratch(self) -> Scratch:
        """Room for one trajectory at a time."""
        tables = self.leaps.code.tables
        return scratch(len(tables.starts) - 1, len(tables.channel), self.model.changes.shape[1])

    def shared(self, stream: np.uint64, first: int, count: int) -> tuple[Any, ...]:
        """The first arguments of both loops."""
        start, parameters = self.model.rows(first, count)
        return (
            self.leaps.code, self.scratch(), stream, first, start, parameters, self.times, self.breaks, self.leaps.timed, self.epsilon,
        )  # fmt: skip

    def check(self, failed: np.ndarray, last: np.ndarray) -> None:
        """Raise for the first trajectory that met a propensity that cannot be."""
        bad = np.flatnonzero(failed)
        if len(bad):
            channel, state = int(failed[bad[0]]) - 1, last[bad[0]]
            raise self.model.refused(channel, state, float(self.model.rates_unchecked(state, int(bad[0]))[channel]))


def checked_number(n: Any) -> int:
    """A number of trajectories."""
    if not hasattr(n, "__index__") or int(n) < 1:
        raise ConfigError(f"n: found {n!r}, expected a whole number >= 1")
    return int(n)
