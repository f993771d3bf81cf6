"""CPU time and measured error of deterministic runs, ours and a peer's, on SBML files.

python benchmarks/biology/ode.py MODEL.xml [--end 10] [--peer-python PATH-to-a-python-with-libroadrunner]

The error is the largest |x - r| / (1e-5 |r| + 1e-9 max |r|) over species and 101 times, r our run at rtol 1e-12.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import time

import numpy as np

from sciml import biology as bio

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-8)
REPETITIONS = 20
PEER = """
import gzip, json, sys, time
import numpy as np, roadrunner
path, end, species, tolerances, repetitions = json.loads(sys.argv[1])
text = (gzip.open if path.endswith(".gz") else open)(path, "rt").read()
rows = []
for tolerance in tolerances:
    run = roadrunner.RoadRunner(text)
    run.timeCourseSelections = ["time", *species]
    run.integrator.setValue("relative_tolerance", tolerance)
    run.integrator.setValue("absolute_tolerance", tolerance * 1e-3)
    run.integrator.setValue("maximum_num_steps", 1000000)
    run.simulate(0, end, 101)
    begin = time.process_time()
    for _ in range(repetitions):
        run.reset()
        found = np.array(run.simulate(0, end, 101))
    rows.append([tolerance, (time.process_time() - begin) / repetitions, found[:, 1:].tolist()])
print(json.dumps(rows))
"""


def error(found: np.ndarray, reference: np.ndarray) -> float:
    """In units of the tolerance of the acceptance table."""
    allowed = 1e-5 * np.abs(reference) + 1e-9 * np.abs(reference).max(axis=0)
    return float(np.max(np.abs(found - reference) / np.where(allowed > 0, allowed, 1.0)))


def ours(net: bio.Network, times: np.ndarray, columns: list[int], reference: np.ndarray) -> None:
    """One line per tolerance: default atol, and atol = rtol."""
    for tolerance in TOLERANCES:
        for atol in (None, tolerance):
            bio.simulate_ode(net, times, rtol=tolerance, atol=atol)
            begin = time.process_time()
            for _ in range(REPETITIONS):
                found = bio.simulate_ode(net, times, rtol=tolerance, atol=atol)
            seconds = (time.process_time() - begin) / REPETITIONS
            off = error(found.amounts[:, columns], reference)
            print(f"sciml        rtol {tolerance:g} atol {atol}: {1e3 * seconds:.3f} ms, error {off:.3g}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("model", type=pathlib.Path)
    options.add_argument("--end", type=float, default=10.0)
    options.add_argument("--peer-python")
    chosen = options.parse_args()
    net, times = bio.load_sbml(chosen.model), np.linspace(0, chosen.end, 101)
    species = [s.id for s in net.species if not (s.boundary or s.constant)]
    tight = bio.simulate_ode(net, times, rtol=1e-12)
    columns = [tight.species.index(id) for id in species]
    reference = tight.amounts[:, columns]
    ours(net, times, columns, reference)
    if chosen.peer_python:
        task = json.dumps([str(chosen.model), chosen.end, species, TOLERANCES, REPETITIONS])
        reply = subprocess.run([chosen.peer_python, "-W", "ignore", "-c", PEER, task], capture_output=True, text=True, check=True)
        for tolerance, seconds, found in json.loads(reply.stdout.splitlines()[-1]):
            print(f"libroadrunner rtol {tolerance:g}: {1e3 * seconds:.3f} ms, error {error(np.array(found), reference):.3g}")


if __name__ == "__main__":
    main()
