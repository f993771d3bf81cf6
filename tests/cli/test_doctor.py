"""`sciml doctor`: which settings hold and why; what is wrong is exit 1."""

from __future__ import annotations

import json

import pytest

from sciml import devices
from sciml.cli import doctor
from tests.cli.sample import sciml


def found(name: str, *arguments):
    return next(each for each in doctor.findings(*arguments) if each.name == name)


def test_a_sound_machine():
    done = sciml("doctor", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == (1 if told["trouble"] else 0)
    names = {each["name"] for each in told["findings"]}
    assert {"torch", "in force", "cache folder", "memory", "disk here", "chromium", "memory of the child", "shipped datasets"} <= names


@pytest.mark.parametrize(
    ("argument", "variable", "granted", "held"),
    [
        (None, None, 4, "1, by OMP_NUM_THREADS=1 of the environment"),
        (3, None, 4, "3, by argument"),
        (3, "2", 4, "2, by SCIML_NUM_THREADS"),
        (9, None, 4, "4, by machine"),
        (1, "2", 4, "1, by argument"),
    ],
)
def test_precedence_of_threads(monkeypatch, argument, variable, granted, held):
    monkeypatch.setattr(devices, "granted_cores", lambda: granted)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("SCIML_NUM_THREADS", raising=False)
    if variable:
        monkeypatch.setenv("SCIML_NUM_THREADS", variable)
    rows = [each for each in doctor.findings("cpu", argument) if each.part.startswith("threads")]
    assert rows[-1].name == "in force" and rows[-1].found == held
    assert rows[1].found == (variable or "not set") and rows[2].found.startswith("4 granted")


def test_trouble_is_exit_1(monkeypatch, tmp_path):
    monkeypatch.setenv("SCIML_NUM_THREADS", "many")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "file" / "cache"))
    done = sciml("doctor", "--device", "cuda:99")
    assert done.exit_code == 1 and "3 thing(s) to put right" in done.stdout
    assert "SCIML_NUM_THREADS: found 'many'" in done.stdout and "! cache folder" in done.stdout


def test_little_memory_disk_and_a_missing_package(monkeypatch):
    monkeypatch.setattr(devices, "free_memory_bytes", lambda *_: 1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert [found(name).state for name in ("memory", "disk here", "no-such-package", "chromium")] == ["trouble"] * 3 + ["note"]


def test_a_limit_that_this_platform_lacks_is_a_note(monkeypatch):
    monkeypatch.setattr("sciml.sandbox.limits", lambda: {"memory": False, "cpu": True, "wall": True})
    assert found("memory of the child").state == "note" and found("memory of the child").found.startswith("not on ")
