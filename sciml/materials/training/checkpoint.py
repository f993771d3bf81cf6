"""Checkpoints: one file each, written whole or not at all, with a digest over every byte; the last two are kept.

Layout: a line `sciml-checkpoint 1 <sha256 of all that follows>`, a line with the length of the state, the state as JSON, the tensors
as safetensors.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from sciml import files
from sciml.errors import DataError

logger = logging.getLogger("sciml.materials.training")

MAGIC = b"sciml-checkpoint"
FORMAT = 1
KEPT = 2
STATE_LIMIT = 1 << 24
_NAME = re.compile(r"member-(\d+)-(\d{9}|final)\.ckpt")


@dataclass(frozen=True)
class Checkpoint:
    """State of one member's training: `state` is JSON-able, `tensors` maps names to tensors (any shape, kept bit for bit)."""

    state: dict[str, Any]
    tensors: dict[str, torch.Tensor]


def pack(checkpoint: Checkpoint) -> bytes:
    """The bytes of a checkpoint file."""
    text = json.dumps(checkpoint.state, sort_keys=True, allow_nan=False).encode()
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    body = f"{len(text)}\n".encode() + text + save(tensors)
    return MAGIC + f" {FORMAT} {files.digest(body)}\n".encode() + body


def unpack(data: bytes, name: str = "checkpoint") -> Checkpoint:
    """The checkpoint in `data`; the digest is checked before anything is parsed. `DataError` names the file and the fault."""
    head, newline, body = data.partition(b"\n")
    words = head.split(b" ")
    if not newline or len(words) != 3 or words[0] != MAGIC:
        raise DataError(f"{name}: not a checkpoint of sciml (its first line should read 'sciml-checkpoint {FORMAT} <digest>')")
    if words[1] != str(FORMAT).encode():
        raise DataError(f"{name}: checkpoint format {words[1][:20]!r}, this version reads format {FORMAT}")
    if files.digest(body) != words[2].decode("ascii", "replace"):
        raise DataError(f"{name}: the digest does not match, the file is damaged or cut off")
    length, _, rest = body.partition(b"\n")
    size = int(length)
    if size > STATE_LIMIT:
        raise DataError(f"{name}: {size} bytes of state, at most {STATE_LIMIT} are read")
    return Checkpoint(json.loads(rest[:size]), load(rest[size:]))


class CheckpointFolder:
    """The checkpoints of one run: `member-0-000000120.ckpt` while a member trains, `member-0-final.ckpt` once it is done."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, member: int, step: int, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint and remove all but the last two of this member."""
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / f"member-{member}-{step:09d}.ckpt"
        files.write_bytes(target, pack(checkpoint))
        for old in self._of(member)[:-KEPT]:
            old.unlink(missing_ok=True)
        return target

    def finish(self, member: int, checkpoint: Checkpoint) -> None:
        """Write the final state of a member and remove its intermediate checkpoints."""
        self.path.mkdir(parents=True, exist_ok=True)
        files.write_bytes(self.path / f"member-{member}-final.ckpt", pack(checkpoint))
        for old in self._of(member):
            old.unlink(missing_ok=True)

    def finished(self, member: int) -> Checkpoint | None:
        """The final state of a member, None where it is not there; a damaged one is treated as absent, with a warning."""
        return self._read(self.path / f"member-{member}-final.ckpt")

    def latest(self, member: int) -> Checkpoint | None:
        """The newest readable checkpoint of a member; damaged ones are named in a warning and skipped."""
        for path in reversed(self._of(member)):
            found = self._read(path)
            if found is not None:
                return found
        return None

    def _of(self, member: int) -> list[Path]:
        if not self.path.is_dir():
            return []
        matches = [(match, path) for path in self.path.iterdir() if (match := _NAME.fullmatch(path.name))]
        return sorted(path for match, path in matches if int(match[1]) == member and match[2] != "final")

    def _read(self, path: Path) -> Checkpoint | None:
        if not path.is_file():
            return None
        try:
            return unpack(path.read_bytes(), str(path))
        except DataError as error:
            logger.warning("%s; the checkpoint before it is used", error)
            return None
