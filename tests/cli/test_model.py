"""`sciml model info | verify`."""

from __future__ import annotations

import json
import shutil

import pytest

from sciml.cli.model import summary
from tests.cli.sample import sciml


def test_info(run):
    done = sciml("model", "info", run)
    assert done.exit_code == 0 and "equivariant" in done.stdout and "reference   Cu" in done.stdout and "train structures 12" in done.stdout
    content = json.loads(sciml("model", "info", run, "--json").stdout)
    assert content["species"] == ["Cu"] and len(content["members"]) == 2 and content["training"]["seed"] == 3


def test_summary(run):
    few = summary(str(run))
    assert few["kind"] == "equivariant" and few["members"] == 2 and few["cutoff_A"] == 4.0 and "forces" in few["errors"]


def test_verify(run, tmp_path):
    done = sciml("model", "verify", run)
    assert done.exit_code == 0 and "whole (2 member(s)" in done.stdout
    for name in ("model.json", "member-1.safetensors"):
        shutil.copytree(run / "model", tmp_path / name)
        place = tmp_path / name / name
        content = bytearray(place.read_bytes())
        content[len(content) // 2] ^= 1
        place.write_bytes(bytes(content))
        damaged = sciml("model", "verify", tmp_path / name)
        assert damaged.exit_code == 3 and "digest" in damaged.stderr


@pytest.mark.parametrize("command", ["info", "verify"])
def test_refused(command, tmp_path):
    (tmp_path / "a.zip").write_text("no zip")
    for name in ("a.zip", "none"):
        done = sciml("model", command, tmp_path / name)
        assert done.exit_code == 3 and len(done.stderr.strip().splitlines()) == 1
