"""The training of one member of a run: resumed from a checkpoint, stopped by a signal, ended with its final weights on the disk."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data import DataLoader

from sciml.errors import DataError
from sciml.materials.potential import EnergyModel
from sciml.materials.training.checkpoint import Checkpoint
from sciml.materials.training.control import Progress, RunControl
from sciml.materials.training.data import BatchStream, passes
from sciml.materials.training.failure import Failure
from sciml.materials.training.module import TrainingModule
from sciml.materials.training.preparation import Job
from sciml.materials.training.run_folder import RunFolder
from sciml.trainer import kept_signals, plain_trainer, quiet_lightning

logger = logging.getLogger("sciml.materials.training")


@dataclass(frozen=True)
class Machine:
    """Where a run computes, in the words of Lightning's Trainer."""

    device: torch.device
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    rank: int = 0
    verbose: bool = True

    @property
    def world(self) -> int:
        """Number of processes."""
        return self.devices * self.num_nodes

    def trainer(self, callbacks: list[pl.Callback], root: str) -> pl.Trainer:
        """A Trainer without logger, checkpoints and bars of its own."""
        options: dict[str, Any] = {"strategy": self.strategy}
        if self.world > 1:
            options |= {"devices": self.devices, "num_nodes": self.num_nodes}
            if self.strategy in ("auto", "ddp"):
                options["strategy"] = DDPStrategy(find_unused_parameters=True)
        return plain_trainer(self.device, default_root_dir=root, callbacks=callbacks, **options)


def train_member(job: Job, member: int, folder: RunFolder, machine: Machine, checkpoint_seconds: float, resume: bool) -> EnergyModel:
    """The trained network of a member. KeyboardInterrupt or SystemExit(143) after a signal and its checkpoint, DataError for NaN."""
    energy_model = job.new_model(member)
    done = folder.checkpoints.finished(member) if resume else None
    if done is not None:
        energy_model.load_state_dict(done.tensors)
        return energy_model
    module = _module(job, member, energy_model, folder, machine)
    latest = folder.checkpoints.latest(member) if resume else None
    if latest is not None:
        module.restore(latest)
        logger.info("member %d goes on after step %d", member, module.step)
    folder.cut_curve(member, module.step)
    control = RunControl(lambda own: _save(own, member, folder), checkpoint_seconds)
    if module.step < job.objective.steps:
        _fit(job, member, module, folder, machine, control)
    control.raise_if_stopped()
    module.cpu()
    _put_weights(energy_model, module.weights())
    if folder.writes:
        state = {"step": module.step, "best_step": module.best_step, "seconds": module.elapsed()}
        folder.checkpoints.finish(member, Checkpoint(state, dict(energy_model.state_dict())))
    return energy_model.cpu()


def _put_weights(energy_model: EnergyModel, weights: list[torch.Tensor]) -> None:
    with torch.no_grad():
        for parameter, weight in zip(energy_model.parameters(), weights, strict=True):
            parameter.copy_(weight)


def stream_of(job: Job, member: int, start: int, machine: Machine) -> BatchStream:
    """The batches of a member from step `start` on."""
    sets, seed = job.sets, job.options.member_seed(member)
    options = {"batch": job.batch, "seed": seed, "start": start, "steps": job.objective.steps}
    return BatchStream(sets.train, sets.train_rows, **options, rank=machine.rank, world=machine.world)


def _fit(job: Job, member: int, module: TrainingModule, folder: RunFolder, machine: Machine, control: RunControl) -> None:
    callbacks: list[pl.Callback] = [control]
    if Progress.wanted(machine.verbose) and machine.rank == 0:
        callbacks.append(Progress(job.objective.steps, f"member {member}" if job.options.members > 1 else "training"))
    loader = DataLoader(stream_of(job, member, module.step, machine), batch_size=None)
    with quiet_lightning(), kept_signals():
        machine.trainer(callbacks, str(folder.path)).fit(module, loader)


def _module(job: Job, member: int, energy_model: EnergyModel, folder: RunFolder, machine: Machine) -> TrainingModule:
    sets, batch = job.sets, job.batch

    def record(line: dict[str, Any]) -> None:
        folder.append_curve({"member": member, **line})

    def on_failure(failure: Failure) -> DataError:
        if folder.writes:
            failure.dump(folder.failure)
        return failure.error(sets.train.name, folder.failure)

    validation = (lambda: passes(sets.valid, sets.valid_rows, batch, machine.rank, machine.world)) if len(sets.valid_rows) else None
    return TrainingModule(energy_model, job.objective, validation=validation, record=record, on_failure=on_failure)


def _save(module: TrainingModule, member: int, folder: RunFolder) -> None:
    folder.checkpoints.save(member, module.step, module.checkpoint())
