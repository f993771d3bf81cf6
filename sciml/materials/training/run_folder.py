"""The folder of one run: who may use it, what it was asked to do, how far it is.

config.json            all that the weights depend on; a resumed run must ask for the same
census.json            labels of the training set, counted
budget.json            the number of steps, and how it was found
learning_curve.jsonl   one line at each validation, of all members
checkpoints/           state of members that train, final state of those that are done
failure/               structures and weights of a step that gave NaN
model/                 the potential
metrics.json           errors on validation and test set, with intervals
parity-*.parquet       labels and predictions of the test set
manifest.json          versions, seed, digests
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sciml import files
from sciml.errors import ConfigError
from sciml.materials.training.checkpoint import CheckpointFolder

CONFIG = "config.json"
_WAIT_SECONDS = 600.0


def begun(path: str | Path) -> bool:
    """Whether a run was begun in a folder: its configuration is there, or, where it was killed before that, the file of its lock."""
    return any((Path(path) / name).is_file() for name in (CONFIG, ".lock"))


class RunFolder:
    """Paths of a run, and what is read from and written to them; where `writes` is False (further processes) nothing is written."""

    def __init__(self, path: str | Path, *, writes: bool = True) -> None:
        self.path, self.writes = Path(path), writes
        self.model, self.failure = self.path / "model", self.path / "failure"
        self.checkpoints = CheckpointFolder(self.path / "checkpoints")

    @contextlib.contextmanager
    def held(self, resume: bool) -> Iterator[None]:
        """Hold the folder for this run. ConfigError where it is in use, holds something and `resume` is not set, or no run was begun there
        and it is set.
        """
        if not self.writes:
            yield
            return
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError(f"out: {self.path} is a file; give a folder")
        found = [entry.name for entry in self.path.iterdir() if not entry.name.startswith(".")] if self.path.is_dir() else []
        if found and not resume:
            hint = "give another folder, or resume=True to go on with that run"
            raise ConfigError(f"out: {self.path} is not empty (it holds {found[0]!r}); {hint}")
        if resume and not begun(self.path):
            raise ConfigError(f"out: nothing to resume in {self.path}; leave out resume=True to start")
        with files.lock(self.path):
            yield

    def settle_config(self, config: dict[str, Any]) -> None:
        """Record the configuration, or compare it with the recorded one. ConfigError lists every field that differs."""
        place = self.path / CONFIG
        config = json.loads(json.dumps(config))
        if place.is_file():
            differences = list(_differences(files.read_json(place), config))
            if differences:
                raise ConfigError(f"out: {self.path} was begun with another configuration: {'; '.join(differences)}")
        elif self.writes:
            files.write_json(place, config)

    def write_json(self, name: str, values: Any) -> None:
        """Write a JSON file of the run."""
        if self.writes:
            files.write_json(self.path / name, values)

    def budget(self) -> dict[str, Any] | None:
        """The recorded budget; further processes wait for the first one to write it."""
        place, end = self.path / "budget.json", time.monotonic() + _WAIT_SECONDS
        while not self.writes and not place.is_file() and time.monotonic() < end:
            time.sleep(0.05)
        return dict(files.read_json(place)) if place.is_file() else None

    def append_curve(self, line: dict[str, Any]) -> None:
        """Add a line to the learning curve."""
        if self.writes:
            files.append_line(self.path / "learning_curve.jsonl", json.dumps(line, allow_nan=False))

    def curve(self) -> list[dict[str, Any]]:
        """The learning curve so far."""
        place = self.path / "learning_curve.jsonl"
        return [json.loads(line) for line in files.read_lines(place)] if place.is_file() else []

    def cut_curve(self, member: int, step: int) -> None:
        """Drop lines of a member after `step`, which a resumed run will write again, and of later members."""
        lines = self.curve()
        kept = [line for line in lines if (line["member"], line["step"]) <= (member, step)]
        if self.writes and len(kept) < len(lines):
            files.write_text(self.path / "learning_curve.jsonl", "".join(json.dumps(line) + "\n" for line in kept))


def _differences(old: Any, new: Any, name: str = "") -> Iterator[str]:
    """Every field that differs, in words."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{name}.{key}" if name else str(key))
    elif old != new:
        yield f"{name}: {old!r} there, {new!r} now"
