"""The page of measured figures: written from what the long tests find, resumed at the same commit, and never from a test that failed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = """
import pathlib

def test_counts(measured):
    place = pathlib.Path(__file__).with_name("calls")
    place.write_text(place.read_text() + "x" if place.exists() else "x")
    measured("structures | read", 25, "25")

def test_fails_first(measured):
    measured("second try", 1.5)
    assert pathlib.Path(__file__).with_name("go").exists()
"""


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "--measured",
        "docs/13.md",
        str(folder / "tests"),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_figures_are_kept_and_a_stopped_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "docs").mkdir()
    shutil.copy(HERE / "measured.py", tmp_path / "tests" / "conftest.py")
    (tmp_path / "tests" / "test_it.py").write_text(TESTS)
    assert run(tmp_path).returncode == 1
    page = (tmp_path / "docs" / "13.md").read_text()
    assert "| structures \\| read | 25 | 25 | `tests/test_it.py::test_counts` |" in page
    assert "second try" not in page
    (tmp_path / "tests" / "go").touch()
    again = run(tmp_path)
    assert again.returncode == 0 and "1 passed, 1 skipped" in again.stdout
    assert (tmp_path / "tests" / "calls").read_text() == "x", "a test that has passed is not run again"
    page = (tmp_path / "docs" / "13.md").read_text()
    assert "structures" in page and "| second try | 1.5 |" in page
