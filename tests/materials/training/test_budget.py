"""Minutes become steps by the time of a step, once; the network that is timed is not changed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from sciml.errors import ConfigError
from sciml.materials.training import Recipe, budget
from sciml.materials.training.budget import check_budget, steps_in
from sciml.materials.training.member import Machine, stream_of
from sciml.materials.training.preparation import make_options, prepare
from sciml.materials.training.sets import open_sets


def test_steps_are_the_time_left_over_the_time_of_a_step(copper, tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.cycle([0.0, 4.0, 10.0, 10.6])  # 20 steps of 0.2 s, a validation of 0.6 s
    monkeypatch.setattr(budget, "_now", lambda device: next(clock))
    options = make_options("equivariant", 4.0, tiny, None, None, seed=0, members=1, references=None, repulsion=True, start=None)
    job = prepare(open_sets(copper(20), None, None, 4.0, Recipe(), 0), options)
    model = job.new_model(0)
    before = [parameter.clone() for parameter in model.parameters()]
    stream = stream_of(job, 0, 0, Machine(torch.device("cpu")))
    valid = (job.sets.valid, job.sets.valid_rows)
    found = steps_in(2.0, stream, model, job.objective, valid)
    assert found["steps"] == int((120 - 50 * 0.6) / 0.2) and found["step_seconds"] == pytest.approx(0.2)
    assert steps_in(0.1, stream, model, job.objective, valid)["steps"] == int(3 / 0.2)  # validations take half at most
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert len(np.unique([id(p) for p in model.parameters()])) == len(before)


@pytest.mark.parametrize(("steps", "minutes"), [(0, None), (None, 0), (None, float("nan")), (5, 5)])
def test_budgets_that_cannot_be_meant(steps: int | None, minutes: float | None) -> None:
    with pytest.raises(ConfigError, match="steps, minutes: found"):
        check_budget(steps, minutes)
