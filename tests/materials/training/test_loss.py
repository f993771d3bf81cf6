"""The loss against its formula in numpy; masks; units that stay finite where there is nothing to learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from sciml.materials.potential import Differentiated
from sciml.materials.training import Recipe
from sciml.materials.training.data import MemoryGraphs, passes
from sciml.materials.training.loss import Objective, Spread, spread_of, targets_of

SPREAD = Spread(energy=0.2, forces=0.5, stress=0.02)


def guess(batch, generator: np.random.Generator) -> Differentiated:
    """Predictions that are the labels plus noise."""
    graph = batch.graph

    def noisy(values: torch.Tensor, size: float) -> torch.Tensor:
        return values + size * torch.from_numpy(generator.normal(size=values.shape))

    energies = torch.zeros(len(graph.z), dtype=torch.float64)
    return Differentiated(energies, noisy(graph.energy, 0.3), noisy(graph.forces, 0.3), noisy(graph.stress, 0.01))


def test_mean_squared_errors_are_those_of_the_formula(copper) -> None:
    batch = next(passes(MemoryGraphs(copper(3), 4.0, "x"), np.arange(3), 3))
    found, graph = guess(batch, np.random.default_rng(0)), batch.graph
    objective = Objective(
        Recipe(energy_weight=10, energy_weight_late=40, late_fraction=0.3, stress_weight=0.3), SPREAD, ("energy", "forces", "stress"), 100
    )
    early, late = objective(found, batch, 0), objective(found, batch, 99)
    energy = (((found.energy - graph.energy) / 4 / 0.2) ** 2).mean()
    forces = (((found.forces - graph.forces) / 0.5) ** 2).mean()
    stress = (((found.stress - graph.stress) / 0.02) ** 2).mean()
    for losses, weight in ((early, 10), (late, 40)):
        np.testing.assert_allclose([*losses[1:]], [energy, forces, stress], rtol=1e-12)
        np.testing.assert_allclose(losses.total, weight * energy + forces + 0.3 * stress, rtol=1e-12)


def test_huber_is_quadratic_inside_and_linear_outside(copper) -> None:
    batch = next(passes(MemoryGraphs(copper(1), 4.0, "x"), np.arange(1), 1))
    graph = batch.graph
    objective = Objective(Recipe(loss="huber", huber_delta=0.1), SPREAD, ("energy",), 100)
    zeros = torch.zeros(4, dtype=torch.float64)
    for x, expected in ((0.05, 0.05**2), (0.1, 0.1**2), (3.0, 0.1 * (6 - 0.1))):  # x in units of the spread
        found = Differentiated(zeros, graph.energy + x * 0.2 * 4, None, None)
        assert float(objective(found, batch, 0).energy) == pytest.approx(expected)


def test_absent_labels_do_not_count_and_have_no_gradient(copper) -> None:
    structures = copper(3)
    structures[1].calc = SinglePointCalculator(structures[1], energy=1.0)
    structures[2].calc = None
    batch = next(passes(MemoryGraphs(structures, 4.0, "x"), np.arange(3), 3))
    found = guess(batch, np.random.default_rng(1))
    forces = found.forces.requires_grad_(True)
    losses = Objective(Recipe(), SPREAD, ("energy", "forces", "stress"), 100)(found, batch, 0)
    losses.total.backward()
    assert bool((forces.grad[4:] == 0).all()) and bool((forces.grad[:4] != 0).all())
    expected = (((found.forces[:4] - batch.graph.forces[:4]) / 0.5) ** 2).mean()
    np.testing.assert_allclose(losses.forces, expected.detach())
    energy = (((found.energy - batch.graph.energy)[:2] / 4 / 0.2) ** 2).mean()
    np.testing.assert_allclose(losses.energy, energy)


def test_units_are_the_spread_of_the_training_labels(copper) -> None:
    structures = copper(6)
    facts, rows = MemoryGraphs(structures, 4.0, "x").facts, np.array([0, 1, 2, 4])
    chosen = [structures[row] for row in rows]
    interaction = facts.table.energy - 4 * 0.1
    spread = spread_of(facts, rows, interaction, np.zeros(6), Recipe(energy_floor_A=0.0))
    np.testing.assert_allclose(spread.energy, np.std([atoms.get_potential_energy() / 4 for atoms in chosen]))
    np.testing.assert_allclose(spread.forces, np.sqrt(np.mean([atoms.get_forces() ** 2 for atoms in chosen])))
    np.testing.assert_allclose(spread.stress, np.sqrt(np.mean([atoms.get_stress(voigt=False) ** 2 for atoms in chosen])))
    raised = spread_of(facts, rows, interaction, np.linspace(-0.02, 0.02, 6), Recipe(energy_floor_A=100.0))
    lowered = [a.get_stress(voigt=False) - p * np.eye(3) for a, p in zip(chosen, np.linspace(-0.02, 0.02, 6)[rows], strict=True)]
    np.testing.assert_allclose(raised.stress, np.sqrt(np.mean(np.square(lowered))))
    np.testing.assert_allclose(raised.energy, 100 * spread.forces)


def test_lone_atoms_do_not_widen_the_unit_of_energy(copper) -> None:
    lone = Atoms("Cu", cell=[30, 30, 30], pbc=True)
    lone.calc = SinglePointCalculator(lone, energy=0.0, forces=np.zeros((1, 3)))
    bound, every = (MemoryGraphs([*more, *copper(6)], 4.0, "x").facts for more in ([], [lone]))
    energies = bound.table.energy - 4 * 3.5  # bound by some eV
    recipe = Recipe(energy_floor_A=0.0)
    alone = spread_of(bound, np.arange(6), energies, np.zeros(6), recipe)
    both = spread_of(every, np.arange(7), np.concatenate([[0.0], energies]), np.zeros(7), recipe)
    assert both.energy == pytest.approx(alone.energy)


def test_nothing_to_learn_gives_units_of_one() -> None:
    atoms = Atoms("Cu", cell=np.full((3, 3), 1.8) - 1.8 * np.eye(3), pbc=True)
    atoms.calc = SinglePointCalculator(atoms, energy=-3.7, forces=np.zeros((1, 3)), stress=np.zeros(6))
    facts = MemoryGraphs([atoms], 4.0, "x").facts
    assert spread_of(facts, np.arange(1), np.zeros(1), np.zeros(1), Recipe()) == Spread(1.0, 1.0, 1.0)
    without = Atoms("Cu")
    facts = MemoryGraphs([without], 4.0, "x").facts
    assert spread_of(facts, np.arange(1), np.full(1, np.nan), np.zeros(1), Recipe()) == Spread(1.0, 1.0, 1.0)
    assert targets_of(facts, Recipe()) == ()


def test_targets_are_those_with_labels_and_weight(copper) -> None:
    facts = MemoryGraphs(copper(2), 4.0, "x").facts
    assert targets_of(facts, Recipe()) == ("energy", "forces", "stress")
    assert targets_of(facts, Recipe(stress_weight=0)) == ("energy", "forces")
    assert targets_of(facts, Recipe(energy_weight=0, energy_weight_late=0)) == ("forces", "stress")
