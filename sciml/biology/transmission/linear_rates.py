"""Propensities of a jump process and their slopes, for what is linear about a state."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.native import native
from sciml.biology.simulation.jump_model import JumpModel

__all__ = ["LinearRates"]


class LinearRates:
    """a_r and d a_r / d y at states y [s] in molecules, of the first row of parameters; mass action as X^m, the limit of many molecules."""

    def __init__(self, model: JumpModel) -> None:
        nodes, graph = model.macroscopic, model.jumps.graph
        rows = partials(graph, nodes, "state")
        self._places = [r for r, row in enumerate(rows) for _ in row], [s for row in rows for s in row]
        self._function = native(graph, [*nodes, *(n for row in rows for n in row.values())], model.molecules.parameters.shape[1])
        self._p = np.ascontiguousarray(model.molecules.parameters[0], dtype=float)
        self.changes = model.changes.astype(float)

    def at(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(propensities [R], slopes [R, s])."""
        values = self._function(0.0, np.ascontiguousarray(y, dtype=float), self._p)
        slopes = np.zeros(self.changes.shape)
        slopes[self._places] = values[len(slopes) :]
        return values[: len(slopes)], slopes

    def drift(self, y: np.ndarray) -> np.ndarray:
        """[s]: d y / d t in the mean."""
        return np.asarray(self.changes.T @ self._function(0.0, np.ascontiguousarray(y, dtype=float), self._p)[: len(self.changes)])
