"""A probability law of molecule counts on listed states: marginals, moments, and any symbol of the model in each state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sciml.arguments import checked
from sciml.biology.kernels.system import System
from sciml.biology.network import nearest
from sciml.errors import ConfigError

__all__ = ["CountLaw"]


@dataclass(frozen=True, repr=False)
class CountLaw:
    """`states` [n, s] are molecules in the order of `system.states`, `p` [T, n] their probability at `times` [T].

    `parameters` [m] and `molecules` [s] (per unit of amount) give the states their meaning in the model's units.
    """

    system: System
    parameters: np.ndarray
    molecules: np.ndarray
    notes: tuple[str, ...]
    times: np.ndarray
    states: np.ndarray
    p: np.ndarray

    @property
    def species(self) -> tuple[str, ...]:
        """Ids of all species: the last axis of `mean` and `std`."""
        return tuple(s.id for s in self.system.network.species)

    @checked
    def probabilities(self, t: float) -> np.ndarray:
        """[n]: p of each of `states` at one of the times."""
        return np.asarray(self.p[self.at(t)])

    @checked
    def marginal(self, name: str, t: float) -> np.ndarray:
        """[largest count + 1]: p(count of a species) at one of the times."""
        return np.bincount(self._counts(name), weights=self.probabilities(t))

    @cached_property
    def mean(self) -> np.ndarray:
        """[T, S]: mean amounts of the law that was kept, divided by its sum. An estimate: what was lost may lie anywhere."""
        return self._moment(self._amounts)

    @cached_property
    def std(self) -> np.ndarray:
        """[T, S]: standard deviations of amounts, estimates like `mean`."""
        centre = self.mean.mean(axis=0)  # moments about a point within the law lose no digits
        first, second = self._moment(self._amounts - centre), self._moment((self._amounts - centre) ** 2)
        return np.asarray(np.sqrt(np.maximum(second - first**2, 0.0)))

    @checked
    def select(self, name: str) -> np.ndarray:
        """[n]: what an id means in formulas, in each of `states`. Raises ConfigError for an id that the model does not have."""
        if name not in self.system.values:
            raise ConfigError(f"select: {name!r} is no symbol of {self.system.network.id!r}{nearest(name, self.system.values)}")
        return self._values(self.system.values[name])

    @checked
    def at(self, t: float) -> int:
        """The index of a time. Raises ConfigError for one that was not asked for."""
        found = np.flatnonzero((self.times == t) | np.isclose(self.times, t, rtol=1e-12, atol=0.0))
        if not len(found):
            raise ConfigError(f"t: {t!r} is none of the times {self.times.tolist()[:8]}")
        return int(found[0])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: times, species, mean, std, number of states."""
        return {
            "times": self.times.tolist(),
            "species": list(self.species),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "states": len(self.states),
            "notes": list(self.notes),
        }

    @cached_property
    def _amounts(self) -> np.ndarray:
        return np.stack([self._values(self.system.amounts[id]) for id in self.species], axis=1)

    def _values(self, node: int) -> np.ndarray:
        columns = list((self.states / self.molecules).T)
        value = self.system.graph.evaluate([node], states=columns, params=list(self.parameters))[0]
        return np.broadcast_to(value, len(self.states))

    def _counts(self, name: str) -> np.ndarray:
        if name not in self.species:
            raise ConfigError(f"marginal: {name!r} is no species of {self.system.network.id!r}{nearest(name, self.species)}")
        if name in self.system.states:
            return np.asarray(self.states[:, self.system.states.index(name)])
        return np.asarray(np.rint(self._values(self.system.amounts[name])), dtype=np.int64)

    def _moment(self, values: np.ndarray) -> np.ndarray:
        return np.asarray((self.p @ values) / self.p.sum(axis=1, keepdims=True))
