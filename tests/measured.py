"""Keeps the figures of the long tests: a pytest plugin, which pyproject.toml loads.

A test calls ``measured(row, figure, bar)`` for each figure it finds. ``make test-long`` adds ``--measured=docs/measured/13.md``: then each
test that has passed leaves its figures in ``runs/long/<commit>/``, is not run again at the same commit (so a stopped run goes on), and the
page is written anew from all figures after every session.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciml import files

ROOT = Path(__file__).resolve().parent.parent
FIGURES = pytest.StashKey[list[dict[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--measured", default=None, metavar="PAGE", help="write the figures of the long tests to this page; resumes at the same commit"
    )


def commit() -> str:
    """The commit of the checkout, with ``-changed`` where tracked files differ from it; ``none`` outside git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=-changed", "--abbrev=10"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return done.stdout.strip()


def figures_folder() -> Path:
    return ROOT / "runs" / "long" / commit()


def record_of(nodeid: str) -> Path:
    return figures_folder() / (hashlib.sha256(nodeid.encode()).hexdigest()[:20] + ".json")


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str, object, object], None]:
    """``measured(row, figure, bar)``: keep one figure of this test, with the bar it is held against, for the page of measured figures."""
    figures = request.node.stash.setdefault(FIGURES, [])

    def keep(row: str, figure: object, bar: object = "") -> None:
        figures.append({"row": row, "figure": str(figure), "bar": str(bar)})

    return keep


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--measured") is None or commit().endswith("-changed"):
        return
    for item in items:
        if record_of(item.nodeid).exists():
            item.add_marker(pytest.mark.skip(reason="passed before at this commit; its figures are kept"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call" and report.passed and item.config.getoption("--measured") is not None:
        record = {
            "test": item.nodeid,
            "seconds": round(report.duration, 1),
            "date": datetime.date.today().isoformat(),
            "figures": item.stash.get(FIGURES, []),
        }
        path = record_of(item.nodeid)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, record)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    page = session.config.getoption("--measured")
    if page is None or hasattr(session.config, "workerinput"):
        return
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(figures_folder().glob("*.json"))]
    if records:
        files.write_text(ROOT / page, page_of(sorted(records, key=lambda record: record["test"])))


def page_of(records: list[dict[str, Any]]) -> str:
    """The page of measured figures: machine and commit first, then one line a figure."""
    import torch

    lines = [
        "# Measured figures",
        "",
        f"Commit {commit()}, Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()} {sys.platform}. "
        "Made by `make test-long`; each line is one figure of one test, run alone by `pytest -m long 'TEST'`.",
        "",
        "| figure of | measured | wanted | test | seconds | date |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for record in records:
        for figure in record["figures"] or [{"row": "(passed)", "figure": "", "bar": ""}]:
            cells = [figure["row"], figure["figure"], figure["bar"], f"`{record['test']}`", str(record["seconds"]), record["date"]]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
