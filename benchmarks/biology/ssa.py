"""Exact simulation beside COPASI's raw bindings: CPU nanoseconds a reaction, one thread, start-up excluded, both in one run.

python benchmarks/biology/ssa.py --models DIR [--peer-python PYTHON] [--out benchmarks/results/ssa.json]

DIR holds birth_death.xml, telegraph.xml, pathway.xml and cascade.xml. 1,000 trajectories at 101 times each (the peer: 60 and scaled), the
least of 5 repetitions; reactions are counted by the double kernel. The peer runs in an environment of its own with python-copasi.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from sciml import files
from sciml.biology import load_sbml, simulate_ssa
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.scalar_runs import ScalarRuns

ENDS = {"birth_death": 100.0, "telegraph": 20.0, "pathway": 10.0, "cascade": 10.0}
PEER = """
import sys, time, json
import COPASI
path, end, n = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
model = COPASI.CRootContainer.addDatamodel()
assert model.importSBML(path)
task = model.getTask("Time-Course")
task.setMethodType(COPASI.CTaskEnum.Method_directMethod)
problem = task.getProblem()
problem.setDuration(end); problem.setStepNumber(100); problem.setTimeSeriesRequested(True)
method = task.getMethod()
method.getParameter("Use Random Seed").setBoolValue(True)
def run(seed):
    method.getParameter("Random Seed").setUIntValue(seed)
    assert task.processWithOutputFlags(True, COPASI.CCopasiTask.ONLY_TIME_SERIES)
    series = task.getTimeSeries()
    steps, variables = series.getRecordedSteps(), series.getNumVariables()
    return [[series.getData(i, j) for j in range(variables)] for i in range(steps)]
run(1)
start = time.process_time()
rows = [run(seed + 2)[-1] for seed in range(n)]
print(json.dumps({"seconds": (time.process_time() - start) / n, "end": [sum(c) / n for c in zip(*rows)]}))
"""


def reactions(net: Any, times: np.ndarray, n: int = 500) -> float:
    """Reactions of one trajectory in the mean, counted."""
    molecules = in_molecules(net, n, 1)
    runs = ScalarRuns(molecules.jumps, times, 1, False)
    out, done = np.zeros((n, len(times), molecules.start.shape[1]), dtype=np.int64), np.zeros(n, dtype=np.uint8)
    return runs.run(0, molecules.start, molecules.parameters, 0, out, done, np.zeros(2, dtype=np.int64)) / n


def measured(path: Path, end: float, peer: str | None) -> dict[str, Any]:
    """Figures of one model."""
    net, times, best = load_sbml(path), np.linspace(0.0, end, 101), np.inf
    events = reactions(net, times)
    simulate_ssa(net, times, n=64, threads=1)
    for seed in range(5):
        start = time.process_time()
        ensemble = simulate_ssa(net, times, n=1000, seed=seed, threads=1)
        best = min(best, time.process_time() - start)
    row = {"events": events, "seconds": best, "ns": best / (1000 * events) * 1e9, "kernel": ensemble.kernel}
    if peer:
        done = subprocess.run([peer, "-c", PEER, str(path), str(end), "60"], capture_output=True, text=True, check=True)
        seconds = json.loads(done.stdout.splitlines()[-1])["seconds"]
        row |= {"peer_seconds": 1000 * seconds, "peer_ns": seconds / events * 1e9, "times_faster": 1000 * seconds / best}
    return row


def main() -> None:
    """Measure and print; write JSON where that is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--peer-python")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = {}
    for name, end in ENDS.items():
        rows[name] = row = measured(options.models / f"{name}.xml", end, options.peer_python)
        beside = f", COPASI {row['peer_ns']:.0f}: {row['times_faster']:.0f} times" if options.peer_python else ""
        print(f"{name}: {row['seconds']:.4f} s, {row['events']:.0f} reactions, {row['ns']:.2f} ns a reaction ({row['kernel']}){beside}")
    if options.out:
        files.write_json(options.out, rows)


if __name__ == "__main__":
    main()
