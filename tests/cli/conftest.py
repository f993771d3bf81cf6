"""One tiny run of `sciml materials train` for all tests of commands that need a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.sample import TINY, copper, sciml, write


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """A folder with train.extxyz and test.extxyz."""
    folder = tmp_path_factory.mktemp("data")
    write(folder / "train.extxyz", copper(12))
    write(folder / "test.extxyz", copper(5, seed=1))
    return folder


@pytest.fixture(scope="session")
def run(data, tmp_path_factory) -> Path:
    """The folder of a finished run of two members."""
    out = tmp_path_factory.mktemp("runs") / "copper"
    words = ["--test", data / "test.extxyz", "--steps", 4, "--ensemble", 2, "--out", out, "--seed", 3, *TINY]
    done = sciml("materials", "train", data / "train.extxyz", *words)
    assert done.exit_code == 0, done.output
    assert "test forces" in done.stdout and str(out / "report.html") in done.stdout
    return out
