"""One member's training as a LightningModule: a step, its checks, the running mean of the weights, validation; all its state in and out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from sciml.devices import out_of_memory
from sciml.errors import DataError
from sciml.materials.potential import EnergyModel
from sciml.materials.training.checkpoint import Checkpoint
from sciml.materials.training.data import Batch
from sciml.materials.training.failure import Failure, find_failure
from sciml.materials.training.loss import Losses, Objective
from sciml.materials.training.metrics import ErrorSums

_MOMENTS = ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")


class TrainingModule(pl.LightningModule):
    """Trains an `EnergyModel` for `objective.steps` steps; `step` counts the steps done.

    What is validated and kept is the running mean of the weights (`averages`); `best` holds it where the validation loss was lowest.
    `record` receives one dict for each line of the learning curve; `on_failure` a `Failure`, for which it gives the error to raise.
    """

    def __init__(
        self,
        energy_model: EnergyModel,
        objective: Objective,
        *,
        validation: Callable[[], Iterable[Batch]] | None,
        record: Callable[[dict[str, Any]], None],
        on_failure: Callable[[Failure], DataError],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.energy_model, self.objective = energy_model, objective
        self.validation, self.record, self.on_failure = validation, record, on_failure
        self.step, self.best_step, self.best_loss = 0, 0, math.inf
        self.seconds, self._since = 0.0, time.monotonic()
        self.sums = torch.zeros(5, dtype=torch.float64)  # of total, energy, forces, stress, and their number, since the last line
        self.averages = [parameter.detach().clone() for parameter in energy_model.parameters()]
        self.best: list[Tensor] = []
        self.last_line: dict[str, Any] = {}
        self.optimizer = self._make_optimizer()

    def _make_optimizer(self) -> torch.optim.Optimizer:
        recipe = self.objective.recipe
        parameters = self.energy_model.parameters()
        return torch.optim.AdamW(parameters, lr=recipe.peak_lr, weight_decay=recipe.weight_decay, amsgrad=True, fused=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimiser, which this module drives itself."""
        return self.optimizer

    def on_fit_start(self) -> None:
        """Start the clock, and bring the state to the device of the weights."""
        self._since = time.monotonic()
        self.averages = [average.to(self.device) for average in self.averages]
        self.best = [best.to(self.device) for best in self.best]

    def training_step(self, batch: Batch, _: int) -> None:
        """One step. Raises DataError, naming the structure, where a loss or gradient is not finite; the weights are then untouched."""
        recipe, objective = self.objective.recipe, self.objective
        rate = recipe.learning_rate(self.step, objective.steps)
        self.optimizer.param_groups[0]["lr"] = rate
        losses = self._gradients(batch)
        norm = torch.nn.utils.clip_grad_norm_(self.energy_model.parameters(), recipe.gradient_clip)
        self._check(norm, batch, "gradient")
        self.optimizer.step()
        self._average(recipe.ema_decay_at(self.step))
        self._accumulate(losses)
        self.step += 1
        every = recipe.validate_every(objective.steps)
        if self.step % every == 0 or self.step == objective.steps:
            self._report(rate)

    def _gradients(self, batch: Batch) -> Losses:
        """Losses of a batch, their gradients left in the weights; where memory ends, in halves of the batch, which add up to the same."""
        parts = [batch]
        while True:
            self.optimizer.zero_grad()
            try:
                found = [self._backward(part) for part in parts]
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error) or self.trainer.world_size > 1:  # the steps of several processes must stay alike
                    raise
                parts = [half for part in parts for half in part.halves()]
                continue
            return Losses(*(torch.stack(column).sum() for column in zip(*found, strict=True)))

    def _backward(self, batch: Batch) -> Losses:
        losses = self.objective(self.objective.predict(self.energy_model, batch, create_graph=True), batch, self.step)
        if self.trainer.world_size == 1:  # several processes find out together, by the gradient
            self._check(losses.total, batch, "loss")
        self.manual_backward(losses.total * self.trainer.world_size)  # DDP averages over processes, the sums are of the whole step
        return Losses(losses.total.detach(), *losses[1:])

    def _check(self, value: Tensor, batch: Batch, what: str) -> None:
        if not bool(torch.isfinite(value)):
            failure = find_failure(self.energy_model, self.objective, batch, self.step, what)
            raise self.on_failure(failure)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        torch._foreach_lerp_(self.averages, list(self.energy_model.parameters()), 1.0 - decay)

    def _accumulate(self, losses: Losses) -> None:
        values = torch.stack([losses.total.detach(), losses.energy, losses.forces, losses.stress])
        if self.trainer.world_size > 1:
            values = self.trainer.strategy.reduce(values, reduce_op="sum")
        self.sums[:4] += values.double().cpu()
        self.sums[4] += 1

    def _report(self, rate: float) -> None:
        """Write a line of the learning curve, validate, keep the best weights."""
        mean = (self.sums[:4] / self.sums[4]).tolist()
        self.sums.zero_()
        line: dict[str, Any] = {"step": self.step, "learning_rate": rate}
        line |= dict(zip(("loss", "loss_energy", "loss_forces", "loss_stress"), mean, strict=True))
        line |= {f"weight_{name}": weight for name, weight in self.objective.weights(self.step - 1).items()}
        errors = self.validate()
        if errors is not None:
            line["valid"] = errors.to_dict()
            score = errors.score(self.objective)
            line["valid"]["loss"] = score
            if score < self.best_loss:
                self.best_loss, self.best_step = score, self.step
                self.best = [average.clone() for average in self.averages]
        line |= {"seconds": round(self.elapsed(), 3), "best_step": self.best_step}
        self.last_line = line
        self.record(line)

    def validate(self) -> ErrorSums | None:
        """Errors of the averaged weights on the validation set, summed over processes; None without a set."""
        if self.validation is None:
            return None
        sums = ErrorSums()
        with _Swapped(self.energy_model, self.averages):
            for batch in self.validation():
                batch = batch.to(self.device)
                sums.add(self.objective.predict(self.energy_model, batch, create_graph=False), batch)
                if not bool(sums.values.isfinite().all()):
                    records = ", ".join(map(str, batch.records))
                    raise DataError(f"validation set, records {records}: energy, forces or stress are not finite at step {self.step}")
        if self.trainer.world_size > 1:
            sums.values = self.trainer.strategy.reduce(sums.values.to(self.device), reduce_op="sum").cpu()
        return sums

    def elapsed(self) -> float:
        """Seconds of training, those before interruptions included."""
        return self.seconds + time.monotonic() - self._since

    def weights(self) -> list[Tensor]:
        """The weights that are kept: the best average on validation, else the last."""
        return self.best if self.best else self.averages

    def checkpoint(self, **more: Any) -> Checkpoint:
        """All state, from which `restore` goes on bit for bit."""
        names = [name for name, _ in self.energy_model.named_parameters()]
        tensors = {f"model.{name}": value for name, value in self.energy_model.state_dict().items()}
        for kind, values in (("average", self.averages), ("best", self.best)):
            tensors |= {f"{kind}.{name}": value for name, value in zip(names, values, strict=False)}
        for name, parameter in self.energy_model.named_parameters():
            moments = self.optimizer.state.get(parameter, {})
            tensors |= {f"optimizer.{key}.{name}": moments[key] for key in _MOMENTS if key in moments}
        tensors |= {"sums": self.sums, "random": torch.get_rng_state()}
        best = None if math.isinf(self.best_loss) else self.best_loss
        state = {"step": self.step, "best_step": self.best_step, "best_loss": best, "seconds": self.elapsed(), **more}
        return Checkpoint(state, {key: value.clone() for key, value in tensors.items()})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take over the state of a checkpoint of the same model and objective."""
        tensors, state = checkpoint.tensors, checkpoint.state
        parameters = dict(self.energy_model.named_parameters())
        prefix = "model."
        self.energy_model.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        self.averages = [tensors[f"average.{name}"] for name in parameters]
        self.best = [tensors[f"best.{name}"] for name in parameters] if f"best.{next(iter(parameters))}" in tensors else []
        for name, parameter in parameters.items():
            found = {key: tensors[f"optimizer.{key}.{name}"] for key in _MOMENTS if f"optimizer.{key}.{name}" in tensors}
            if found:
                self.optimizer.state[parameter] = found
        torch.set_rng_state(tensors["random"])
        self.sums = tensors["sums"]
        self.step, self.best_step, self.seconds = state["step"], state["best_step"], state["seconds"]
        self.best_loss = math.inf if state["best_loss"] is None else state["best_loss"]


class _Swapped:
    """Within the block a model has other weights."""

    def __init__(self, model: torch.nn.Module, weights: list[Tensor]) -> None:
        self.pairs = list(zip(model.parameters(), weights, strict=True))

    def __enter__(self) -> None:
        self.own = [parameter.data for parameter, _ in self.pairs]
        for parameter, weight in self.pairs:
            parameter.data = weight

    def __exit__(self, *reason: object) -> None:
        for (parameter, _), own in zip(self.pairs, self.own, strict=True):
            parameter.data = own
