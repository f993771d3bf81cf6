"""One training run as a program of its own, to be killed by the tests: `python interrupted.py OUT STEPS [die-in-write N]`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from sciml.materials.training import train_potential
from sciml.materials.training.run_folder import begun
from tests.materials.training.conftest import TINY, copper


def die_in_write(after: int) -> None:
    """Kill this process between the writing and the renaming of its `after`-th checkpoint."""
    rename, seen = os.replace, []

    def replace(source: str, target: str) -> None:
        seen.append(1) if str(target).endswith(".ckpt") else None
        if len(seen) >= after:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)

    os.replace = replace


def run(out: str, steps: int, **options) -> None:
    """The run that is interrupted and the one that is not."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train_potential(copper(24), steps=steps, model_options=TINY, out=out, resume=begun(out), checkpoint_seconds=0.1, **options)
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    if "die-in-write" in sys.argv:
        die_in_write(int(sys.argv[-1]))
    try:
        run(sys.argv[1], int(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(130)
