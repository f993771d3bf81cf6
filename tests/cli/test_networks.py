"""Values set on a model, times, and the folder of a run."""

from __future__ import annotations

import os

import numpy as np
import pytest

from sciml import files
from sciml.biology.antimony import load_antimony
from sciml.cli.networks import check_out, time_grid, variant, write_run
from sciml.errors import ConfigError
from sciml.report import Section, Text

TEXT = "A -> B; k*A\nk = 0.5; A = 7; B = 0"


def test_out_is_looked_at_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    check_out(None)
    check_out(tmp_path / "new")
    check_out(tmp_path / "runs" / "first")  # made when there is something to write
    assert not (tmp_path / "runs").exists()
    for out, message in ((tmp_path, "exists"), (tmp_path / "file" / "x", "is no folder"), (tmp_path / "file" / "y" / "x", "is no folder")):
        with pytest.raises(ConfigError, match=message):
            check_out(out)
    monkeypatch.setattr(os, "access", lambda *a: False)
    with pytest.raises(ConfigError, match="may not be written to"):
        check_out(tmp_path / "new")


def test_values_and_times():
    network = load_antimony(TEXT)
    assert variant(network, ["k=2,A=3"]).elements["k"].value == 2
    assert variant(network, None) is network
    for word in ("k=fast", "k=true", "k", "q=1"):
        with pytest.raises(ConfigError, match="set"):
            variant(network, [word])
    assert time_grid(4, 3).tolist() == [0, 2, 4]
    assert time_grid(4, 1).tolist() == [4]
    for end in (None, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="--end"):
            time_grid(end, 3)


def test_a_run_folder(tmp_path):
    out = tmp_path / "run"
    table = {"time": np.array([0.0, 0.1]), "A": [1, 2]}
    write_run(out, [Section("Text", [Text("x")])], "title", {"seed": 1}, {"amounts": table})
    assert (out / "amounts.csv").read_text() == "time,A\n0.0,1\n0.1,2\n"
    assert {"report.html", "amounts.csv"} <= set(files.verify_folder(out)["files"])
    with pytest.raises(ConfigError, match="exists"):
        write_run(out, [], "title", {}, {})
    write_run(tmp_path / "runs" / "first", [], "title", {}, {})
    assert (tmp_path / "runs" / "first" / "report.html").exists()
