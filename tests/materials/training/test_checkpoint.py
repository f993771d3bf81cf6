"""Checkpoints: bits in, the same bits out; every damage is seen, and the checkpoint before is taken."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from sciml.errors import DataError
from sciml.materials.training.checkpoint import Checkpoint, CheckpointFolder, pack, unpack


def example(value: float = 1.0) -> Checkpoint:
    tensors = {"a": torch.tensor([value, -0.0, 1e-45]), "random": torch.get_rng_state(), "step": torch.tensor(3.0)}
    return Checkpoint({"step": 3, "best_loss": 0.1 + 0.2, "none": None}, tensors)


def test_state_and_tensors_come_back_bit_for_bit() -> None:
    before, after = example(), unpack(pack(example()))
    assert after.state == before.state
    for name, tensor in before.tensors.items():
        assert after.tensors[name].dtype == tensor.dtype
        assert after.tensors[name].numpy().tobytes() == tensor.numpy().tobytes()


def test_flipped_bits_and_cut_files_are_refused() -> None:
    data = pack(example())
    generator = np.random.default_rng(0)
    for place in [*range(100), *generator.integers(0, len(data), 300)]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(generator.integers(8))
        with pytest.raises(DataError):
            unpack(bytes(damaged))
    for length in [0, 1, 20, 90, *generator.integers(0, len(data), 50)]:
        with pytest.raises(DataError):
            unpack(data[:length])


def test_messages_name_file_and_fault() -> None:
    with pytest.raises(DataError, match=r"x\.ckpt: not a checkpoint of sciml"):
        unpack(b"PK\x03\x04", "x.ckpt")
    with pytest.raises(DataError, match="checkpoint format b'2', this version reads format 1"):
        unpack(b"sciml-checkpoint 2 " + b"0" * 64 + b"\n")


def test_last_two_are_kept_and_a_damaged_one_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = CheckpointFolder(tmp_path / "checkpoints")
    assert folder.latest(0) is None
    for step in (5, 10, 15):
        folder.save(0, step, example(step))
    folder.save(1, 7, example(70))
    newest = tmp_path / "checkpoints" / "member-0-000000015.ckpt"
    assert sorted(path.name for path in newest.parent.glob("member-0-*")) == ["member-0-000000010.ckpt", newest.name]
    assert folder.latest(0).tensors["a"][0] == 15
    newest.write_bytes(newest.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert folder.latest(0).tensors["a"][0] == 10
    assert newest.name in caplog.text
    assert folder.latest(1).tensors["a"][0] == 70


def test_final_state_replaces_the_intermediate_ones(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(0, 5, example())
    assert folder.finished(0) is None
    folder.finish(0, example(9))
    assert [path.name for path in tmp_path.iterdir()] == ["member-0-final.ckpt"]
    assert folder.finished(0).tensors["a"][0] == 9
