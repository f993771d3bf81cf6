"""Sums of errors give the MAE and RMSE that numpy gives, in the units of their names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sciml.materials.potential import Differentiated
from sciml.materials.training import Recipe
from sciml.materials.training.data import MemoryGraphs, passes
from sciml.materials.training.loss import Objective, Spread
from sciml.materials.training.metrics import ErrorSums


def test_errors_over_batches_are_those_over_all(copper) -> None:
    structures, generator = copper(5), np.random.default_rng(0)
    sums, energy, forces, stress = ErrorSums(), [], [], []
    for batch in passes(MemoryGraphs(structures, 4.0, "x"), np.arange(5), 2):
        graph = batch.graph
        energy.append(generator.normal(size=graph.energy.shape))
        forces.append(generator.normal(size=graph.forces.shape))
        half = generator.normal(size=graph.stress.shape)
        stress.append(half + half.transpose(0, 2, 1))
        pairs = ((graph.energy, energy), (graph.forces, forces), (graph.stress, stress))
        shifted = [label + torch.from_numpy(noise[-1]) for label, noise in pairs]
        sums.add(Differentiated(torch.zeros(len(graph.z)), *shifted), batch)
    found = sums.to_dict()
    per_atom, force = np.concatenate(energy) / 4, np.concatenate(forces)
    six = np.concatenate(stress)[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] * 160.2176634
    assert found["energy_mae_meV_per_atom"] == pytest.approx(1000 * np.abs(per_atom).mean())
    assert found["energy_rmse_meV_per_atom"] == pytest.approx(1000 * np.sqrt((per_atom**2).mean()))
    assert found["forces_mae_eV_per_A"] == pytest.approx(np.abs(force).mean())
    assert found["stress_rmse_GPa"] == pytest.approx(np.sqrt((six**2).mean()))
    objective = Objective(Recipe(energy_weight_late=40, stress_weight=0.3), Spread(0.2, 0.5, 0.02), ("energy", "forces", "stress"), 10)
    expected = 40 * (per_atom**2).mean() / 0.04 + (force**2).mean() / 0.25 + 0.3 * ((six / 160.2176634) ** 2).mean() / 4e-4
    assert sums.score(objective) == pytest.approx(expected)


def test_without_labels_there_is_none() -> None:
    assert set(ErrorSums().to_dict().values()) == {None}
    assert ErrorSums().score(Objective(Recipe(), Spread(1, 1, 1), ("energy",), 10)) == 0
