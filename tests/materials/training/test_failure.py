"""NaN and infinity stop a run within one step, name the structure and the quantity, and leave what is needed to see it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sciml import files
from sciml.errors import DataError
from sciml.materials.training import module, train_potential
from sciml.materials.training.data import MemoryGraphs, passes
from sciml.materials.training.failure import select_graph


def poisoned(monkeypatch: pytest.MonkeyPatch, at_step: int, poison: Any) -> None:
    """Let `poison(energy_model, batch)` act before step `at_step`."""
    step = module.TrainingModule.training_step

    def training_step(self: Any, batch: Any, number: int) -> None:
        if self.step == at_step:
            poison(self.energy_model, batch)
        step(self, batch, number)

    monkeypatch.setattr(module.TrainingModule, "training_step", training_step)


def poison_label(field: str, value: float) -> Any:
    def poison(_: Any, batch: Any) -> None:
        number = batch.records.index(2)
        graph = batch.graph
        place = {"energy": number, "stress": number}.get(field, int(graph.ptr[number]))
        getattr(graph, field)[place] = value

    return poison


@pytest.mark.parametrize(("field", "value"), [("energy", np.nan), ("forces", np.inf), ("stress", np.nan), ("pos", np.nan)])
def test_poisoned_structure_is_named(copper, tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: float) -> None:
    poisoned(monkeypatch, 3, poison_label(field, value))
    out = tmp_path / "run"
    with pytest.raises(DataError, match=rf"training set, record 2: loss is NaN or infinite at step 3 \(not finite: .*{field}") as caught:
        train_potential(copper(5), steps=10, model_options=tiny, out=out)
    assert str(out / "failure") in str(caught.value)
    details = files.read_json(out / "failure" / "failure.json")
    assert details["records"] == [2] and details["step"] == 3 and sorted(details["batch"]) == [0, 1, 2, 3, 4]
    assert len(ase.io.read(out / "failure" / "structures.extxyz", ":")) == 5
    assert all(torch.isfinite(tensor).all() for tensor in load_file(out / "failure" / "weights.safetensors").values())
    assert not (out / "model").exists()


def test_weights_that_blow_up_are_seen_at_once(copper, tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def poison(energy_model: Any, _: Any) -> None:
        energy_model.head.second.data.fill_(np.nan)

    poisoned(monkeypatch, 1, poison)
    with pytest.raises(DataError, match=r"records .*: loss is NaN or infinite at step 1 \(not finite: .*predicted energy"):
        train_potential(copper(5), steps=10, model_options=tiny, out=tmp_path / "run")


def test_gradient_that_is_not_finite_is_seen(copper, tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient * np.nan

    call = module.Objective.__call__

    def broken(self: Any, found: Any, batch: Any, step: int) -> Any:
        losses = call(self, found, batch, step)
        return losses._replace(total=Broken.apply(losses.total)) if step == 2 and 1 in batch.records else losses

    monkeypatch.setattr(module.Objective, "__call__", broken)
    with pytest.raises(DataError, match=r"record 1: gradient is NaN or infinite at step 2 \(not finite: gradient of "):
        train_potential(copper(5), steps=10, model_options=tiny, out=tmp_path / "run")


def test_a_structure_taken_out_of_a_batch_is_the_structure(copper) -> None:
    graphs = MemoryGraphs(copper(3), 4.0, "x")
    batch = next(passes(graphs, np.arange(3), 3))
    for number in range(3):
        found, expected = select_graph(batch.graph, number), graphs.load([number])[0]
        assert set(found.keys()) == set(expected.keys())
        for name in expected.keys():
            assert torch.equal(found[name], expected[name]), name
