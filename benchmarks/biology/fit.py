"""Fits of the pathway model from 20 starts with profile intervals: how often they hold the truth, and CPU seconds a fit.

python benchmarks/biology/fit.py MODEL [--sets 100] [--starts 20] [--out benchmarks/results/fit.json]

MODEL is pathway.xml. Data: RL, Xp, M and P at 12 times with normal noise (sd 3, 15, 1, 20); six rate constants are fitted between 1/30 and
30 times their values. A perfect interval of 95 % holds the truth in 95 % of all cases. One evaluation is value, gradient and information.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from sciml import files
from sciml.biology import fit, load_sbml, simulate_ode

FITTED = ("k1", "k4", "k6", "k9", "k10", "k11")
NOISE = {"RL": 3.0, "Xp": 15.0, "M": 1.0, "P": 20.0}
TIMES = np.array([0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 11, 15, 20])


def measure(model: str, sets: int, starts: int) -> dict[str, Any]:
    """Shares of intervals that hold the truth, by parameter and in all, and what it took."""
    net = load_sbml(model)
    exact, truth = simulate_ode(net, TIMES), {p.id: float(p.value or 0.0) for p in net.parameters}
    held, seconds, evaluations, agreeing = dict.fromkeys(FITTED, 0), [], 0, 0
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        data = {o: (TIMES, exact.select(o) + rng.normal(0, sd, len(TIMES)), sd) for o, sd in NOISE.items()}
        began = time.process_time()
        found = fit(net, data, parameters={id: (truth[id] / 30, truth[id] * 30) for id in FITTED}, starts=starts, seed=seed)
        seconds.append(time.process_time() - began)
        evaluations += found.evaluations
        agreeing += found.agreeing
        for id, profile in found.profiles.items():
            held[id] += profile.low <= truth[id] <= profile.high
    point = found.problem.objective.point(found.problem.values(dict(found.parameters)))
    began = time.process_time()
    for _ in range(200):
        found.problem.objective.at(point)
    return {
        "sets": sets,
        "starts": starts,
        "held": {id: count / sets for id, count in held.items()},
        "held_in_all": sum(held.values()) / (sets * len(FITTED)),
        "cpu_seconds_per_fit": {"first": seconds[0], "median": float(np.median(seconds))},
        "evaluations_per_fit": evaluations / sets,
        "cpu_milliseconds_per_evaluation": 1e3 * (time.process_time() - began) / 200,
        "starts_that_agree": agreeing / sets,
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fit.json"))
    options = parser.parse_args()
    found = measure(options.model, options.sets, options.starts)
    for name, value in found.items():
        print(f"{name}: {value}")
    files.write_json(options.out, found)


if __name__ == "__main__":
    main()
