"""Trains the shipped potentials, one after the other or by name; a run that was stopped goes on where it was.

    python models/make.py [NAME ...] [--runs runs/shipped]

`si` and `cu` are the first members of their ensembles, that is, what one run with the seed below gives. Hyper-parameters are the defaults
of `train_potential` but for what is named below, chosen on a validation part of the training files; the test files are read once, at the
end. Each model folder has the log of its training.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ase import Atoms

from sciml import files
from sciml.devices import set_threads
from sciml.materials import Potential, load_dataset, train_potential
from sciml.materials.model_file import save_potential
from sciml.materials.training.evaluation import evaluate
from sciml.materials.training.run_folder import begun

HERE = Path(__file__).parent
SEED = 0
OPTIONS: dict[str, dict[str, Any]] = {
    "si": {"steps": 3000, "recipe": {"stress_weight": 0.03}},
    "cu": {"steps": 10_000, "cutoff_A": 4.0},
    "si-cu": {"steps": 6000, "recipe": {"energy_weight_late": 2.0, "stress_weight": 0.1, "batch_structures": 4}},
}
ORIGIN = (
    "Energies, forces and stresses of the mlearn benchmark (Zuo et al. 2020, doi:10.1021/acs.jpca.9b08723), PBE, VASP; see `datasets/`."
)


def structures(name: str, part: str) -> list[Atoms]:
    """Structures of the data sets that a model is trained on."""
    return [atoms for element in name.split("-") for atoms in load_dataset(f"mlearn-{element}", part=part)]


def ship(name: str, potential: Potential, metrics: dict[str, object], log: Path) -> None:
    """Write a model with its origin, errors and log."""
    potential.metadata.update(origin=ORIGIN, metrics=metrics)
    save_potential(potential, HERE / name)
    files.write_bytes(HERE / name / "learning_curve.jsonl", log.read_bytes())


def make(name: str, runs: Path) -> None:
    """Train `name` (and for one element its ensemble of four) and write it beside this file."""
    members, out = (1 if "-" in name else 4), runs / name
    test = structures(name, "test")
    options = {**OPTIONS[name], "ensemble": members, "seed": SEED, "device": "cpu"}
    potential = train_potential(structures(name, "train"), test=test, out=out, resume=begun(out), **options)
    curve = out / "learning_curve.jsonl"
    ship(name if members == 1 else f"{name}-ensemble", potential, files.read_json(out / "metrics.json"), curve)
    if members > 1:
        first = Potential(potential.members[:1], potential.references, pairs_seen=potential.pairs_seen, metadata=potential.metadata)
        validation = files.read_json(out / "metrics.json")["validation"][:1]
        pulay = potential.metadata["training"]["pulay_eV_per_atom"]
        errors = evaluate(first, [test], pulay_eV_per_atom=pulay, seed=SEED).metrics
        ship(name, first, {"test": errors, "validation": validation, "pulay_eV_per_atom": pulay}, curve)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(OPTIONS), help=f"of {', '.join(OPTIONS)}")
    parser.add_argument("--runs", type=Path, default=Path("runs/shipped"), help="folder of the training runs")
    options = parser.parse_args()
    set_threads(1)
    for name in options.names:
        if name not in OPTIONS:
            sys.exit(f"model {name!r}: right would be one of {', '.join(OPTIONS)}")
        make(name, options.runs)


if __name__ == "__main__":
    main()
