"""The course of beta and of the learning rate; the best weights of a stage are kept; a loss that is not finite is an error."""

from __future__ import annotations

import math

import pytest
import torch

from sciml.biology.information.encoder_network import make_networks
from sciml.biology.information.variational_rows import array_source
from sciml.biology.information.variational_training import BottleneckModule, Schedule, train
from sciml.errors import ConvergenceError

CPU = torch.device("cpu")


def test_beta_falls_in_the_first_half_of_a_stage_and_stays() -> None:
    schedule = Schedule((8.0, 2.0), 100, 0.01, 0.0, 10.0)
    assert schedule.beta(0) == pytest.approx(80)
    assert schedule.beta(25) == pytest.approx(8 * math.sqrt(10))
    assert [schedule.beta(step) for step in (50, 75, 99, 100)] == pytest.approx([8] * 4)
    assert schedule.beta(125) == pytest.approx(4)
    assert [schedule.beta(step) for step in (150, 199)] == pytest.approx([2, 2])


def test_the_rate_rises_and_falls_to_nothing_in_each_stage() -> None:
    schedule = Schedule((8.0, 2.0), 100, 0.01, 0.0, 10.0)
    rates = [schedule.rate(step) for step in range(200)]
    assert rates[:100] == rates[100:]
    assert max(rates) == pytest.approx(0.01, rel=0.05)
    assert rates[0] < 0.0011
    assert rates[99] < 1e-5


def pairs(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    x, z = torch.randn((2, n, 1), generator=torch.Generator().manual_seed(seed))
    return x, 0.9 * x + math.sqrt(0.19) * z


def module(schedule: Schedule, seed: int = 0) -> BottleneckModule:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = make_networks(1, 1, code="gaussian", size=1, levels=False, width=16, layers=1)
    return BottleneckModule(*networks, schedule, pairs(200, 1), seed)


def test_each_stage_leaves_its_networks_on_their_own() -> None:
    trained = train(module(Schedule((20.0, 2.0), 200, 0.01, 0.0, 4.0)), array_source(*pairs(500, 2), 64, 0), CPU)
    assert [stage.beta for stage in trained] == [20, 2]
    assert all(1 <= stage.step <= 200 for stage in trained)
    x = pairs(200, 3)[0]
    wide, narrow = (stage.encoder.centres(x).detach().std().item() for stage in trained)
    assert wide > 1.3 * narrow > 0  # a smaller beta keeps less


def test_the_best_weights_on_the_validation_rows_are_kept() -> None:
    """After a loss that will not be met again, later steps change the weights but not what is kept."""
    made = module(Schedule((20.0,), 50, 0.01, 0.0, 1.0))
    made.best, made.best_weights = (-1e9, 7), {key: value.clone() for key, value in made.state_dict().items()}
    before = {key: value.clone() for key, value in made.encoder.state_dict().items()}
    stage = train(made, array_source(*pairs(500, 2), 64, 0), CPU)[0]
    assert stage.step == 7
    assert all(torch.equal(value, before[key]) for key, value in stage.encoder.state_dict().items())


def test_a_loss_that_is_not_finite() -> None:
    x, y = pairs(500, 2)
    with pytest.raises(ConvergenceError, match="the loss is nan at step 0; lower learning_rate"):
        train(module(Schedule((2.0,), 20, 0.01, 0.0, 1.0)), array_source(x, y * math.nan, 64, 0), CPU)
