"""The loss: errors of energy per atom, forces and stress, each in units of the data's spread, over the labels that are there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sciml.materials.potential import Differentiated, EnergyModel, differentiate
from sciml.materials.training.data import Batch, Facts
from sciml.materials.training.recipe import Recipe

TARGETS = ("energy", "forces", "stress")
_TINY = 1e-8


@dataclass(frozen=True)
class Spread:
    """Units of the loss: energy in eV/atom (about the reference energies), forces in eV/A, stress in eV/A^3."""

    energy: float
    forces: float
    stress: float

    def to_dict(self) -> dict[str, float]:
        """The same as plain JSON values."""
        return asdict(self)


def spread_of(facts: Facts, rows: np.ndarray, interaction: np.ndarray, pressure: np.ndarray, recipe: Recipe) -> Spread:
    """Spread of the labels of the structures `rows`: standard deviation of the interaction energy per atom, rms of forces and stress.

    interaction: [n] eV, label minus reference energies, NaN where absent. pressure: [n] eV/A^3, isotropic stress that is taken off the
    labels. Lone atoms do not count: their interaction energy is zero by construction, far from that of all others. A spread that vanishes
    (one structure, perfect crystals) is 1.
    """
    table = facts.table
    per_atom = interaction[rows] / table.atoms[rows]
    per_atom = per_atom[~np.isnan(per_atom) & ~table.isolated[rows]]
    forces = _rms(table.force_square[rows], 3 * table.atoms[rows])
    lowered = table.stress_square - 2 * pressure * table.stress_trace + 3 * pressure**2
    stress = _rms(lowered[rows].clip(min=0.0), np.full(len(rows), 9))
    energy = float(per_atom.std()) if len(per_atom) else 0.0
    energy = max(energy, recipe.energy_floor_A * forces)
    return Spread(*(value if value > _TINY else 1.0 for value in (energy, forces, stress)))


def _rms(squares: np.ndarray, amounts: np.ndarray) -> float:
    known = ~np.isnan(squares)
    return float(np.sqrt(squares[known].sum() / amounts[known].sum())) if known.any() else 0.0


class Losses(NamedTuple):
    """Weighted sum and its parts (mean errors in units of the spread, squared for `mse`), each a scalar tensor."""

    total: Tensor
    energy: Tensor
    forces: Tensor
    stress: Tensor


@dataclass(frozen=True)
class Objective:
    """Which targets are trained on, their units, and the function of the errors."""

    recipe: Recipe
    spread: Spread
    targets: tuple[str, ...]
    steps: int

    def predict(self, energy_model: EnergyModel, batch: Batch, *, create_graph: bool) -> Differentiated:
        """Energy and those derivatives that the targets need."""
        forces, stress = "forces" in self.targets, "stress" in self.targets
        return differentiate(energy_model, batch.graph, forces=forces, stress=stress, create_graph=create_graph)

    def weights(self, step: int) -> dict[str, float]:
        """Weight of each target at a step; 0 for targets that are not trained on."""
        recipe = self.recipe
        all_weights = {"energy": recipe.energy_weight_at(step, self.steps), "forces": recipe.forces_weight, "stress": recipe.stress_weight}
        return {name: weight if name in self.targets else 0.0 for name, weight in all_weights.items()}

    def __call__(self, found: Differentiated, batch: Batch, step: int) -> Losses:
        """Losses of a batch; sums over its labels are divided by the number of labels in the whole step (see `Batch.labels`)."""
        graph = batch.graph
        atoms = graph.ptr.diff().to(torch.float64)  # [G]
        dtype = found.energies.dtype
        energy = self._mean(((found.energy - graph.energy) / atoms).to(dtype), graph.energy_mask, self.spread.energy, batch.labels[0])
        forces = stress = energy.new_zeros(())
        if "forces" in self.targets:
            forces = self._mean(found.forces - graph.forces.to(dtype), graph.forces_mask[graph.batch], self.spread.forces, batch.labels[1])
        if "stress" in self.targets:
            stress = self._mean(found.stress - graph.stress.to(dtype), graph.stress_mask, self.spread.stress, batch.labels[2])
        weights = self.weights(step)
        total = weights["energy"] * energy + weights["forces"] * forces + weights["stress"] * stress
        return Losses(total, energy.detach(), forces.detach(), stress.detach())

    def _mean(self, difference: Tensor, mask: Tensor, unit: float, number: int) -> Tensor:
        """Sum of the (robust) errors in units of `unit` where `mask` holds, divided by `number` of labels."""
        x = difference / unit
        x = torch.where(mask.view(-1, *[1] * (x.dim() - 1)), x, torch.zeros_like(x))  # no gradient where no label is
        if self.recipe.loss == "huber":
            delta = self.recipe.huber_delta
            error = torch.where(x.abs() <= delta, x.square(), delta * (2 * x.abs() - delta))
        else:
            error = x.square()
        return error.sum() / max(number, 1)


def targets_of(facts: Facts, recipe: Recipe) -> tuple[str, ...]:
    """Targets with a weight above 0 of which at least one structure has a label."""
    table = facts.table
    present = {"energy": table.energy, "forces": table.force_square, "stress": table.stress_square}
    energy = max(recipe.energy_weight, recipe.energy_weight_late)
    weights = {"energy": energy, "forces": recipe.forces_weight, "stress": recipe.stress_weight}
    return tuple(name for name in TARGETS if weights[name] > 0 and not np.isnan(present[name]).all())
