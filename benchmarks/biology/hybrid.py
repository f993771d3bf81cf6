"""The hybrid method beside the exact one, tau-leaping and the Langevin equation on a bursting gene: CPU seconds and moments, one thread.

python benchmarks/biology/hybrid.py [--out benchmarks/results/hybrid.json]

Promoter rates 0.001 and 0.01 a second, mRNA of half-life 5 min and mean 10, 20 or 50, proteins of half-life 1 h and mean 1e3 to 1e6; with
feedback they close the promoter (Hill, exponent 2). Ten hours at 101 times, per 1,000 trajectories (others run fewer and are scaled), the
least of 3 repetitions.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sciml import files
from sciml.biology import Network, Reaction, simulate_hybrid, simulate_langevin, simulate_ssa, simulate_tau
from sciml.biology.network import Units

TIMES = np.linspace(0.0, 36_000.0, 101)
CASES = [(m, 1e5, feedback) for m in (10, 20, 50) for feedback in (False, True)] + [(20, p, False) for p in (1e3, 1e4, 1e6)]


def gene(mrna: float, proteins: float, feedback: bool) -> Network:
    """The gene, begun at its means."""
    g, d, parse = np.log(2) / 300, np.log(2) / 3600, Reaction.parse
    values = {"k": mrna * g * 11, "g": g, "make": proteins * d / mrna, "d": d, "K": proteins}
    opens = parse("open", "Off -> On", law="0.002 * Off / (1 + (P / K)^2)") if feedback else parse("open", "Off -> On", rate=0.001)
    reactions = [
        opens, parse("close", "On -> Off", rate=0.01), parse("transcribe", "On -> On + M", rate="k"), parse("degrade", "M ->", rate="g"),
        parse("translate", "M -> M + P", rate="make"), parse("dilute", "P ->", rate="d"),
    ]  # fmt: skip
    species = {"Off": 1, "On": 0, "M": mrna, "P": proteins}
    return Network("gene", species=species, parameters=values, reactions=reactions, units=Units(substance="item"))


def measured(simulate: Callable[..., Any], net: Network, n: int) -> dict[str, Any]:
    """Seconds per 1,000 trajectories, mean and standard deviation of the proteins at the end."""
    simulate(net, TIMES, n=2, threads=1)
    best = np.inf
    for seed in range(3):
        start = time.process_time()
        found = simulate(net, TIMES, n=n, seed=seed, threads=1)
        best = min(best, time.process_time() - start)
    end = found.amounts[:, -1, 3]
    return {"seconds": best / n * 1000, "kernel": found.kernel, "mean": float(end.mean()), "std": float(end.std(ddof=1))}


def main() -> None:
    """Measure and print; write JSON where that is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    out, rows = parser.parse_args().out, []
    logging.disable(logging.WARNING)
    for mrna, proteins, feedback in CASES:
        net = gene(mrna, proteins, feedback)
        found = {
            "hybrid": measured(simulate_hybrid, net, 1000),
            "exact": measured(simulate_ssa, net, int(np.clip(2.56e7 / proteins, 64, 1000))),
        }
        if mrna == 20 and proteins == 1e5:
            found |= {"tau": measured(simulate_tau, net, 100), "langevin": measured(simulate_langevin, net, 100)}
        times = found["exact"]["seconds"] / found["hybrid"]["seconds"]
        rows.append({"mrna": mrna, "proteins": proteins, "feedback": feedback, "times_faster": times, **found})
        print(f"mRNA {mrna}, proteins {proteins:g}{', feedback' if feedback else ''}: {times:.1f} times the exact method")
        for name, row in found.items():
            print(f"    {name} ({row['kernel']}): {row['seconds']:.3f} s, proteins {row['mean']:.0f} +- {row['std']:.0f}", flush=True)
    if out:
        files.write_json(out, rows)


if __name__ == "__main__":
    main()
