"""README.md says what works: its Python blocks are run as they stand, its commands exist, its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
SHELL = [line for language, text in BLOCKS if language in ("bash", "sh", "shell") for line in text.splitlines()]


def shipped(text: str) -> str | None:
    """The reason why a block cannot run in this checkout: a shipped model that it loads is not there."""
    missing = [name for name in re.findall(r'load_potential\("([\w-]+)"\)', text) if not (ROOT / "models" / name / "model.json").is_file()]
    return f"models/{missing[0]} is not in this checkout" if missing else None


@pytest.mark.parametrize("text", PYTHON, ids=[f"block{number}" for number in range(len(PYTHON))])
def test_python_block_runs(text: str, tmp_path: Path) -> None:
    reason = shipped(text)
    if reason:
        pytest.skip(reason)
    script = tmp_path / "block.py"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    assert done.returncode == 0, done.stderr
    for wanted in re.findall(r"#\s*prints:\s*(.+)", text):
        assert wanted.strip() in done.stdout


def test_readme_has_an_example_of_each_domain() -> None:
    assert any("materials" in text for text in PYTHON)
    assert all(len([line for line in text.splitlines() if line.strip()]) <= 12 for text in PYTHON)


def test_commands_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", PAGE))
    assert {"demo", "test"} <= named
    assert named <= targets


def test_commands_of_sciml_exist() -> None:
    if not (ROOT / "sciml" / "cli" / "main.py").is_file():
        pytest.skip("there is no command line in this checkout")
    for command in sorted({tuple(line.split("#")[0].split()[1:3]) for line in SHELL if line.startswith("sciml ")}):
        words = [word for word in command if re.fullmatch(r"[a-z]+", word)]
        done = subprocess.run([sys.executable, "-m", "sciml.cli.main", *words, "--help"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"sciml {' '.join(words)}: {done.stderr}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "THIRD_PARTY.md", "SECURITY.md"])
def test_links_to_files_exist(name: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text(encoding="utf-8"))
    missing = [link for link in links if not (ROOT / link).exists() and link != "docs/report.png"]
    assert not missing
