"""Training from a large file as a program of its own: `python large_file.py FOLDER MEGABYTES` writes the file and trains.

The last line is JSON: peak memory in MiB of this process and of the largest child, structures, seconds to the first step.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

TINY = {"l_max": 1, "channels": 4, "radial": 3, "hidden": 4, "message_l_max": 1}


def write(path: Path, megabytes: float) -> None:
    """Frames of 64 copper atoms with made-up labels until the file is large enough; every frame is another one."""
    generator = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3) * 2.6
    head = 'Lattice="10.4 0 0 0 10.4 0 0 0 10.4" Properties=species:S:1:pos:R:3:forces:R:3 energy={:.8f} stress="{}" pbc="T T T"'
    size = 0
    with path.open("w") as file:
        while size < 1e6 * megabytes:
            values = np.concatenate([grid + generator.normal(0, 0.1, grid.shape), generator.normal(0, 1, grid.shape)], 1)
            stress = " ".join(f"{value:.8f}" for value in generator.normal(0, 0.01, 9)[[0, 1, 2, 1, 4, 5, 2, 5, 8]])
            rows = "\n".join("Cu " + " ".join(f"{value:.10f}" for value in row) for row in values)
            text = f"64\n{head.format(-200 + generator.normal(), stress)}\n{rows}\n"
            size += file.write(text)


def own_peak() -> float:
    """Peak memory of this process in MiB. `ru_maxrss` would count what its parent held when it was started."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder: Path, megabytes: float) -> None:
    """Write, train for a few steps, report."""
    from sciml.materials.training import sets, train_potential

    path = folder / f"train-{megabytes:g}.extxyz"
    if not path.exists():
        write(path, megabytes)
    sets.STREAM_MB = 1
    begun = time.monotonic()
    train_potential(path, steps=50, model_options=TINY, cutoff_A=4.0, out=folder / f"run-{megabytes:g}", recipe={"validations": 1})
    census = json.loads((folder / f"run-{megabytes:g}" / "census.json").read_text())
    own, child = own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sys.stdout.write(
        json.dumps({"own_MiB": own, "child_MiB": child, "structures": census["structures"], "seconds": time.monotonic() - begun}) + "\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
