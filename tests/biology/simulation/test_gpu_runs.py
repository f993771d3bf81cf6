"""The GPU kernel: on numba's simulator of the kernel language here, on a GPU where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.errors import ConfigError

NET = Network(
    "pairs",
    species={"A": 5, "B": 0},
    parameters={"k": 6.0, "g": 1.0},
    reactions=[
        Reaction.parse("in", " -> A", rate="k"),
        Reaction.parse("out", "A -> B", rate="g"),
        Reaction.parse("pair", "2 B -> ", rate="g"),
    ],
)
TIMES = [1.0, 0.0, 0.5]
CHILD = """
import json, sys
from tests.biology.simulation.test_gpu_runs import NET, TIMES, simulate_ssa
run = simulate_ssa(NET, TIMES, n=120, seed=5, device="cuda")
few = simulate_ssa(NET, TIMES, n=7, seed=5, device="cuda")
end = simulate_ssa(NET.set(k=0.0, A=3), [50.0], n=5, seed=1, device="cuda", record="final")
print(json.dumps({"counts": run.counts.tolist(), "few": few.counts.tolist(), "kernel": run.kernel, "end": end.counts.tolist()}))
"""


def judge(counts: np.ndarray) -> None:
    """Against the CPU by two-sample tests; p above 1e-4 for four of them."""
    cpu = simulate_ssa(NET, TIMES, n=20_000, seed=9).counts
    assert (counts[:, 1] == [5, 0]).all()
    for time in (0, 2):
        for species in (0, 1):
            assert stats.ks_2samp(counts[:, time, species], cpu[:, time, species]).pvalue > 1e-4


def test_on_the_simulator_of_the_kernel_language():
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    counts = np.array(found["counts"])
    assert found["kernel"] == "threads64" and (np.array(found["few"]) == counts[:7]).all()
    assert (np.array(found["end"])[:, 0, 0] == 0).all() and (np.array(found["end"])[:, 0, 1] <= 1).all()  # extinct, an odd one may be left
    judge(counts)


def test_without_a_gpu_it_is_said():
    from numba import cuda

    if cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="no CUDA device is seen here"):
        simulate_ssa(NET, TIMES, n=5, device="cuda")
    with pytest.raises(ConfigError, match="expected 'cpu' or 'cuda'"):
        simulate_ssa(NET, TIMES, n=5, device="gpu")


@pytest.mark.gpu
def test_on_a_gpu(measured):
    import time

    judge(simulate_ssa(NET, TIMES, n=20_000, seed=5, device="cuda").counts)
    start = time.perf_counter()
    run = simulate_ssa(NET.set(k=6000.0), [10.0], n=100_000, seed=5, device="cuda", record="final")
    measured("events a second on a GPU", run.counts.shape[0] * 150_000 / (time.perf_counter() - start))
