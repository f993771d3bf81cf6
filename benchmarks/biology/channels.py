"""Channel capacity: ours and dit's in one run, CPU time of one core, and the error of each against the certificate.

python benchmarks/biology/channels.py [--dit PYTHON] [--out FILE.json]

PYTHON: an interpreter of an environment with dit (`pip install dit`). Milliseconds are the least of repeated calls, imports excluded. The
error is bits less the middle of a bracket of 1e-10 bit. `large` channels are ours alone.
"""

from __future__ import annotations

import argparse
import inspect
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sciml import files
from sciml.biology import information as info

Array = np.ndarray


def noisy_hill(nx: int, ny: int) -> Array:
    """Doses over three decades, a Hill curve of exponent 2, Gaussian noise of 0.08."""
    dose = 10 ** (-1.5 + 3 * np.arange(nx) / (nx - 1))
    w = np.exp(-((((np.arange(ny) + 0.5) / ny - (dose**2 / (1 + dose**2))[:, None]) / 0.08) ** 2) / 2)
    return w / w.sum(1, keepdims=True)


CHANNELS = {
    "BSC 0.1": np.array([[0.9, 0.1], [0.1, 0.9]]),
    "BEC 0.1": np.array([[0.9, 0.1, 0], [0, 0.1, 0.9]]),
    "Z 0.5": np.array([[1, 0], [0.5, 0.5]]),
    "noisy Hill 20x20": noisy_hill(20, 20),
    "noisy Hill 100x50": noisy_hill(100, 50),
}
LARGE = {
    "noisy Hill 2000x500": noisy_hill(2000, 500),
    "random 2000x500": np.random.default_rng(0).dirichlet(np.full(500, 0.02), size=2000),
}


def least(run, most=2.0):  # type: ignore[no-untyped-def]
    """(seconds of the fastest call, what it gave); the peer runs this text too."""
    run()
    best = spent = 0.0
    for _ in range(1000):
        begin = time.process_time()
        found = run()
        took = time.process_time() - begin
        best, spent = min(best or took, took), spent + took
        if spent > most:
            break
    return best, found


DIT = (
    "import time\n"
    + inspect.getsource(least)
    + """
import json, sys
import dit, numpy as np
found = {}
for name, rows in json.load(open(sys.argv[1])).items():
    w = np.array(rows)
    seconds, (bits, _) = least(lambda: dit.algorithms.channel_capacity(w))
    found[name] = [1e3 * seconds, float(bits)]
print(json.dumps({"version": dit.__version__, "found": found}))
"""
)


def peer(python: str) -> dict[str, Any]:
    """{"version", "found": {channel: (ms, bits)}} of dit."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "channels.json"
        asked.write_text(json.dumps({name: w.tolist() for name, w in CHANNELS.items()}))
        answer = subprocess.run([python, "-c", DIT, str(asked)], capture_output=True, text=True, check=True, env={"OMP_NUM_THREADS": "1"})
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dit")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    theirs = peer(options.dit) if options.dit else {"version": None, "found": {}}
    rows = {}
    for name, w in (CHANNELS | LARGE).items():
        seconds, found = least(lambda w=w: info.capacity(w))
        tight = info.capacity(w, tolerance=1e-10)
        exact = 0.5 * (tight.lower + tight.upper)
        row = {"ms": 1e3 * seconds, "bits": found.bits, "error": found.bits - exact, "gap": found.upper - found.lower, "steps": found.steps}
        said = f"{name:>20}: {found.bits:.9f} bit, error {row['error']:+.0e}, gap {row['gap']:.0e}, {found.steps} steps, {row['ms']:.3g} ms"
        if name in theirs["found"]:
            ms, bits = theirs["found"][name]
            row |= {"dit_ms": ms, "dit_error": bits - exact, "times_faster": ms / row["ms"]}
            said += f" | dit {theirs['version']}: error {bits - exact:+.0e}, {ms:.3g} ms, ours {ms / row['ms']:.1f} times faster"
        rows[name] = row
        print(said, flush=True)
    if options.out:
        files.write_json(options.out, {"dit": theirs["version"], "channels": rows})


if __name__ == "__main__":
    main()
