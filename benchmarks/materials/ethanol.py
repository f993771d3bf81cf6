"""Ethanol from 1,000 frames of rMD17 recomputed with PBE: errors of forces and of the total energy on 1,000 other frames.

    python benchmarks/materials/ethanol.py FOLDER [--minutes 30 | --steps N] [--out runs/ethanol] [--ensemble 1] [--seed 0] [--recipe JSON]
                                      [--fitted]

FOLDER holds train.xyz.gz and test_MD.xyz.gz (energies in eV of all electrons, forces in eV/A, open boundaries) and isolated_atoms.xyz.gz,
from the BOTNet data sets (github.com/davkovacs/BOTNet-datasets, MIT licence). A twentieth of the training frames is validated on; the test
frames are only looked at for copies of training frames, and predicted once, at the end. A run that was stopped goes on where it was.
Prints the errors and writes ethanol.json; energies are of the whole molecule.

isolated_atoms also has nitrogen, which no molecule has and the potential must not know.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from ase import Atoms
from origin import RESULTS, origin

from sciml import files
from sciml import materials as mat
from sciml.materials.labels import group_split
from sciml.materials.training.run_folder import begun

TRAIN, TEST, ISOLATED = "train.xyz.gz", "test_MD.xyz.gz", "isolated_atoms.xyz.gz"
VALID_FRACTION = 0.05


def lone_atoms(folder: Path, frames: list[Atoms]) -> list[Atoms]:
    """Isolated atoms of the elements of `frames`; empty without their file."""
    if not (folder / ISOLATED).is_file():
        return []
    elements = {number for atoms in frames for number in atoms.numbers.tolist()}
    return [atoms for atoms in mat.read_structures(folder / ISOLATED) if int(atoms.numbers[0]) in elements]


def errors(metrics: dict[str, Any], atoms_each: int) -> dict[str, Any]:
    """Errors of the test set in meV and meV/A, with 95 % intervals over frames; energies of whole molecules."""
    result: dict[str, Any] = {"frames": metrics["structures"]}
    for name, unit, factor in (("energy", "meV", atoms_each), ("forces", "meV_per_A", 1000.0)):  # found: meV an atom, eV/A
        for kind in ("mae", "rmse"):
            result[f"{name}_{kind}_{unit}"] = factor * metrics["all"][name][kind]
            result[f"{name}_{kind}_interval_{unit}"] = [factor * end for end in metrics["all"][name][f"{kind}_interval"]]
    return result


def main() -> None:
    """Train, test, print, write ethanol.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--steps", type=int, help="a number of steps in place of minutes")
    parser.add_argument("--out", type=Path, default=Path("runs/ethanol"), help="folder of the run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ensemble", type=int, default=1, help="members, whose mean is tested; each has the whole budget of steps")
    parser.add_argument("--recipe", type=json.loads, default={}, help="fields of the recipe as JSON")
    parser.add_argument("--fitted", action="store_true", help="reference energies by least squares, as if there were no isolated atoms")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for ethanol.json")
    options = parser.parse_args()

    frames, test = mat.read_structures(options.folder / TRAIN), mat.read_structures(options.folder / TEST)
    (atoms_each,) = {len(atoms) for atoms in test}
    lone = [] if options.fitted else lone_atoms(options.folder, frames)
    split = group_split(frames, VALID_FRACTION, options.seed)
    train, valid = ([frames[i] for i in rows] for rows in (split.train, split.valid))
    budget = {"minutes": options.minutes} if options.steps is None else {"steps": options.steps}
    potential = mat.train_potential(
        [*lone, *train],
        valid,
        test=test,
        recipe=options.recipe,
        seed=options.seed,
        ensemble=options.ensemble,
        device="cpu",
        out=options.out,
        resume=begun(options.out),
        **budget,
    )
    metrics, settled = (files.read_json(options.out / f"{name}.json") for name in ("metrics", "budget"))
    found = {
        "origin": origin("sciml", "torch", "numpy", "ase"),
        "data": {name: files.digest(options.folder / name) for name in (TRAIN, TEST)},
        "frames": {"train": len(train), "valid": len(valid), "lone_atoms": len(lone)},
        "budget": settled | {"threads": torch.get_num_threads()},
        "recipe": potential.metadata["training"]["recipe"],
        "units_of_the_loss": potential.metadata["training"]["spread"],
        "model": potential.members[0].settings()["model"],
        "references": potential.references.to_dict()["elements"],
        "seed": options.seed,
        "ensemble": options.ensemble,
        "validation": metrics["validation"],
        "test": errors(metrics["test"], atoms_each),
    }
    print(f"{settled['steps']} steps; references: {', '.join(sorted({e['origin'] for e in found['references'].values()}))}")
    print(f"force MAE {found['test']['forces_mae_meV_per_A']:.2f} meV/A, energy MAE {found['test']['energy_mae_meV']:.2f} meV a molecule")
    options.results.mkdir(parents=True, exist_ok=True)
    files.write_json(options.results / "ethanol.json", found)


if __name__ == "__main__":
    main()
