"""Efficiency of cells that count ligand: enumerated, and from simulated cells with intervals.

python benchmarks/biology/cell_efficiency.py [--cells 30] [--sets 20] [--out FILE.json]

ln L on 120 points in [-3.5, 3.5], ln L given E normal(+-0.8, 0.7), p(E) = 1/2, S ~ Poisson(N L^h / (L^h + K^h) + 0.1) cut at
N + 6 sqrt(N) + 10. A set is `cells` cells at each of the 120 doses; z is the distance from the enumerated efficiency in standard errors.
FILE is written after each row.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sciml import biology as bio
from sciml import files
from sciml.biology.cell import hill_readout

LOG_LIGAND = np.linspace(-3.5, 3.5, 120)
P_E = [0.5, 0.5]
ROWS = {(1, 1, 5): 0.877, (1, 1, 50): 0.920, (1, 2, 50): 0.975, (1, 4, 50): 0.982, (3, 2, 50): 0.957, (1, 2, 500): 0.997}
"""(half point K, Hill coefficient h, copies N): efficiency to three digits."""


def environments() -> np.ndarray:
    """p(L|E) [2, 120]."""
    given = np.array([np.exp(-0.5 * ((LOG_LIGAND - mean) / 0.7) ** 2) for mean in (-0.8, 0.8)])
    return given / given.sum(axis=1, keepdims=True)


def measured(row: tuple[int, int, int], cells: int, sets: int) -> dict[str, Any]:
    """Of one row: enumerated bracket, and bias, rms z, intervals that hold the truth and CPU seconds of the simulated sets."""
    half_point, hill, copies = row
    law = hill_readout(np.exp(LOG_LIGAND), hill, half_point, copies)
    exact = bio.cell_efficiency(P_E, environments(), bio.Channel.from_matrix(law))
    truth, errors, scores, held, begin = exact.efficiency, [], [], 0, time.process_time()
    for seed in range(sets):
        rng = np.random.default_rng([seed, *row])
        response = np.concatenate([rng.choice(law.shape[1], size=cells, p=p) for p in law])
        table = pd.DataFrame({"dose": np.repeat(LOG_LIGAND, cells), "response": response})
        found = bio.cell_efficiency(P_E, environments(), bio.Channel.from_table(table), seed=seed)
        errors.append(found.efficiency - truth)
        scores.append((found.efficiency - truth) / found.efficiency_error)
        held += found.efficiency_low <= truth <= found.efficiency_high
    return {
        "table": ROWS[row], "low": exact.efficiency_low, "high": exact.efficiency_high, "bias": float(np.mean(errors)),
        "sd": float(np.std(errors, ddof=1)), "rms_z": float(np.sqrt(np.mean(np.square(scores)))), "held": held, "sets": sets,
        "seconds": (time.process_time() - begin) / sets,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=30, help="cells a dose")
    parser.add_argument("--sets", type=int, default=20, help="simulated sets a row, two or more")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = {}
    for row in ROWS:
        found = measured(row, options.cells, options.sets)
        rows["K {}, h {}, N {}".format(*row)] = found
        print(
            f"K {row[0]}, h {row[1]}, N {row[2]:3d}: enumerated {found['low']:.4f} to {found['high']:.4f} ({found['table']}), simulated "
            f"bias {found['bias']:+.4f} (sd {found['sd']:.4f}, rms z {found['rms_z']:.2f}), held by {found['held']} of {found['sets']}, "
            f"{found['seconds']:.1f} s",
            flush=True,
        )
        if options.out:
            files.write_json(options.out, rows)


if __name__ == "__main__":
    main()
