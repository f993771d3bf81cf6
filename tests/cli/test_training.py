"""`sciml materials train`: what it leaves, what it refuses, and that signals end it after saving."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from sciml import materials as mat
from tests.cli.sample import TINY, copper, sciml, write


def test_run_folder(run):
    names = {path.name for path in run.iterdir()}
    assert {"report.html", "report-data", "model", "metrics.json", "census.json", "manifest.json", "learning_curve.jsonl"} <= names
    assert len(mat.load_potential(run).members) == 2


def test_finished_run_is_refused_and_resumed(run, data):
    words = ["materials", "train", data / "train.extxyz", "--test", data / "test.extxyz", "--out", run, "--ensemble", 2, "--seed", 3, *TINY]
    refused = sciml(*words, "--steps", 4)
    assert refused.exit_code == 2 and "is not empty" in refused.stderr and "--resume" in refused.stderr
    other = sciml(*words, "--resume", "--seed", 4)
    assert other.exit_code == 2 and "seed" in other.stderr
    before = (
        run / "model" / "model.safetensors" if (run / "model" / "model.safetensors").exists() else run / "model" / "member-0.safetensors"
    ).read_bytes()
    resumed = sciml(*words, "--resume", "--json")
    assert resumed.exit_code == 0, resumed.stderr
    found = json.loads(resumed.stdout)
    assert found["model"] == str(run / "model") and found["metrics"]["test"]["structures"] == 5
    assert (run / "model" / "member-0.safetensors").read_bytes() == before


def nan_label(structures):
    structures[4].calc.results["forces"][1, 2] = np.nan
    return structures


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--steps", 2, "--minutes", 1], 2, "steps, minutes: found 2 and 1.0"),
        (["--steps", 0], 2, "expected a number above 0"),
        (["--recipe", "learning=1"], 2, "recipe.learning"),
        (["--recipe", "peak_lr"], 2, "--recipe: found 'peak_lr', expected NAME=VALUE"),
        (["--option", "channel=3"], 2, "model.channel"),
        (["--model", "transformer"], 2, "equivariant, invariant, tensor-product"),
        (["--weights", "forces=many"], 2, "--weights: could not convert"),
        (["--weights", "dipole=1"], 2, "weights: found 'dipole'"),
        (["--references", "Xx=1"], 2, "references: found 'Xx'"),
        (["--references", "Si=1"], 2, "references: found Si, which is not in"),
        (["--resume"], 2, "out; leave out --resume to start"),
        (["--units", "energy=parsec"], 2, "parsec"),
        (["--keys", "energy=REF_energy"], 3, "none of 12 records has the column 'REF_energy'"),
        (["--test", "none.extxyz"], 3, "--test: none.extxyz is not there"),
        (["--start-from", "none"], 3, "none: no such model"),
        (["--device", "tpu"], 2, "device: found 'tpu'"),
        (["--ensemble", 0], 2, "ensemble: found 0"),
    ],
)
def test_what_is_refused(data, tmp_path, words, code, said):
    done = sciml("materials", "train", data / "train.extxyz", "--out", tmp_path / "out", *words)
    assert (done.exit_code, done.stdout) == (code, "") and done.stderr.startswith("sciml: ") and said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not (tmp_path / "out" / "model").exists()


@pytest.mark.parametrize(
    ("train", "more", "said"),
    [
        (lambda: nan_label(copper(5)), {}, "record 4"),
        (lambda: copper(5), {"test": copper(5)[:2]}, "identical"),
        (lambda: copper(5), {"valid": [molecule("H2O", vacuum=3)]}, "element H, O is unknown"),
        (lambda: [atoms.copy() for atoms in copper(3)], {}, "nothing can be learned"),
    ],
    ids=["nan", "leak", "element", "bare"],
)
def test_data_that_is_refused(tmp_path, train, more, said):
    words = [word for name, rows in more.items() for word in (f"--{name}", write(tmp_path / f"{name}.extxyz", rows))]
    done = sciml("materials", "train", write(tmp_path / "train.extxyz", train()), "--out", tmp_path / "out", "--steps", 2, *TINY, *words)
    assert done.exit_code == 3 and said in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_after_saving(data, tmp_path, number, code):
    words = [
        "materials",
        "train",
        data / "train.extxyz",
        "--steps",
        "1000000",
        "--out",
        tmp_path / "out",
        *TINY,
        "--recipe",
        "validations=100000",
    ]
    command = [sys.executable, "-m", "sciml.cli.main", *map(str, words)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2])
    try:
        wait_for(tmp_path / "out" / "learning_curve.jsonl", process)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert said.strip().splitlines()[-1].startswith("sciml: ") and "what was saved is kept" in said and "Traceback" not in said
    assert list((tmp_path / "out" / "checkpoints").glob("*.ckpt"))


def wait_for(path: Path, process: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    assert path.exists(), process.communicate()[1]
