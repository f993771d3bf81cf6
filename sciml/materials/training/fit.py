"""`train_potential`: structures in, a trained potential and its run folder out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.utilities.rank_zero import rank_zero_only

from sciml import devices as machine_devices
from sciml.errors import ConfigError
from sciml.materials.model_file import load_potential
from sciml.materials.models.contract import ModelConfig
from sciml.materials.potential import Potential
from sciml.materials.training.budget import check_budget, steps_in
from sciml.materials.training.member import Machine, stream_of, train_member
from sciml.materials.training.preparation import Job, Options, make_options, prepare
from sciml.materials.training.recipe import Recipe
from sciml.materials.training.results import finish
from sciml.materials.training.run_folder import RunFolder
from sciml.materials.training.sets import Source, open_sets

logger = logging.getLogger("sciml.materials.training")


def train_potential(
    train: Source,
    valid: Source | None = None,
    *,
    test: Source | None = None,
    model: str | ModelConfig | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    weights: Mapping[str, float] | None = None,
    references: Mapping[str, float] | None = None,
    cutoff_A: float | None = None,
    start_from: str | Path | Potential | None = None,
    resume: bool = False,
    ensemble: int = 1,
    seed: int = 0,
    device: str = "auto",
    checkpoint_seconds: float = 60.0,
    out: str | Path = "runs/potential",
    model_options: Mapping[str, Any] | None = None,
    recipe: Recipe | Mapping[str, Any] | None = None,
    repulsion: bool | None = None,
    pulay: bool = True,
    read_options: Mapping[str, Any] | None = None,
    verbose: bool = True,
    report: bool = True,
    devices: int = 1,
    num_nodes: int = 1,
    strategy: str = "auto",
) -> Potential:
    """Train a potential on energies (eV), forces (eV/A) and stress (eV/A^3, tension positive), whichever the structures have.

    train, valid, test: lists of structures, or paths; a large file is streamed. Without `valid`, 10 % are taken by group from 20 structures
    up. model: its name or config ("equivariant" with a cut-off of 5 A and a nuclear repulsion, if nothing is said). steps, minutes: the
    budget; minutes become steps once. weights: of energy, forces, stress, in units of the data's spread; a target that is named must have
    data. references: eV of single atoms by symbol, for elements without an isolated atom in the data. start_from: a potential to fine-tune.
    resume: go on with the run in `out`, which otherwise must be empty (ConfigError where none was begun there). ensemble: members, trained
    one after the other. pulay: take a Pulay stress off the stress labels, where strained cells in the data show one
    (`labels.pulay_stress`); it is said in the log, the metrics and the model card. read_options: `units`, `keys`, ... of `read_structures`
    for paths. report: leave report.html in `out`. devices, num_nodes, strategy: Lightning's flags for training on several devices (one
    process each).

    The model lies in `out`/model, beside the learning curve, checkpoints, test metrics and parity data (see `run_folder`). With the same
    seed, thread count and steps the weights are the same bit for bit on CPU, also after interruptions. SIGINT raises KeyboardInterrupt and
    SIGTERM SystemExit(143), both after a checkpoint. Raises ConfigError for options, DataError for data or a loss that is not finite.
    """
    check_budget(steps, minutes)
    start = load_potential(start_from) if isinstance(start_from, str | Path) else start_from
    given = dict(references) if references else None
    options = make_options(
        model,
        cutoff_A,
        model_options,
        recipe,
        weights,
        seed=seed,
        members=ensemble,
        references=given,
        repulsion=repulsion,
        start=start,
        pulay=pulay,
        report=report,
    )
    machine = _machine(device, devices, num_nodes, strategy, verbose)
    folder = RunFolder(out, writes=machine.rank == 0)
    with folder.held(resume):
        sets = open_sets(train, valid, test, options.model.cutoff_A, options.recipe, seed, weights, read_options)
        job = prepare(sets, options, machine.world)
        folder.settle_config(_config(job, machine))
        folder.write_json("census.json", sets.census)
        job = _with_budget(job, folder, machine, steps, minutes, resume)
        members = [train_member(job, member, folder, machine, checkpoint_seconds, resume) for member in range(ensemble)]
        return finish(job, members, folder, machine.device, {"train": train, "valid": valid, "test": test})


def _machine(device: str, devices: int, num_nodes: int, strategy: str, verbose: bool) -> Machine:
    if devices < 1 or num_nodes < 1:
        raise ConfigError(f"devices, num_nodes: found {devices}, {num_nodes}, expected at least 1 each")
    if torch.get_num_threads() > machine_devices.thread_limit():
        machine_devices.set_threads()
    rank = int(getattr(rank_zero_only, "rank", None) or 0) if devices * num_nodes > 1 else 0
    return Machine(machine_devices.resolve_device(device), devices, num_nodes, strategy, rank, verbose)


def _config(job: Job, machine: Machine) -> dict[str, Any]:
    """All that the weights depend on, apart from the budget."""
    options: Options = job.options
    sets = job.sets
    return {
        "model": options.model.model_dump(),
        "recipe": options.recipe.model_dump() | {"batch_structures": job.batch},
        "seed": options.seed,
        "ensemble": options.members,
        "repulsion": options.repulsion,
        "references": options.references,
        "pulay": options.pulay,
        "start_from": None if options.start is None else options.start.metadata.get("training", {}).get("train_digest", "potential"),
        "train_digest": sets.train.facts.digest,
        "train_structures": len(sets.train_rows),
        "valid_digest": sets.valid.facts.digest,
        "valid_structures": len(sets.valid_rows),
        "device": machine.device.type,
        "processes": machine.world,
    }


def _with_budget(job: Job, folder: RunFolder, machine: Machine, steps: int | None, minutes: float | None, resume: bool) -> Job:
    """The job with its number of steps: as recorded, as given, or timed."""
    recorded = folder.budget() if resume or not folder.writes else None
    if recorded is not None:
        for name, value in (("steps", steps), ("minutes", minutes)):
            if value is not None and recorded.get(name) != value:
                raise ConfigError(f"{name}: found {value}, but the run in {folder.path} was begun with {recorded.get(name)}; leave it out")
        return job.with_steps(int(recorded["steps"]))
    budget: dict[str, Any] = {"steps": steps or job.options.recipe.steps, "minutes": None}
    if minutes is not None:
        energy_model, share = job.new_model(0).to(machine.device), minutes / job.options.members
        stream = stream_of(job, 0, 0, machine)
        budget = steps_in(share, stream, energy_model, job.objective, (job.sets.valid, job.sets.valid_rows)) | {"minutes": minutes}
    folder.write_json("budget.json", budget | {"threads": torch.get_num_threads()})
    return job.with_steps(int(budget["steps"]))
