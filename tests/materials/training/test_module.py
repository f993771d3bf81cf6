"""The training module: a step is AdamW on the gradient of the loss, averages follow their formula, state goes out and in bit for bit."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from sciml.errors import DataError
from sciml.materials.training import Recipe
from sciml.materials.training.checkpoint import pack, unpack
from sciml.materials.training.data import passes
from sciml.materials.training.loss import Objective
from sciml.materials.training.member import Machine, stream_of
from sciml.materials.training.module import TrainingModule
from sciml.materials.training.preparation import Job, make_options, prepare
from sciml.materials.training.sets import open_sets


@pytest.fixture
def job(copper, tiny) -> Job:
    options = make_options("equivariant", 4.0, tiny, None, None, seed=0, members=1, references=None, repulsion=True, start=None)
    return prepare(open_sets(copper(20), None, None, 4.0, Recipe(), 0), options).with_steps(12)


def new_module(job: Job) -> tuple[TrainingModule, list[dict]]:
    lines: list[dict] = []
    sets = job.sets
    module = TrainingModule(
        job.new_model(0), job.objective, validation=lambda: passes(sets.valid, sets.valid_rows, 5), record=lines.append, on_failure=None
    )
    module.trainer = SimpleNamespace(world_size=1)
    module.manual_backward = lambda loss: loss.backward()
    return module, lines


def advance(module: TrainingModule, job: Job, steps: int) -> None:
    stream = stream_of(job, 0, 0, Machine(torch.device("cpu")))
    for _ in range(steps):
        module.training_step(stream.at(module.step), 0)


def test_a_step_is_adamw_with_clipping_and_averaging(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingModule, "trainer", None, raising=False)
    module, _ = new_module(job)
    reference, recipe = job.new_model(0), job.options.recipe
    optimizer = torch.optim.AdamW(reference.parameters(), weight_decay=recipe.weight_decay, amsgrad=True)
    averages = [parameter.detach().clone() for parameter in reference.parameters()]
    stream = stream_of(job, 0, 0, Machine(torch.device("cpu")))
    for step in range(4):
        optimizer.param_groups[0]["lr"] = recipe.learning_rate(step, 12)
        optimizer.zero_grad()
        batch = stream.at(step)
        job.objective(job.objective.predict(reference, batch, create_graph=True), batch, step).total.backward()
        torch.nn.utils.clip_grad_norm_(reference.parameters(), recipe.gradient_clip)
        optimizer.step()
        decay = min(recipe.ema_decay, (1 + step) / (10 + step))
        averages = [decay * average + (1 - decay) * p.detach() for average, p in zip(averages, reference.parameters(), strict=True)]
    advance(module, job, 4)
    for found, expected in zip(module.energy_model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    for found, expected in zip(module.averages, averages, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_state_goes_out_and_in_bit_for_bit(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingModule, "trainer", None, raising=False)
    first, lines = new_module(job)
    advance(first, job, 5)
    saved = unpack(pack(first.checkpoint()))
    second, later = new_module(job)
    second.restore(saved)
    advance(first, job, 7)
    advance(second, job, 7)
    assert first.step == second.step == 12
    for one, two in ((first.energy_model.parameters(), second.energy_model.parameters()), (first.weights(), second.weights())):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    clean = [[{k: v for k, v in line.items() if k != "seconds"} for line in some] for some in (lines[-7:], later)]
    assert clean[0] == clean[1]
    assert (first.best_step, first.best_loss) == (second.best_step, second.best_loss)


def test_best_weights_are_those_of_the_lowest_validation_loss(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingModule, "trainer", None, raising=False)
    module, lines = new_module(job)
    kept = {}
    for _ in range(12):
        advance(module, job, 1)
        kept[module.step] = [average.clone() for average in module.averages]
    losses = {line["step"]: line["valid"]["loss"] for line in lines}
    best = min(losses, key=losses.__getitem__)
    assert module.best_step == best and all(torch.equal(a, b) for a, b in zip(module.weights(), kept[best], strict=True))
    own = [parameter.clone() for parameter in module.energy_model.parameters()]
    module.validate()
    assert all(torch.equal(a, b) for a, b in zip(own, module.energy_model.parameters(), strict=True))


def short_of_memory(monkeypatch: pytest.MonkeyPatch, atoms: int) -> None:
    """An allocator that gives up above a number of atoms at once."""
    whole = Objective.predict

    def predict(self, energy_model, batch, *, create_graph):
        if len(batch.graph.z) > atoms:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return whole(self, energy_model, batch, create_graph=create_graph)

    monkeypatch.setattr(Objective, "predict", predict)


def test_where_memory_ends_a_batch_is_halved_and_nothing_dropped(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingModule, "trainer", None, raising=False)
    found = []
    for atoms in (1000, 8):  # structures have four atoms each, a batch has 15 to 75
        module, _ = new_module(job)
        with monkeypatch.context() as patch:
            short_of_memory(patch, atoms)
            advance(module, job, 2)
        found.append(torch.cat([parameter.detach().flatten() for parameter in module.energy_model.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)
    module, _ = new_module(job)
    short_of_memory(monkeypatch, 3)
    with pytest.raises(DataError, match=r"record \d+: 4 atoms do not fit into memory even alone"):
        advance(module, job, 1)
