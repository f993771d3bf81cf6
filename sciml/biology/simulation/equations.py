"""What is compiled for the deterministic runs of one structure: right-hand side, Jacobian, conditions, events."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from sciml.biology.kernels.compiled import made_once
from sciml.biology.kernels.native import Native, native
from sciml.biology.kernels.system import System
from sciml.biology.simulation.conditions import Conditions, conditions_of
from sciml.biology.simulation.events import EventFunctions, event_functions
from sciml.biology.simulation.sparsity import Pattern, jacobian_nodes, pattern
from sciml.errors import ConfigError

__all__ = ["Equations", "equations_of"]


class Equations:
    """Compiled functions of y [n] and p [m parameters, then modes, then lags]."""

    def __init__(self, system: System) -> None:
        self.graph, self.states = system.graph, system.states
        self.conditions: Conditions = conditions_of(system)
        self.parameters = self.conditions.parameters
        self.rhs: Native = native(system.graph, self.conditions.smooth, self.parameters)
        self.events: EventFunctions | None = event_functions(system, self.parameters) if system.events else None
        self.timed = bool(system.graph.leaves(self.conditions.smooth, "time"))
        self.smooth = self.events is None and not self.conditions.count and not system.lags

    @cached_property
    def jacobian(self) -> tuple[Native, Pattern]:
        """The entries of df/dy that are not zero by structure and then df/dt, and where they stand."""
        _, nodes = self._derived
        return native(self.graph, nodes, self.parameters), pattern(len(self.states), self.places)

    @property
    def places(self) -> list[tuple[int, int]]:
        """(row, column) of each entry of the Jacobian."""
        return self._derived[0]

    @cached_property
    def _derived(self) -> tuple[list[tuple[int, int]], list[int]]:
        return jacobian_nodes(self.graph, self.conditions.smooth)

    def absolute(self, atol: float | Mapping[str, float] | None) -> np.ndarray:
        """[n]: what is added to the relative part of the tolerance."""
        if isinstance(atol, Mapping):
            if unknown := atol.keys() - set(self.states):
                raise ConfigError(f"atol: {sorted(unknown)[0]!r} is nothing that changes in this model")
            return np.array([atol.get(id, 0.0) for id in self.states])
        return np.full(len(self.states), atol or 0.0)


def equations_of(system: System) -> Equations:
    """Compiled once for all systems of one structure."""
    return made_once(system, "equations", Equations)
