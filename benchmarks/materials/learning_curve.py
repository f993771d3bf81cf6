"""Learning curves on silicon: force error against the number of structures, invariant model and equivariant one of degree 1 to 3.

    python benchmarks/materials/learning_curve.py [--steps 1500] [--only MODEL] [--runs runs/learning_curve]

48 runs of one thread: 4 models; 25, 50, 100 and 214 structures of mlearn-si; 3 seeds; the same number of steps each. A seed draws one order
of the structures in which every beginning holds each group in its share, so that its sets are nested; a tenth of a set is validated on.
Errors are those of the 25 test structures.

Start it once for each core, about two hours of one in all: processes with the same --runs take the next run that nobody does. A finished
run is one line of learning_curve.jsonl; a script that was stopped goes on where it was. The last one fits log(error) = a + b log(n) over
the 12 runs of each model and writes learning_curve.json (slope b with its standard error) and learning_curve.html. The sets of a seed are
nested, so that their errors are less independent than the standard error takes them for.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from filelock import FileLock, Timeout
from matplotlib import rc_context
from matplotlib.figure import Figure
from origin import RESULTS, commit, origin
from scipy.stats import linregress

from sciml import files
from sciml import materials as mat
from sciml.devices import set_threads
from sciml.materials.training.run_folder import begun
from sciml.seeding import numpy_generator

MODELS: dict[str, tuple[str, dict[str, int]]] = {
    "invariant": ("invariant", {}),
    "equivariant-3": ("equivariant", {"l_max": 3}),
    "equivariant-2": ("equivariant", {"l_max": 2}),
    "equivariant-1": ("equivariant", {"l_max": 1}),
}
SIZES, SEEDS = (25, 50, 100, 214), (0, 1, 2)
RECIPE = {"validations": 10}
Rows = list[dict[str, Any]]


class Run(NamedTuple):
    """One training: what makes it another one."""

    model: str
    n: int
    seed: int
    steps: int


def drawn(structures: Sequence[Atoms], n: int, seed: int) -> list[Atoms]:
    """The first `n` structures of the seed's order, in which each group is spread evenly."""
    generator, place = numpy_generator(seed, "learning curve"), np.empty(len(structures))
    groups = np.array([atoms.info["group"] for atoms in structures])
    for group in np.unique(groups):
        rows = generator.permutation(np.flatnonzero(groups == group))
        place[rows] = (np.arange(len(rows)) + generator.random()) / len(rows)
    return [structures[i] for i in np.argsort(place)[:n]]


def errors(potential: mat.Potential, test: Sequence[Atoms]) -> dict[str, float]:
    """Force RMSE in eV/A over components, energy MAE in meV/atom over structures."""
    found = potential.predict(test, device="cpu")
    force = np.concatenate([p.forces - a.get_forces() for p, a in zip(found, test, strict=True)])
    energy = np.array([(p.energy - a.get_potential_energy()) / len(a) for p, a in zip(found, test, strict=True)])
    return {"forces_rmse_eV_per_A": float(np.sqrt(np.mean(force**2))), "energy_mae_meV_per_atom": float(1e3 * np.mean(np.abs(energy)))}


def row_of(run: Run, structures: Sequence[Atoms], test: Sequence[Atoms], out: Path) -> dict[str, Any]:
    """Train in the folder `out`, going on there if it was begun, and measure."""
    start, (kind, options) = time.process_time(), MODELS[run.model]
    train = drawn(structures, run.n, run.seed)
    potential = mat.train_potential(
        train,
        model=kind,
        model_options=options,
        steps=run.steps,
        seed=run.seed,
        recipe=RECIPE,
        device="cpu",
        out=out,
        resume=begun(out),
        report=False,
        verbose=False,
    )
    groups = dict(sorted(Counter(atoms.info["group"] for atoms in train).items()))
    row = run._asdict() | errors(potential, test) | {"groups": groups}
    return row | {"cpu_seconds": round(time.process_time() - start, 1), "commit": commit()}


def rows_of(path: Path, steps: int) -> Rows:
    """Finished runs of this number of steps."""
    rows = [json.loads(line) for line in files.read_lines(path)] if path.is_file() else []
    return [row for row in rows if row["steps"] == steps]


def missing(path: Path, runs: Sequence[Run]) -> list[Run]:
    """Runs that have no row yet."""
    done = {tuple(row[name] for name in Run._fields) for row in rows_of(path, runs[0].steps)}
    return [run for run in runs if run not in done]


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Whether this process has the lock at `path` in the block; False at once where another one has it."""
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def work(runs: Sequence[Run], path: Path, folder: Path) -> None:
    """Do the runs that are missing and that no other process does."""
    structures, test = mat.load_dataset("mlearn-si", part="train"), mat.load_dataset("mlearn-si", part="test")
    folder.mkdir(parents=True, exist_ok=True)
    for run in runs:
        out = folder / "-".join(map(str, run))
        with claimed(folder / f".{out.name}.lock") as mine:
            if not mine or run not in missing(path, runs):
                continue
            row = row_of(run, structures, test, out)
            with FileLock(folder / ".rows.lock"):  # `append_line` is made for a file that one process writes
                files.append_line(path, json.dumps(row), durable=True)
            shutil.rmtree(out)
        print(f"{run.model:14} n {run.n:3} seed {run.seed}: {row['forces_rmse_eV_per_A']:.4f} eV/A, {row['cpu_seconds']:.0f} s", flush=True)


def fit_of(rows: Rows) -> dict[str, Any]:
    """Slope of log(force error) against log(n) with its standard error, and the geometric mean of the errors of each size."""
    n, error = (np.array([row[name] for row in rows], float) for name in ("n", "forces_rmse_eV_per_A"))
    fit = linregress(np.log(n), np.log(error))
    mean = {str(size): float(np.exp(np.log(error[n == size]).mean())) for size in SIZES}
    return {
        "slope": float(fit.slope),
        "slope_standard_error": float(fit.stderr),
        "intercept": float(fit.intercept),
        "runs": len(rows),
        "forces_rmse_eV_per_A": mean,
    }


def drawing(rows: Rows, fits: dict[str, dict[str, Any]]) -> str:
    """The page: runs as points, fits as lines, on logarithmic axes."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "learning curve", "font.size": 11}):
        figure = Figure(figsize=(8, 5.5), layout="constrained")
        axes = figure.subplots()
        for number, (name, fit) in enumerate(fits.items()):
            own, ends = [row for row in rows if row["model"] == name], np.array([min(SIZES), max(SIZES)], float)
            points = [row["n"] for row in own], [row["forces_rmse_eV_per_A"] for row in own]
            axes.plot(*points, "os^D"[number], color=f"C{number}", markersize=5, alpha=0.7)
            label = f"{name}: slope {fit['slope']:.2f} ± {fit['slope_standard_error']:.2f}"
            axes.plot(ends, np.exp(fit["intercept"]) * ends ** fit["slope"], color=f"C{number}", label=label)
        axes.set(xscale="log", yscale="log", xlabel="structures", ylabel="force RMSE on the test set (eV/Å)")
        axes.set_xticks(SIZES, labels=[str(n) for n in SIZES], minor=False)
        axes.minorticks_off()
        axes.set_yticks(ticks := [0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0], labels=[f"{tick:g}" for tick in ticks])
        errors_seen = [row["forces_rmse_eV_per_A"] for row in rows]
        axes.set_ylim(0.9 * min(errors_seen), 1.1 * max(errors_seen))
        axes.grid(alpha=0.3)
        axes.legend()
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    picture = text.getvalue()
    title = f"Learning curves on silicon, {rows[0]['steps']} steps each"
    style = "body{font-family:sans-serif;max-width:60rem;margin:2rem auto}svg{width:100%;height:auto}"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{style}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body><h1>{title}</h1>\n{picture[picture.index("<svg") :]}</body></html>\n'


def main() -> None:
    """Do the runs; when none is missing, fit and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--only", choices=list(MODELS), help="do the runs of one model")
    parser.add_argument("--runs", type=Path, default=Path("runs/learning_curve"), help="folder of runs that are not finished, and of locks")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for learning_curve.jsonl, .json and .html")
    options = parser.parse_args()
    set_threads(1)
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "learning_curve.jsonl"
    runs = [Run(model, n, seed, options.steps) for seed, model, n in product(SEEDS, MODELS, reversed(SIZES))]
    work([run for run in runs if options.only in (None, run.model)], path, options.runs)
    left = missing(path, runs)
    if left:
        print(f"{len(left)} of {len(runs)} runs are missing or still done by another process")
        return
    rows = sorted(rows_of(path, options.steps), key=lambda row: (list(MODELS).index(row["model"]), row["n"], row["seed"]))
    fits = {name: fit_of([row for row in rows if row["model"] == name]) for name in MODELS}
    for name, fit in fits.items():
        print(f"{name:14} slope {fit['slope']:.3f} +- {fit['slope_standard_error']:.3f}")
    facts = {"steps": options.steps, "recipe": RECIPE, "commits": sorted({row["commit"] for row in rows})}
    facts["cpu_seconds"] = round(sum(row["cpu_seconds"] for row in rows))
    found = {"origin": origin("sciml", "torch", "numpy"), **facts, "fits": fits}
    files.write_json(path.with_suffix(".json"), found)
    files.write_text(path.with_suffix(".html"), drawing(rows, fits))


if __name__ == "__main__":
    main()
