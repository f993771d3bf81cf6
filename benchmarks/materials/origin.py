"""What a figure is worth without: date, commit, processor and versions; and the folder that keeps the figures."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "results"


def origin(*packages: str) -> dict[str, object]:
    """Date, commit, processor with its cores, and versions of Python and `packages`."""
    found = {"date": datetime.date.today().isoformat(), "commit": commit(), "cpu": cpu(), "cores": os.cpu_count()}
    return found | {"versions": versions(*packages)}


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of Python and `packages`."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def commit() -> str:
    """The commit of the checkout, with `-changed` where tracked files differ from it; `none` outside git."""
    call = ["git", "describe", "--always", "--dirty=-changed", "--abbrev=10"]
    try:
        return subprocess.run(call, cwd=RESULTS.parent, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "none"


def cpu() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
