"""The run folder: refused where it is used, compared where a run goes on, its curve cut where a checkpoint lies behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciml.errors import ConfigError
from sciml.materials.training.run_folder import RunFolder


def test_folder_with_content_is_refused_unless_resumed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.held(False):
        folder.write_json("budget.json", {"steps": 3})
    with pytest.raises(ConfigError, match=r"run is not empty \(it holds 'budget\.json'\); .*resume=True"), folder.held(False):
        pass
    with folder.held(True):
        assert folder.budget() == {"steps": 3}


@pytest.mark.parametrize("content", [None, [], ["notes.txt"]])
def test_where_no_run_was_begun_there_is_nothing_to_resume(tmp_path: Path, content: list[str] | None) -> None:
    place = tmp_path / "run"
    for name in content or []:
        place.mkdir(exist_ok=True)
        (place / name).write_text("mine")
    if content == []:
        place.mkdir()
    with pytest.raises(ConfigError, match=r"out: nothing to resume in .*run; leave out resume=True to start"), RunFolder(place).held(True):
        pass
    assert place.exists() == (content is not None)


@pytest.mark.parametrize("name", ["config.json", ".lock"])
def test_what_was_killed_before_its_first_checkpoint_is_resumed(tmp_path: Path, name: str) -> None:
    """config.json is written before the first step, the file of the lock before anything is read."""
    (tmp_path / name).write_text("{}")
    with RunFolder(tmp_path).held(True):
        pass


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path).held(False), pytest.raises(ConfigError, match="in use by process"), RunFolder(tmp_path).held(True):
        pass


def test_file_as_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(ConfigError, match="is a file"), RunFolder(tmp_path / "x").held(True):
        pass


def test_another_configuration_is_refused_field_by_field(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    config = {"seed": 0, "recipe": {"peak_lr": 0.01, "steps": 5}, "references": None}
    folder.settle_config(config)
    folder.settle_config(config)
    changed = {"seed": 1, "recipe": {"peak_lr": 0.02, "steps": 5}, "references": None}
    with pytest.raises(ConfigError, match=r"recipe\.peak_lr: 0\.01 there, 0\.02 now; seed: 0 there, 1 now"):
        folder.settle_config(changed)


def test_curve_is_cut_behind_the_checkpoint(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.curve() == []
    lines = [{"member": member, "step": step} for member in (0, 1) for step in (5, 10, 15)]
    for line in lines:
        folder.append_curve(line)
    with (tmp_path / "learning_curve.jsonl").open("a") as file:
        file.write('{"member": 1, "st')  # torn by a kill
    assert folder.curve() == lines
    folder.cut_curve(1, 10)
    assert folder.curve() == lines[:5]
    folder.append_curve(lines[5])
    assert folder.curve() == lines


def test_further_processes_write_nothing(tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "run", writes=False)
    with other.held(False):
        other.settle_config({"seed": 0})
        other.write_json("x.json", {})
        other.append_curve({"member": 0, "step": 1})
        other.cut_curve(0, 0)
    assert not (tmp_path / "run").exists()
