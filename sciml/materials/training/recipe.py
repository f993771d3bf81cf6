"""How a potential is trained: every number of the optimiser, the loss and the averaging, in one frozen class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sciml.errors import ConfigError

_STEP_ATOMS, _STEP_STRUCTURES = 300, 5


class Recipe(BaseModel):
    """The recipe of `train_potential`; `models/make.py` says where the shipped models differ from the defaults.

    Weights multiply squared errors that are divided by the spread of the training data, so that they carry no unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    steps: int = Field(5000, ge=1)
    """Optimiser steps where the caller gives neither steps nor minutes; more steps cost time in proportion and lower the error slowly."""
    batch_structures: int | None = Field(None, ge=1)
    """Structures in one step over all processes, None for as many as have about 300 atoms and at most 5; raising it makes steps dearer and
    gradients quieter, which helps large, noisy sets; for the same time many steps of few structures learn more."""
    peak_lr: float = Field(1e-2, gt=0)
    """Learning rate after the warm-up; raising it learns faster until the loss becomes unstable."""
    warmup_steps: int = Field(100, ge=0)
    """Steps in which the learning rate rises from 0 (a tenth of the budget at most); raise it where the first steps are unstable."""
    weight_decay: float = Field(1e-5, ge=0)
    """AdamW's decay of the weights; raising it pulls the weights to zero and smooths the potential."""
    gradient_clip: float = Field(10.0, gt=0)
    """Largest norm of the gradient, longer ones are shortened to it; raising it lets outliers move the weights further."""
    ema_decay: float = Field(0.99, ge=0, lt=1)
    """Decay of the running mean of the weights, which is what is validated and saved; raising it averages over more steps."""
    loss: Literal["mse", "huber"] = "mse"
    """`mse` squares errors; `huber` grows linearly beyond `huber_delta`, so that single wrong labels pull less."""
    huber_delta: float = Field(0.1, gt=0)
    """Error, in units of the spread, beyond which the Huber loss is linear; raising it comes closer to `mse`."""
    energy_weight: float = Field(0.1, ge=0)
    """Weight of the energy per atom at first, from where it rises steadily; raising it favours energies over forces."""
    energy_weight_late: float = Field(0.5, ge=0)
    """Weight of the energy per atom in the late phase, when forces are nearly learned; far too much ruins the forces."""
    late_fraction: float = Field(0.3, ge=0, le=1)
    """Last part of the budget in which the late energy weight holds; raising it makes the weight rise faster."""
    forces_weight: float = Field(1.0, ge=0)
    """Weight of the forces; the other weights are relative to it."""
    stress_weight: float = Field(0.05, ge=0)
    """Weight of the stress; raising it favours elastic constants and pressures over forces."""
    energy_floor_A: float = Field(0.2, ge=0)
    """The unit of energy is at least this length times the spread of the forces; raising it lowers the pull of energies in narrow sets."""
    validations: int = Field(50, ge=1)
    """How often in a run the validation set is evaluated; raising it costs time and catches an early best more finely."""
    scale_structures: int = Field(64, ge=1)
    """Training structures from which the model's scales are taken; more make them surer and cost memory once."""
    memory_MB: int = Field(256, ge=1)
    """Graphs of a set that is read from shards kept in memory at one time; raising it mixes the order of such sets better."""
    shard_MB: int = Field(16, ge=1)
    """Size of one shard of the graph cache; larger shards mean fewer files and coarser mixing."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Recipe:
        """A recipe from plain values. ConfigError names each field that is wrong."""
        try:
            return cls(**values)
        except ValidationError as error:
            lines = (f"recipe.{'.'.join(map(str, e['loc']))}: {e['msg']}, found {e['input']!r}" for e in error.errors())
            raise ConfigError("; ".join(lines)) from None

    def warmup(self, steps: int) -> int:
        """Steps of the warm-up in a run of `steps`."""
        return min(self.warmup_steps, steps // 10)

    def as_run(self, steps: int) -> dict[str, Any]:
        """The recipe as plain values with the steps and the warm-up that a run of `steps` had."""
        return self.model_dump() | {"steps": steps, "warmup_steps": self.warmup(steps)}

    def learning_rate(self, step: int, steps: int) -> float:
        """Learning rate of a step in 0..steps-1: linear warm-up to `peak_lr`, then half a cosine to 0 at `steps`."""
        warmup = self.warmup(steps)
        if step < warmup:
            return self.peak_lr * (step + 1) / (warmup + 1)
        return self.peak_lr * 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    def energy_weight_at(self, step: int, steps: int) -> float:
        """Energy weight of a step: from `energy_weight` by a constant factor (where one is 0, a constant sum) to `energy_weight_late`.

        A sudden change would meet second moments of the optimiser that belong to smaller gradients, and throw the weights off.
        """
        first, last = self.energy_weight, self.energy_weight_late
        way = min(1.0, step / max(1.0, (1.0 - self.late_fraction) * steps))
        return float(first * (last / first) ** way) if first and last else first + (last - first) * way

    def structures_in_step(self, mean_atoms: float, processes: int = 1) -> int:
        """Structures of a step, for structures of `mean_atoms` atoms on average; by default at least one for each process."""
        return self.batch_structures or max(processes, min(_STEP_STRUCTURES, round(_STEP_ATOMS / mean_atoms)))

    def ema_decay_at(self, step: int) -> float:
        """Decay of the weights' running mean after step `step`: short memory at first, `ema_decay` in the end."""
        return min(self.ema_decay, (1.0 + step) / (10.0 + step))

    def validate_every(self, steps: int) -> int:
        """Steps between two validations."""
        return max(1, steps // self.validations)

    def with_weights(self, weights: Mapping[str, float] | None) -> Recipe:
        """A recipe whose loss weights are replaced by `weights` (keys energy, forces, stress); targets not named get 0.

        A given energy weight is that of the late phase; the first one keeps its ratio to it.
        """
        if weights is None:
            return self
        late = weights.get("energy", 0.0)
        first = late * (self.energy_weight / self.energy_weight_late if self.energy_weight_late else 1.0)
        changes = {"energy_weight": first, "energy_weight_late": late}
        changes |= {"forces_weight": weights.get("forces", 0.0), "stress_weight": weights.get("stress", 0.0)}
        return Recipe.parse(self.model_dump() | changes)
