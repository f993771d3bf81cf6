"""Everything that is settled before the first step: data, reference energies, units of the loss, the network to start from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from ase.data import atomic_numbers, chemical_symbols

from sciml.errors import ConfigError, DataError
from sciml.materials.graph import CrystalGraph, build_graph
from sciml.materials.models.contract import ModelConfig, build_model, parse_config
from sciml.materials.potential import EnergyModel, Potential, differentiate
from sciml.materials.references import References
from sciml.materials.training.data import GraphSet, atoms_of, passes
from sciml.materials.training.loss import Objective, spread_of, targets_of
from sciml.materials.training.recipe import Recipe
from sciml.materials.training.sets import Sets
from sciml.seeding import derive, numpy_generator

logger = logging.getLogger("sciml.materials.training")

RATTLE_A = 0.1  # standard deviation of the moves when scales are measured


@dataclass(frozen=True)
class Options:
    """The checked options of a run that do not concern data or place."""

    model: ModelConfig
    recipe: Recipe
    seed: int
    members: int
    references: dict[str, float] | None
    repulsion: bool
    start: Potential | None
    named_targets: tuple[str, ...]
    """Targets that the caller weighted; each must have data."""
    report: bool = True
    """Whether the run leaves a report.html."""

    def member_seed(self, member: int) -> int:
        """Seed of a member: that of the run for the first, derived ones for the others."""
        return self.seed if member == 0 else derive(self.seed, "member", member)


def make_options(
    model: str | ModelConfig,
    cutoff_A: float,
    model_options: Mapping[str, Any] | None,
    recipe: Recipe | Mapping[str, Any] | None,
    weights: Mapping[str, float] | None,
    **rest: Any,
) -> Options:
    """Options from what a caller gives. ConfigError names the field that is wrong."""
    start: Potential | None = rest["start"]
    if start is not None:
        config = start.members[0].model.config
    elif isinstance(model, str):
        config = parse_config({"kind": model, "cutoff_A": cutoff_A, **(model_options or {})})
    else:
        config = parse_config(model)
    if rest["members"] < 1:
        raise ConfigError(f"ensemble: found {rest['members']}, expected at least 1")
    own = recipe if isinstance(recipe, Recipe) else Recipe.parse(recipe or {})
    unknown = sorted(set(weights or {}) - {"energy", "forces", "stress"})
    if unknown:
        raise ConfigError(f"weights: found {unknown[0]!r}, expected energy, forces, stress")
    named = tuple(name for name, weight in (weights or {}).items() if weight > 0)
    return Options(config, own.with_weights(weights), named_targets=named, **rest)


@dataclass(frozen=True)
class Job:
    """A run that is ready to begin."""

    options: Options
    sets: Sets
    species: tuple[int, ...]
    references: References
    objective: Objective
    scale_eV: float

    def with_steps(self, steps: int) -> Job:
        """The same job with a budget of `steps`."""
        return replace(self, objective=replace(self.objective, steps=steps))

    def new_model(self, member: int) -> EnergyModel:
        """The network that a member begins with: random weights from its seed, or those of the potential that is tuned."""
        options, start = self.options, self.options.start
        if start is not None:
            source = start.members[member % len(start.members)]
            energy_model = EnergyModel.from_settings(source.settings(), start.species)
            energy_model.load_state_dict(source.state_dict())
            return energy_model.float().train().requires_grad_(True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(options.member_seed(member), "weights"))
            energy_model = EnergyModel(build_model(options.model, self.species), scale_eV=self.scale_eV, repulsion=options.repulsion)
        rows = self.sets.train_rows
        few = rows[:: max(1, len(rows) // options.recipe.scale_structures)][: options.recipe.scale_structures]
        energy_model.model.fit_scales(self._rattled(self.sets.train.load([int(row) for row in few])))
        return energy_model.train()

    def _rattled(self, graphs: list[CrystalGraph]) -> list[CrystalGraph]:
        """Graphs whose atoms are moved a little at random: what vanishes in a perfect crystal by symmetry gets a scale too."""
        generator, moved = numpy_generator(self.options.seed, "scales"), []
        for graph in graphs:
            atoms = atoms_of(graph)
            atoms.positions += generator.normal(0.0, RATTLE_A, (len(atoms), 3))
            moved.append(build_graph(atoms, self.options.model.cutoff_A))
        return moved


def prepare(sets: Sets, options: Options) -> Job:
    """Fit reference energies, take them off the labels, and settle targets and units of the loss.

    Raises DataError where there is nothing to train on, a weighted target has no data, or an element is unknown.
    """
    facts, recipe = sets.train.facts, options.recipe
    species = options.start.species if options.start is not None else facts.species
    for graphs in (sets.train, sets.valid):
        unknown = sorted(set(graphs.facts.species) - set(species))
        if unknown:
            names, known = (", ".join(chemical_symbols[z] for z in group) for group in (unknown, species))
            raise DataError(f"{graphs.name}: element {names} is unknown (known: {known}); add it to the training set, or take it out here")
    targets = targets_of(facts, recipe)
    for name in options.named_targets:
        if name not in targets:
            raise DataError(f"{sets.train.name}: weights names {name!r}, but no structure has it; set its weight to 0 or add the labels")
    if not targets:
        raise DataError(f"{sets.train.name}: no structure has an energy, forces or a stress with a weight above 0; nothing can be learned")
    references = _references(sets, options, species)
    for graphs in {id(graphs): graphs for graphs in (sets.train, sets.valid)}.values():
        graphs.set_baseline(graphs.facts.counts(species) @ np.array(references.energies))
    interaction = facts.table.energy - facts.counts(species) @ np.array(references.energies)
    spread = spread_of(facts, sets.train_rows, interaction, recipe)
    logger.info("targets %s; units of the loss %s; reference energies %s", ", ".join(targets), spread.to_dict(), references.to_dict())
    scale = spread.forces if "forces" in targets else spread.energy
    return Job(options, sets, species, references, Objective(recipe, spread, targets, recipe.steps), scale)


def _references(sets: Sets, options: Options, species: tuple[int, ...]) -> References:
    """Reference energies from the training structures; those of a potential to be tuned are shifted by what it leaves of the energies."""
    facts, rows = sets.train.facts, sets.train_rows
    counts, energy = facts.counts(species)[rows], facts.table.energy[rows]
    given: dict[str | int, float] = {_number(key): float(value) for key, value in (options.references or {}).items()}
    isolated = facts.table.isolated[rows]
    if options.start is None:
        return References.fit(species, counts, energy, isolated, given)
    before = np.array(options.start.references.energies)
    rest = energy - counts @ before - _predicted(options.start.members[0], sets.train, rows)
    given = {z: value - options.start.references[z] for z, value in given.items() if z in species}
    change = References.fit(species, counts, rest, isolated, given)
    return replace(change, energies=tuple((before + np.array(change.energies)).tolist()))


def _number(element: str | int) -> int:
    if isinstance(element, str) and element not in atomic_numbers:
        raise ConfigError(f"references: found {element!r}, expected a chemical symbol")
    return atomic_numbers[element] if isinstance(element, str) else int(element)


def _predicted(energy_model: EnergyModel, graphs: GraphSet, rows: np.ndarray) -> np.ndarray:
    """Interaction energies [n] in eV."""
    found = (differentiate(energy_model, batch.graph, forces=False, stress=False) for batch in passes(graphs, rows, 8))
    return np.concatenate([each.energy.detach().numpy() for each in found])
