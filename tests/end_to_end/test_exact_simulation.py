"""Exact simulation of the pathway as a user runs it, in processes of their own: bits, memory, and trajectories that never repeat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATHWAY = ROOT / "tests" / "data" / "sbml" / "pathway.xml"

BITS = """
import hashlib, json, sys
import numpy as np
from sciml.biology import load_sbml, simulate_ssa
net, times, n = load_sbml(sys.argv[1]), np.linspace(0, 10, 11), int(sys.argv[2])
found = {}
for count, threads in ((n, 1), (n, 2), (64, 1), (64, 2), (1, 1)):
    counts = simulate_ssa(net, times, n=count, seed=3, threads=threads).counts
    for part in (1, 64, n):
        if part <= count:
            found.setdefault(str(part), []).append(hashlib.sha256(counts[:part].tobytes()).hexdigest())
print(json.dumps(found))
"""

ENDS = """
import json, sys
from pathlib import Path
import numpy as np
from sciml.biology import load_sbml, simulate_ssa
def memory(what):
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what)) / 1024
net, n = load_sbml(sys.argv[1]), int(sys.argv[2])
for record in ("final", "moments"):
    simulate_ssa(net, [10.0], n=64, record=record)
before = memory("VmRSS:")
ends = simulate_ssa(net, [10.0], n=n, seed=4, record="final").counts[:, 0]
final = memory("VmHWM:") - before
moments = []
for count in (n // 20, n // 10):
    simulate_ssa(net, np.linspace(0, 10, 101), n=count, seed=4, record="moments", threads=2)
    moments.append(memory("VmHWM:") - before)
np.save(sys.argv[3], ends)
print(json.dumps({"final": final, "moments": moments[1], "growth": moments[1] - moments[0], "result": ends.nbytes / 2**20}))
"""


def run(script: str, *arguments: Any, **environment: str) -> dict[str, Any]:
    """What a script prints, run by a Python of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env={**os.environ, **environment})
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("n", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_bits_do_not_depend_on_threads_batch_or_cache(tmp_path, n, measured):
    """1 and 2 threads, the first 1 and 64 of n trajectories, alone and among all, with an empty cache and with what it then holds."""
    cold, warm = (run(BITS, PATHWAY, n, SCIML_CACHE=str(tmp_path / "cache"), SCIML_NUM_THREADS="2") for _ in range(2))
    assert cold == warm
    for digests in cold.values():
        assert len(set(digests)) == 1
    assert len({digests[0] for digests in cold.values()}) == len(cold) == 3
    measured(f"1 and 2 threads, batches of 1, 64, {n:,}, cold and warm cache", "equal bits", "equal bits")


def repeats(ends: np.ndarray) -> float:
    """z of equal ends: pairs within each of two halves against pairs of one from each, which no repeated trajectory is among.

    With p the law of an end: both have mean sum p^2; what they have in common cancels, and the variance of the difference is
    2 (sum p^2 - 2 sum p^3 + (sum p^2)^2) / N^2 for halves of N.
    """
    half = len(ends) // 2
    _, place = np.unique(ends[: 2 * half], axis=0, return_inverse=True)
    a, b = (np.bincount(part, minlength=place.max() + 1).astype(float) for part in (place.ravel()[:half], place.ravel()[half:]))
    within = sum((c * (c - 1)).sum() for c in (a, b)) / (2.0 * half * (half - 1))
    across = (a * b).sum() / half**2
    c, n = a + b, 2.0 * half
    second, third = (c * (c - 1)).sum() / (n * (n - 1)), (c * (c - 1) * (c - 2)).sum() / (n * (n - 1) * (n - 2))
    return float((within - across) / np.sqrt(2 * (second - 2 * third + second**2)) * half)


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("n", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_end_points_in_flat_memory_that_repeat_by_chance_alone(tmp_path, n, measured):
    """Memory grows by the result and a constant; equal end points come as often as independent halves say, |z| <= 4."""
    found = run(ENDS, PATHWAY, n, tmp_path / "ends.npy")
    ends = np.load(tmp_path / "ends.npy", allow_pickle=False)
    z, beside = repeats(ends), found["final"] - found["result"]
    measured(f"{n:,} end points: memory beside the result of {found['result']:.0f} MiB", f"+{beside:.0f} MiB", "flat")
    measured(f"{n // 10:,} trajectories for their moments: memory", f"+{found['moments']:.0f} MiB at most", "flat")
    measured("... of that beyond half of them", f"+{found['growth']:.0f} MiB", "flat")
    measured("equal end points among them: z against independent halves", f"{z:.2f}", "4")
    assert beside < 60 and found["growth"] < 60
    assert abs(z) <= 4
    assert len(np.unique(ends, axis=0)) > 1000  # the law is wide enough for repeats to be seen


def test_the_judge_sees_repeated_trajectories():
    random = np.random.default_rng(1)
    ends = random.poisson((30.0, 200.0, 50.0), size=(20_000, 3))
    assert abs(repeats(ends)) < 4
    ends[5000:6000] = ends[:1000]
    assert repeats(ends) > 4
