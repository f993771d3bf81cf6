"""How many steps a run has: given, or minutes turned into steps once, from timed steps."""

from __future__ import annotations

import copy
import logging
import time
from typing import Any

import torch

from sciml.errors import ConfigError
from sciml.materials.potential import EnergyModel
from sciml.materials.training.data import BatchStream, GraphSet, Indices, passes
from sciml.materials.training.loss import Objective

logger = logging.getLogger("sciml.materials.training")

TIMED_STEPS, UNTIMED_STEPS = 20, 3


def check_budget(steps: int | None, minutes: float | None) -> None:
    """ConfigError for two budgets, or one that is not above 0."""
    if steps is not None and minutes is not None:
        raise ConfigError(f"steps, minutes: found {steps} and {minutes}, expected one of them")
    if (steps is not None and steps < 1) or (minutes is not None and not minutes > 0):
        raise ConfigError(f"steps, minutes: found {steps if minutes is None else minutes}, expected a number above 0")


def steps_in(
    minutes: float, stream: BatchStream, energy_model: EnergyModel, objective: Objective, valid: tuple[GraphSet, Indices]
) -> dict[str, Any]:
    """Steps that fit into `minutes`, validations included: 20 steps are timed on a copy of the model, which is thrown away."""
    model, device = copy.deepcopy(energy_model), next(energy_model.parameters()).device
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, amsgrad=True, fused=True)
    begun = 0.0
    for step in range(UNTIMED_STEPS + TIMED_STEPS):
        if step == UNTIMED_STEPS:
            begun = _now(device)
        batch = stream.at(step).to(device)
        optimizer.zero_grad()
        objective(objective.predict(model, batch, create_graph=True), batch, step).total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    step_seconds = (_now(device) - begun) / TIMED_STEPS
    begun = _now(device)
    for batch in passes(*valid, stream.batch):
        objective.predict(model, batch.to(device), create_graph=False)
    valid_seconds = _now(device) - begun
    left = 60.0 * minutes - objective.recipe.validations * valid_seconds
    steps = max(1, int(max(left, 30.0 * minutes) / step_seconds))
    logger.info("%.1f ms a step, %.2f s a validation: %d steps in %g minutes", 1e3 * step_seconds, valid_seconds, steps, minutes)
    return {"steps": steps, "minutes": minutes, "step_seconds": step_seconds, "validation_seconds": valid_seconds}


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
