"""Everything that is settled before the first step: data, reference energies, units of the loss, the network to start from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from ase.data import atomic_numbers, chemical_symbols

from sciml.errors import ConfigError, DataError, SciMLError
from sciml.materials.graph import CrystalGraph, build_graph
from sciml.materials.labels import Examination, Labels, PulayStress, examine, pulay_stress
from sciml.materials.models.contract import ModelConfig, build_model, parse_config
from sciml.materials.potential import EnergyModel, Potential, differentiate
from sciml.materials.references import References
from sciml.materials.training.data import GraphSet, MemoryGraphs, atoms_of, passes
from sciml.materials.training.loss import Objective, spread_of, targets_of
from sciml.materials.training.recipe import Recipe
from sciml.materials.training.sets import VALID_FROM, Sets
from sciml.seeding import derive, numpy_generator

logger = logging.getLogger("sciml.materials.training")

PULAY_STRUCTURES = CHECKED_STRUCTURES = 2000  # of a larger set every k-th is looked at
CHECKED_ATOMS = 4000  # likewise, in the checks that need a model
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
    pulay: bool = True
    """Whether a Pulay stress that the training set shows is taken off the stress labels."""
    report: bool = True
    """Whether the run leaves a report.html."""

    def member_seed(self, member: int) -> int:
        """Seed of a member: that of the run for the first, derived ones for the others."""
        return self.seed if member == 0 else derive(self.seed, "member", member)


def make_options(
    model: str | ModelConfig | None,
    cutoff_A: float | None,
    model_options: Mapping[str, Any] | None,
    recipe: Recipe | Mapping[str, Any] | None,
    weights: Mapping[str, float] | None,
    *,
    seed: int,
    members: int,
    references: dict[str, float] | None = None,
    repulsion: bool | None = None,
    start: Potential | None = None,
    pulay: bool = True,
    report: bool = True,
) -> Options:
    """Options from what a caller gives, None for what was left out. ConfigError names the field that is wrong or has no effect."""
    given = {"model": model, "cutoff_A": cutoff_A, "model_options": model_options, "repulsion": repulsion}
    config = _network(given, start)
    if members < 1:
        raise ConfigError(f"ensemble: found {members}, expected at least 1")
    own = recipe if isinstance(recipe, Recipe) else Recipe.parse(recipe or {})
    unknown = sorted(set(weights or {}) - {"energy", "forces", "stress"})
    if unknown:
        raise ConfigError(f"weights: found {unknown[0]!r}, expected energy, forces, stress")
    named = tuple(name for name, weight in (weights or {}).items() if weight > 0)
    repels = start.members[0].repulsion if start is not None else repulsion is not False
    return Options(config, own.with_weights(weights), seed, members, references, repels, start, named, pulay, report)


def _network(given: Mapping[str, Any], start: Potential | None) -> ModelConfig:
    """The hyper-parameters that are asked for; options that could have no effect are refused."""
    named = [name for name, value in given.items() if value is not None]
    model = given["model"]
    if start is not None:
        if named:
            raise ConfigError(f"{named[0]}: found beside start_from, whose network is kept; leave it out")
        return start.members[0].model.config
    if isinstance(model, ModelConfig):
        beside = [name for name in named if name in ("cutoff_A", "model_options")]
        if beside:
            raise ConfigError(f"{beside[0]}: found beside a ModelConfig, which holds it already; leave it out")
        return parse_config(model)
    cutoff = {} if given["cutoff_A"] is None else {"cutoff_A": given["cutoff_A"]}
    return parse_config({"kind": model or "equivariant", **cutoff, **(given["model_options"] or {})})


@dataclass(frozen=True)
class Job:
    """A run that is ready to begin."""

    options: Options
    sets: Sets
    species: tuple[int, ...]
    references: References
    objective: Objective
    scale_eV: float
    batch: int
    """Structures in one step over all processes."""
    pulay_eV_per_atom: dict[str, float]
    """The Pulay stress that was taken off the stress labels (see `PulayStress`); empty without one."""
    examined: Examination | None = None
    """What the checks of labels found in the training set; None where they were not run."""

    def with_steps(self, steps: int) -> Job:
        """The same job with a budget of `steps`."""
        return replace(self, objective=replace(self.objective, steps=steps))

    def new_model(self, member: int) -> EnergyModel:
        """The network that a member begins with: random weights from its seed, or those of the potential that is tuned."""
        options, start, facts = self.options, self.options.start, self.sets.train.facts
        if start is not None:
            source = start.members[member % len(start.members)]
            energy_model = EnergyModel.from_settings(source.settings(), start.species)
            energy_model.load_state_dict(source.state_dict())
            energy_model.extend(facts.shortest_A, facts.crowding_eV, start.pairs_seen or ())
            return energy_model.float().train().requires_grad_(True)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(options.member_seed(member), "weights"))
            model = build_model(options.model, self.species)
            seen: dict[str, Any] = {"shortest_A": facts.shortest_A, "crowding_eV": facts.crowding_eV}
            energy_model = EnergyModel(model, scale_eV=self.scale_eV, repulsion=options.repulsion, **seen)
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


def prepare(sets: Sets, options: Options, processes: int = 1) -> Job:
    """Fit reference energies, take them off the labels, and settle targets and units of the loss, and the structures in a step.

    Raises DataError where there is nothing to train on, a weighted target has no data, or an element is unknown; ConfigError for a
    reference energy of an element that is not there. Without a validation set a warning in the log says so.
    """
    facts, recipe = sets.train.facts, options.recipe
    species = options.start.species if options.start is not None else facts.species
    present = ((sets.train.name, sets.train.facts.species), (sets.valid.name, sets.valid.facts.species), ("test set", sets.test_species))
    for where, found in present:
        unknown = sorted(set(found) - set(species))
        if unknown:
            names, known = (", ".join(chemical_symbols[z] for z in group) for group in (unknown, species))
            raise DataError(f"{where}: element {names} is unknown (known: {known}); add it to the training set, or take it out here")
    targets = targets_of(facts, recipe)
    for name in options.named_targets:
        if name not in targets:
            raise DataError(f"{sets.train.name}: weights names {name!r}, but no structure has it; set its weight to 0 or add the labels")
    if not targets:
        raise DataError(f"{sets.train.name}: no structure has an energy, forces or a stress with a weight above 0; nothing can be learned")
    references = _references(sets, options, species)
    contradiction = _contradiction(sets) if "stress" in targets and (options.pulay or isinstance(sets.train, MemoryGraphs)) else None
    pulay = {} if contradiction is None or not options.pulay else contradiction.eV_per_atom
    examined = _examined(sets, contradiction, options.pulay)
    for graphs in {id(graphs): graphs for graphs in (sets.train, sets.valid)}.values():
        graphs.set_baseline(graphs.facts.counts(species) @ np.array(references.energies), graphs.facts.pulay_pressures(pulay))
    interaction = facts.table.energy - facts.counts(species) @ np.array(references.energies)
    spread = spread_of(facts, sets.train_rows, interaction, facts.pulay_pressures(pulay), recipe)
    logger.info("targets %s; units of the loss %s; reference energies %s", ", ".join(targets), spread.to_dict(), references.to_dict())
    scale = spread.forces if "forces" in targets else spread.energy
    batch = recipe.structures_in_step(float(facts.table.atoms[sets.train_rows].mean()), processes)
    if missing := without_validation(sets):
        logger.warning("%s", missing)
    return Job(options, sets, species, references, Objective(recipe, spread, targets, recipe.steps), scale, batch, pulay, examined)


def without_validation(sets: Sets) -> str:
    """Why a run has no validation set, or "" where it has one."""
    if len(sets.valid_rows):
        return ""
    few = len(sets.train_rows) < VALID_FROM
    why = f"{len(sets.train_rows)} structures, {VALID_FROM} are needed" if few else "all structures are equivalent to each other"
    return f"no validation set: {why}; pass valid="


def _contradiction(sets: Sets) -> PulayStress | None:
    """The Pulay stress that the training structures show."""
    graphs = sets.train.load(sets.train_rows[:: -(-len(sets.train_rows) // PULAY_STRUCTURES)].tolist())
    return pulay_stress([atoms_of(graph) for graph in graphs], [_labels(graph) for graph in graphs])


def _examined(sets: Sets, contradiction: PulayStress | None, taken_off: bool) -> Examination | None:
    """What the checks of labels say of the training set, said in the log too; None for a streamed set."""
    if contradiction is not None:
        more = (
            "it is taken off the labels in training (pulay=False leaves them as they are)"
            if taken_off
            else "the labels are left as they are"
        )
        logger.warning("%s; %s", contradiction.text(), more)
    if not isinstance(sets.train, MemoryGraphs):
        logger.info("labels of %s: not checked, since the set is streamed; `sciml materials check FILE` checks them", sets.train.name)
        return None
    graphs = sets.train.load(list(range(len(sets.train))))
    step = -(-len(graphs) // CHECKED_STRUCTURES)
    labels = [_labels(graph) if row % step == 0 else Labels() for row, graph in enumerate(graphs)]
    try:
        found = examine([atoms_of(graph) for graph in graphs], labels, contradiction, max_atoms=CHECKED_ATOMS)
    except (SciMLError, ArithmeticError, LookupError, ValueError) as error:  # a check that cannot be made costs no training
        logger.warning("labels of %s: not checked (%s: %s)", sets.train.name, type(error).__name__, error)
        return None
    for finding in found.findings:
        if finding.level != "note":
            logger.warning("labels of %s: %s: %s", sets.train.name, finding.kind, finding.message)
    return found


def _labels(graph: CrystalGraph) -> Labels:
    energy = float(graph.energy) if bool(graph.energy_mask) else None
    forces = graph.forces.numpy() if bool(graph.forces_mask) else None
    return Labels(energy, forces, graph.stress[0].numpy() if bool(graph.stress_mask) else None)


def _references(sets: Sets, options: Options, species: tuple[int, ...]) -> References:
    """Reference energies from the training structures; those of a potential to be tuned are shifted by what it leaves of the energies."""
    facts, rows = sets.train.facts, sets.train_rows
    counts, energy = facts.counts(species)[rows], facts.table.energy[rows]
    given: dict[str | int, float] = {_number(key): float(value) for key, value in (options.references or {}).items()}
    if absent := [chemical_symbols[int(z)] for z in given if z not in species]:
        known = ", ".join(chemical_symbols[z] for z in species)
        raise ConfigError(f"references: found {', '.join(absent)}, which is not in {sets.train.name}; the elements there are {known}")
    isolated = facts.table.isolated[rows]
    if options.start is None:
        return References.fit(species, counts, energy, isolated, given)
    before = np.array(options.start.references.energies)
    rest = energy - counts @ before - _predicted(options.start.members[0], sets.train, rows)
    given = {z: value - options.start.references[z] for z, value in given.items()}
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
