"""A run that is killed, or asked to stop, goes on bit for bit; a run over two processes equals a run of one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from sciml import files
from sciml.materials.training.checkpoint import CheckpointFolder, unpack

HERE = Path(__file__).resolve().parent
STEPS = 400


def start(out: Path, steps: int = STEPS, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "interrupted.py"), str(out), str(steps), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def newest(out: Path) -> int:
    """Step of the newest checkpoint, -1 where there is none."""
    steps = [int(path.stem.rsplit("-", 1)[1]) for path in (out / "checkpoints").glob("member-0-0*.ckpt")] if out.exists() else []
    return max(steps, default=-1)


def wait_for_checkpoint(process: subprocess.Popen[str], out: Path, after: int, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while newest(out) <= after:
        assert process.poll() is None, f"the run ended before a new checkpoint: {process.returncode}\n{process.stderr.read()}"
        assert time.monotonic() < end, "no checkpoint came"
        time.sleep(0.01)


def finish(out: Path, steps: int = STEPS) -> None:
    process = start(out, steps)
    _, text = process.communicate(timeout=600)
    assert process.returncode == 0, text


def final_bytes(out: Path) -> dict[str, bytes]:
    tensors = unpack((out / "checkpoints" / "member-0-final.ckpt").read_bytes()).tensors
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


def curve(out: Path) -> list[dict]:
    import json

    lines = [json.loads(line) for line in files.read_lines(out / "learning_curve.jsonl")]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "run"
    finish(out)
    return out


def killed_and_resumed(out: Path, kills: int, steps: int, seed: int) -> None:
    """Kill a run at random times, each after a new checkpoint; the second time inside a write; then let it end."""
    generator = np.random.default_rng(seed)
    for number in range(kills):
        before = newest(out)
        if number == 1:
            process = start(out, steps, "die-in-write", "2")
            process.communicate(timeout=120)
        else:
            process = start(out, steps)
            wait_for_checkpoint(process, out, before)
            time.sleep(float(generator.uniform(0, 0.15)))
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert newest(out) > before
        assert CheckpointFolder(out / "checkpoints").latest(0) is not None
    finish(out, steps)


def test_killed_twice_equals_unbroken_bit_for_bit(unbroken: Path, tmp_path: Path) -> None:
    killed_and_resumed(tmp_path / "run", 2, STEPS, seed=0)
    assert final_bytes(tmp_path / "run") == final_bytes(unbroken)
    assert curve(tmp_path / "run") == curve(unbroken)


@pytest.mark.long
def test_killed_ten_times_equals_unbroken_bit_for_bit(tmp_path: Path) -> None:
    steps = 4000
    finish(tmp_path / "unbroken", steps)
    killed_and_resumed(tmp_path / "killed", 10, steps, seed=1)
    assert final_bytes(tmp_path / "killed") == final_bytes(tmp_path / "unbroken")
    assert curve(tmp_path / "killed") == curve(tmp_path / "unbroken")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_leave_a_checkpoint(unbroken: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    out = tmp_path / "run"
    process = start(out)
    wait_for_checkpoint(process, out, -1)
    process.send_signal(number)
    begun = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == code
    assert time.monotonic() - begun < 10
    assert CheckpointFolder(out / "checkpoints").latest(0).state["step"] == newest(out) < STEPS
    if number == signal.SIGTERM:
        finish(out)
        assert final_bytes(out) == final_bytes(unbroken)


DDP = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from conftest import TINY, copper
from sciml.materials.training import train_potential
if __name__ == "__main__":
    torch.set_num_threads(1)
    train_potential(copper(24), steps=20, model_options=TINY, out=sys.argv[2], devices=int(sys.argv[3]), device="cpu")
"""


def test_two_processes_equal_one(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(DDP)
    weights = {}
    for processes in (1, 2):
        out = tmp_path / str(processes)
        command = [sys.executable, str(script), str(HERE), str(out), str(processes)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        tensors = unpack((out / "checkpoints" / "member-0-final.ckpt").read_bytes()).tensors
        weights[processes] = torch.cat([tensors[name].flatten() for name in sorted(tensors)])
    difference = (weights[1] - weights[2]).abs().max() / weights[1].abs().max()
    assert float(difference) < 1e-4
    lines = [curve(tmp_path / str(processes)) for processes in (1, 2)]
    assert [line["step"] for line in lines[0]] == [line["step"] for line in lines[1]]
    assert lines[1][0]["loss"] == pytest.approx(lines[0][0]["loss"], rel=1e-5)
    assert lines[1][0]["valid"]["loss"] == pytest.approx(lines[0][0]["valid"]["loss"], rel=1e-4)
