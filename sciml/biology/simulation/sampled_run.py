"""What all stochastic methods share about a run: its model in molecules, the times that are kept, room for a block, the result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from sciml.biology.simulation.molecules import Molecules
from sciml.biology.simulation.trajectories import Ensemble

__all__ = ["SampledRun"]


class SampledRun(ABC):
    """A method at work, block by block. `asked` [T]: the times that are kept, in the order asked; `final`: only the last of them.

    `times`: those times ascending, with the first `skipped` of them, which are not kept. `device`: "cpu", or "cuda" for many at once.
    """

    dtype: type = float  # of states
    largest = 1 << 14  # trajectories of a block that is written or summed up when it is done

    def __init__(self, molecules: Molecules, asked: np.ndarray, seed: int, *, final: bool, device: str = "cpu") -> None:
        self.molecules, self.seed, self.device = molecules, int(seed), device
        self.times = np.unique(asked)
        self.skipped = len(self.times) - 1 if final else 0
        self.asked = self.times[-1:] if final else asked

    @property
    @abstractmethod
    def kernel(self) -> str:
        """The arithmetic."""

    @abstractmethod
    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`; signals[0] says stop, signals[1] counts."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said once it is done: what the model's molecules gave to say."""
        return self.molecules.notes

    def room(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """What `block` fills for n trajectories: states [n, T, s] in molecules, times ascending; which are done [n]."""
        shape = (n, len(self.times) - self.skipped, len(self.molecules.jumps.system.states))
        return np.empty(shape, dtype=self.dtype), np.zeros(n, dtype=np.uint8)

    def answered(self, states: np.ndarray) -> np.ndarray:
        """[n, T, s] of what `block` filled: at the times asked, in their order, and in the model's units, as `Ensemble.states` has it."""
        order = np.searchsorted(self.times[self.skipped :], self.asked)
        if not np.array_equal(order, np.arange(states.shape[1])):
            states = states[:, order]
        return states / self.molecules.jumps.molecules if self.molecules.per_unit else states

    def ensemble(self, states: np.ndarray, chosen: slice | np.ndarray = slice(None), notes: tuple[str, ...] = ()) -> Ensemble:
        """The result of the trajectories `chosen`, whose states are given."""
        return Ensemble(**self.described(states, chosen, notes))

    def described(self, states: np.ndarray, chosen: slice | np.ndarray, notes: tuple[str, ...]) -> dict[str, Any]:
        """The arguments of that result."""
        m = self.molecules
        raw = m.raw[chosen] if m.raw.ndim > 1 else m.raw
        found = {"system": m.jumps.system, "times": self.asked, "states": self.answered(states), "parameters": raw}
        return found | {"notes": self.notes + notes, "seed": self.seed, "kernel": self.kernel, "molecules": m.per_unit}
