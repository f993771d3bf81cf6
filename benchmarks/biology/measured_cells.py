"""Information in measured single cells: NF-kB after TNF, snapshot against trace; nine lac strains beside the published theory.

python benchmarks/biology/measured_cells.py [--nfkb data_nfkb.csv.gz] [--moments theory_MaxEnt_multi_prom_constraints.csv.gz] [--out FILE]

`--nfkb`: the table of the R package SLEMI (LGPL, not shipped). `--moments`: moments of the published theory of lac repression
(github.com/RPGroup-PBoC/chann_cap), to ask what an extra spread between cells, read off at the highest dose alone, does to its capacities.
The table is printed, the JSON is benchmarks/results/measured_cells.json; a part that is not asked for stays in it as it was.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import gamma

from sciml import files, resources
from sciml.biology import Channel
from sciml.biology import information as info

MINUTES = (0, 3, 21, 90, 120)
AFTER = MINUTES[1:]
REPRESSORS = {"HG104": 22, "RBS1027": 260, "RBS1L": 1740}
STRAINS = [f"{operator}-{strain}" for operator in ("O1", "O2", "O3") for strain in REPRESSORS]


def told(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Capacity and bits at equal doses, with intervals, and CPU seconds."""
    began = time.process_time()
    found = info.capacity_from_data(x, y)
    row = {"bits": found.bits, "low": found.low, "high": found.high, "equal": found.bits_equal, "equal_low": found.equal_low}
    row |= {"equal_high": found.equal_high, "baseline": found.baseline, "cells": found.n, "input_law": found.p_x.tolist()}
    return row | {"cpu_s": time.process_time() - began}


def said(name: str, row: dict[str, Any], more: str = "") -> None:
    """One line."""
    capacity = f"capacity {row['bits']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    equal = f"equal doses {row['equal']:.3f} [{row['equal_low']:.3f}, {row['equal_high']:.3f}]"
    print(f"{name:>24}: {capacity}, {equal}, shuffled {row['baseline']:+.3f}, {row['cells']:,} cells{more}", flush=True)


def nfkb(path: Path) -> dict[str, Any]:
    """Each time, the trace after the dose, and how much more the trace tells, with an interval."""
    names = [f"response_{minute}" for minute in MINUTES]
    cells = Channel.from_table(path, dose="signal", readout=names, times=MINUTES, missing="drop")
    rows = {f"{minute} min": told(*cells.at(minute).samples) for minute in MINUTES}
    rows["3 to 120 min"] = told(*cells.at(AFTER).samples)
    for name, row in rows.items():
        said(f"NF-kB, {name}", row)
    alone = Channel.from_table(path, dose="signal", readout="response_21", missing="drop")
    rows["21 min, all cells"] = told(*alone.samples)
    said("NF-kB, 21 min, all cells", rows["21 min, all cells"])
    sampled = info.mutual_information(*alone.samples)
    print(f"{'doses as sampled':>24}: {sampled.sentence()}", flush=True)
    more: dict[str, Any] = {"sampled_21": {"bits": sampled.bits, "low": sampled.low, "high": sampled.high}}
    for key in ("bits", "equal"):  # the same cells: their errors go together, so that this interval is too wide rather than too narrow
        ends = ("low", "high") if key == "bits" else ("equal_low", "equal_high")
        gain = rows["3 to 120 min"][key] - rows["21 min"][key]
        half = 0.5 * float(np.hypot(*(rows[name][ends[1]] - rows[name][ends[0]] for name in ("3 to 120 min", "21 min"))))
        more[f"gain_{key}"] = {"bits": gain, "low": gain - half, "high": gain + half}
        print(f"{'trace less 21 min, ' + key:>24}: {gain:.3f} [{gain - half:.3f}, {gain + half:.3f}]", flush=True)
    return rows | more


def lac(moments: Path | None) -> dict[str, Any]:
    """The nine strains; with `moments` also what the theory gives with the spread of the cells at the highest dose."""
    laws = theory(moments) if moments else {}
    rows: dict[str, Any] = {}
    for strain in STRAINS:
        channel = Channel.from_dataset("lac-cells", strain)
        x, y = channel.samples
        row = told(x, y) | {"theory": channel.published_bits}
        top = y[x == x.max()]
        row["spread"] = float(top.std(ddof=1) / top.mean())
        row |= controls(strain)
        if strain in laws:
            mean, spread = laws[strain]
            row["theory_spread"] = float(spread[-1])
            extra = max(row["spread"] ** 2 - spread[-1] ** 2, 0.0)
            row["gamma"], row["gamma_with_spread"] = gamma_capacity(mean, spread), gamma_capacity(mean, np.sqrt(spread**2 + extra))
        more = f", theory {row['theory']:.3f}, spread at 5 mM {row['spread']:.2f}, without repressor {row['unrepressed_spread']:.2f}"
        if "gamma" in row:
            more += (
                f" (theory {row['theory_spread']:.2f}; gamma laws of it {row['gamma']:.3f}, with the spread {row['gamma_with_spread']:.3f})"
            )
        rows[strain] = row
        said(strain, row, more)
    return rows


def controls(strain: str) -> dict[str, float]:
    """Coefficient of variation of the day's cells without repressor, and sd over mean signal of those without a fluorescent protein."""
    path = resources.find("datasets") / "lac-cells" / f"{strain}.csv.gz"
    kinds = Channel.from_table(path, dose="strain", readout="mean_intensity", categories=True)
    x, y = kinds.samples
    dark, full = y[x == "auto"], y[x == "delta"]
    signal = full.mean() - dark.mean()
    return {"unrepressed_spread": float(full.std(ddof=1) / signal), "background_spread": float(dark.std(ddof=1) / signal)}


def theory(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and coefficient of variation of the proteins at each dose, by strain."""
    with gzip.open(path, "rt", encoding="utf-8") as text:
        table = list(csv.DictReader(text))
    found = {}
    for strain in STRAINS:
        operator, _, own = strain.partition("-")
        rows = [r for r in table if r["operator"] == operator and round(float(r["repressor"])) == REPRESSORS[own]]
        by_dose = {float(r["inducer_uM"]): (float(r["m0p1"]), float(r["m0p2"])) for r in rows}
        mean, square = np.array([by_dose[dose] for dose in sorted(by_dose)]).T
        found[strain] = mean, np.sqrt(square / mean**2 - 1)
    return found


def gamma_capacity(mean: np.ndarray, spread: np.ndarray) -> float:
    """Capacity in bits of gamma laws with these means [k] and coefficients of variation [k], on 400 bins."""
    edges = np.r_[0, np.geomspace(0.5, 1e5, 400), np.inf]
    law = np.diff(gamma.cdf(edges, 1 / spread[:, None] ** 2, scale=(mean * spread**2)[:, None]), axis=1)
    return info.capacity(law, tolerance=1e-6).bits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nfkb", type=Path)
    parser.add_argument("--moments", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/measured_cells.json"))
    options = parser.parse_args()
    found = json.loads(options.out.read_text("utf-8")) if options.out.exists() else {}
    if options.nfkb:
        found["nfkb"] = nfkb(options.nfkb)
    if options.moments or not options.nfkb:
        found["lac"] = lac(options.moments)
    files.write_json(options.out, found)


if __name__ == "__main__":
    main()
