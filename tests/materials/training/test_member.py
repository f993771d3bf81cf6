"""A run that is killed, or asked to stop, goes on bit for bit; a run over two processes equals a run of one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sciml import files
from sciml.materials.training.checkpoint import CheckpointFolder, unpack
from tests.materials.training.interrupted import run

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
    lines = [json.loads(line) for line in files.read_lines(out / "learning_curve.jsonl")]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "run"
    run(str(out), STEPS)
    return out


def killed(out: Path, kills: int, steps: int, seed: int) -> None:
    """Kill a run at random times, each after a new checkpoint; the second time inside a write."""
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


def stopped_by(number: signal.Signals, code: int, out: Path) -> None:
    """Send a signal after a new checkpoint: the run ends within 10 s with this exit code and a checkpoint of its last step."""
    before, process = newest(out), start(out)
    wait_for_checkpoint(process, out, before)
    process.send_signal(number)
    begun = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == code
    assert time.monotonic() - begun < 10
    latest = CheckpointFolder(out / "checkpoints").latest(0)
    assert latest is not None and before < latest.state["step"] == newest(out) < STEPS


def test_killed_twice_then_terminated_equals_unbroken_bit_for_bit(unbroken: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    killed(out, 2, STEPS, seed=0)
    stopped_by(signal.SIGTERM, 143, out)
    finish(out)
    assert final_bytes(out) == final_bytes(unbroken)
    assert curve(out) == curve(unbroken)


def test_interrupted_leaves_a_checkpoint(tmp_path: Path) -> None:
    stopped_by(signal.SIGINT, 130, tmp_path / "run")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_ten_times_equals_unbroken_bit_for_bit(tmp_path: Path, measured: Callable[[str, object, object], None]) -> None:
    steps = 4000
    finish(tmp_path / "unbroken", steps)
    killed(tmp_path / "killed", 10, steps, seed=1)
    finish(tmp_path / "killed", steps)
    assert final_bytes(tmp_path / "killed") == final_bytes(tmp_path / "unbroken")
    assert curve(tmp_path / "killed") == curve(tmp_path / "unbroken")
    measured("kill -9 ten times during a run of fixed steps, resumed", "final weights equal bit for bit", "equal")


DDP = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.materials.training.interrupted import run
if __name__ == "__main__":
    run(sys.argv[2], 20, devices=2, device="cpu")
"""


def test_two_processes_equal_one(tmp_path: Path) -> None:
    script, one, two = tmp_path / "run.py", tmp_path / "one", tmp_path / "two"
    script.write_text(DDP)
    run(str(one), 20)
    done = subprocess.run([sys.executable, str(script), str(HERE.parents[2]), str(two)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    weights = []
    for out in (one, two):
        tensors = unpack((out / "checkpoints" / "member-0-final.ckpt").read_bytes()).tensors
        weights.append(torch.cat([tensors[name].flatten() for name in sorted(tensors)]))
    assert float((weights[0] - weights[1]).abs().max() / weights[0].abs().max()) < 1e-4
    first, second = curve(one), curve(two)
    assert [line["step"] for line in first] == [line["step"] for line in second]
    assert second[0]["loss"] == pytest.approx(first[0]["loss"], rel=1e-6)
    assert second[0]["valid"]["loss"] == pytest.approx(first[0]["valid"]["loss"], rel=1e-5)
