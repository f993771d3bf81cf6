"""Errors of a validation pass, summed batch by batch (and over processes), in the units people read."""

from __future__ import annotations

import torch
from torch import Tensor

from sciml.materials.potential import VOIGT, Differentiated
from sciml.materials.training.data import Batch
from sciml.materials.training.loss import TARGETS, Objective
from sciml.units import EV_PER_A3_IN_GPA

UNITS = {"energy": ("meV_per_atom", 1000.0), "forces": ("eV_per_A", 1.0), "stress": ("GPa", EV_PER_A3_IN_GPA)}


class ErrorSums:
    """Sums over labels: `values` [3, 3] float64; rows: energy per atom, force and six stress components; columns: |d|, d^2, number."""

    def __init__(self) -> None:
        self.values = torch.zeros(3, 3, dtype=torch.float64)

    def add(self, found: Differentiated, batch: Batch) -> None:
        """Enter the errors of a batch; labels that are absent, and targets that were not computed, do not count."""
        graph = batch.graph
        atoms = graph.ptr.diff().to(torch.float64)
        self._enter(0, (found.energy.detach() - graph.energy) / atoms, graph.energy_mask)
        if found.forces is not None:
            self._enter(1, found.forces.detach().double() - graph.forces, graph.forces_mask[graph.batch])
        if found.stress is not None:
            self._enter(2, (found.stress.detach().double() - graph.stress)[:, VOIGT[0], VOIGT[1]], graph.stress_mask)

    def _enter(self, row: int, difference: Tensor, mask: Tensor) -> None:
        known = difference[mask]
        self.values[row] += torch.stack([known.abs().sum(), known.square().sum(), known.new_tensor(known.numel())]).cpu()

    def rmse(self, target: str) -> float | None:
        """Root mean square error of a target in eV/atom, eV/A or eV/A^3; None without labels."""
        _, square, number = self.values[TARGETS.index(target)].tolist()
        return (square / number) ** 0.5 if number else None

    def score(self, objective: Objective) -> float:
        """Weighted sum of the mean squared errors in units of the spread, with the weights of the last step: what `best` means."""
        spread, weights = objective.spread.to_dict(), objective.weights(objective.steps)
        return sum(weights[name] * ((self.rmse(name) or 0.0) / spread[name]) ** 2 for name in TARGETS)

    def to_dict(self) -> dict[str, float | None]:
        """MAE and RMSE of each target with the unit in the name, e.g. `forces_rmse_eV_per_A`; None without labels."""
        result: dict[str, float | None] = {}
        for name, (total, square, number) in zip(TARGETS, self.values.tolist(), strict=True):
            unit, factor = UNITS[name]
            result[f"{name}_mae_{unit}"] = factor * total / number if number else None
            result[f"{name}_rmse_{unit}"] = factor * (square / number) ** 0.5 if number else None
        return result
