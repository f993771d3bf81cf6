"""Training of the variational bottleneck on Lightning: beta falls from stage to stage, the best weights of each stage are kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from sciml.biology.information.encoder_network import Decoder, Encoder
from sciml.biology.information.variational_bounds import relevance
from sciml.biology.information.variational_rows import Batches
from sciml.errors import ConvergenceError
from sciml.seeding import torch_generator
from sciml.trainer import kept_signals, plain_trainer, quiet_lightning

__all__ = ["BottleneckModule", "Schedule", "Trained", "train"]

_VALIDATIONS = 25


@dataclass(frozen=True)
class Schedule:
    """Stages of `steps` each, one for each of `betas`, which fall.

    In the first half of a stage beta falls by a constant factor from that of the stage before (`anneal` times the first one at the start)
    and then stays: coming from above, an encoder that says something is found where saying nothing is a local optimum too.
    """

    betas: tuple[float, ...]
    steps: int
    learning_rate: float
    weight_decay: float
    anneal: float

    def beta(self, step: int) -> float:
        """Beta of a step, counted through all stages."""
        stage, place = divmod(step, self.steps)
        start = self.betas[stage - 1] if stage else self.anneal * self.betas[0]
        return float(self.betas[stage] * (start / self.betas[stage]) ** max(0.0, 1.0 - 2.0 * place / self.steps))

    def rate(self, step: int) -> float:
        """Learning rate of a step: in each stage a short rise, then half a cosine to 0."""
        place = step % self.steps
        rise = min(30, self.steps // 10)
        return self.learning_rate * min(1.0, (place + 1) / (rise + 1)) * 0.5 * (1.0 + math.cos(math.pi * place / self.steps))


@dataclass(frozen=True)
class Trained:
    """Networks as they were best on the validation rows in a stage: the `beta` of the stage and the `step` in it."""

    beta: float
    step: int
    encoder: Encoder
    decoder: Decoder


class BottleneckModule(pl.LightningModule):
    """Minimises I(X;T) / beta - I(T;Y), both by their bounds on a batch; `trained` has one entry for each stage that has ended."""

    def __init__(self, encoder: Encoder, decoder: Decoder, schedule: Schedule, valid: tuple[Tensor, Tensor], seed: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.encoder, self.decoder, self.schedule, self.valid, self.seed = encoder, decoder, schedule, valid, seed
        self.noise = torch_generator(seed, "noise")
        self.step, self.best = 0, (math.inf, 0)
        self.best_weights: dict[str, Tensor] = {}
        self.trained: list[Trained] = []
        self.optimizer = torch.optim.AdamW(self.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimiser, which this module drives itself."""
        return self.optimizer

    def on_fit_start(self) -> None:
        """Bring the validation rows to the device of the weights."""
        self.valid = (self.valid[0].to(self.device), self.valid[1].to(self.device))

    def loss(self, x: Tensor, y: Tensor, beta: float, noise: torch.Generator) -> Tensor:
        """I(X;T) / beta - I(T;Y) in nats, of these rows alone."""
        code = self.encoder(x, noise)
        return self.encoder.excess(code, None).mean() / beta - relevance(code, self.decoder(code.points, y)).mean()

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """One step. ConvergenceError where the loss is not finite."""
        self.optimizer.param_groups[0]["lr"] = self.schedule.rate(self.step)
        loss = self.loss(*batch, self.schedule.beta(self.step), self.noise)
        if not bool(torch.isfinite(loss)):
            raise ConvergenceError(f"variational bottleneck: the loss is {loss.item()} at step {self.step}; lower learning_rate")
        self.optimizer.zero_grad()
        self.manual_backward(loss)
        self.optimizer.step()
        self.step += 1
        steps = self.schedule.steps
        place = (self.step - 1) % steps + 1
        if place % max(1, steps // _VALIDATIONS) == 0 or place == steps:
            self._validate(self.schedule.betas[(self.step - 1) // steps], place)
        if place == steps:
            self._end_stage(self.schedule.betas[self.step // steps - 1])

    @torch.no_grad()
    def _validate(self, beta: float, place: int) -> None:
        """Keep the weights where the loss at the stage's own beta is the least; the noise is the same each time."""
        loss = float(self.loss(*self.valid, beta, torch_generator(self.seed, "validation")))
        if loss < self.best[0]:
            self.best, self.best_weights = (loss, place), {k: v.detach().clone() for k, v in self.state_dict().items()}

    def _end_stage(self, beta: float) -> None:
        """Keep the best networks of the stage; the next one goes on from them."""
        if self.best_weights:
            self.load_state_dict(self.best_weights)
        self.trained.append(Trained(beta, self.best[1], copy.deepcopy(self.encoder).eval(), copy.deepcopy(self.decoder).eval()))
        self.best, self.best_weights = (math.inf, 0), {}
        self.optimizer.state.clear()


def train(module: BottleneckModule, source: Callable[[int], tuple[Tensor, Tensor]], device: torch.device) -> tuple[Trained, ...]:
    """Train through all stages; the networks come back on the CPU."""
    batches = Batches(source, module.schedule.steps * len(module.schedule.betas))
    loader = DataLoader(batches, batch_size=None, generator=torch_generator(module.seed, "loader"))
    with quiet_lightning(), kept_signals():
        plain_trainer(device).fit(module, loader)
    for stage in module.trained:
        stage.encoder.cpu()
        stage.decoder.cpu()
    return tuple(module.trained)
