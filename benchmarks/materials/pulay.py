"""What a Pulay stress in the labels costs: copper trained with it and without, for two weightings of energy and stress.

    python benchmarks/materials/pulay.py [--steps 1200] [--out runs/pulay]

Errors are those of a fifth of the training set of `mlearn-cu`; the test set is not touched. With the Pulay stress in the labels
(pulay=False) energies and stresses of strained cells contradict each other, and no weights satisfy both. Writes pulay.json; a stopped
script goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from origin import RESULTS, origin

from sciml import files
from sciml import materials as mat
from sciml.materials.labels import group_split
from sciml.materials.training.run_folder import begun

WEIGHTS = {"energies first": (10.0, 0.1), "balanced": (2.0, 0.1), "stresses first": (1.0, 0.3)}
SHOWN = {"energy_rmse_meV_per_atom": "meV/atom", "forces_rmse_eV_per_A": "eV/A", "stress_rmse_GPa": "GPa"}


def main() -> None:
    """Train, print, write pulay.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--out", type=Path, default=Path("runs/pulay"), help="folder of the runs")
    options = parser.parse_args()
    structures = mat.load_dataset("mlearn-cu", part="train")
    split = group_split(structures, 0.2, 0)
    train, valid = ([structures[row] for row in rows] for rows in (split.train, split.valid))
    rows = []
    for pulay in (False, True):
        for name, (energy, stress) in WEIGHTS.items():
            out = options.out / f"{name.replace(' ', '-')}-{'off' if pulay else 'in'}"
            recipe = {"energy_weight_late": energy, "stress_weight": stress}
            chosen = {"pulay": pulay, "recipe": recipe, "steps": options.steps, "report": False, "device": "cpu"}
            potential = mat.train_potential(train, valid, out=out, resume=begun(out), **chosen)
            found = potential.metadata["metrics"]["validation"][0]
            rows.append({"pulay": "taken off" if pulay else "in the labels", "weights": name} | {key: found[key] for key in SHOWN})
            print(rows[-1]["pulay"], name, *(f"{found[key]:.4g} {unit}" for key, unit in SHOWN.items()), flush=True)
    files.write_json(RESULTS / "pulay.json", {**origin(), "steps": options.steps, "rows": rows})


if __name__ == "__main__":
    main()
