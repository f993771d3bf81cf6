"""Predictions as an extxyz file that says which columns it holds, in which units, and by which model."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from sciml import files
from sciml.materials.potential import Prediction

__all__ = ["predicted", "write_predictions"]

UNITS = (
    "energy eV; forces eV/A; stress eV/A^3, tension positive, nine components; energy_std eV; forces_std eV/A; "
    "REF_* are the labels of the input in the same units, REF_stress as xx yy zz yz xz xy"
)
REFERENCES = ("energy", "forces", "stress")


def predicted(atoms: Atoms, prediction: Prediction, model: str = "") -> Atoms:
    """A copy of `atoms` that carries a prediction: energy, forces and stress as results, the rest and what is stated as columns.

    info: `units` (of every column), `model`, `energy_std` (eV) and `in_domain` where known; arrays: `forces_std` [N,3] (eV/A). Labels
    that the structure had are kept as `REF_energy` (info, eV), `REF_forces` (array, eV/A) and `REF_stress` (info, eV/A^3, Voigt).
    """
    carrier = atoms.copy()
    for name, value in dict(getattr(atoms.calc, "results", None) or {}).items():
        if name in REFERENCES:
            (carrier.arrays if name == "forces" else carrier.info)[f"REF_{name}"] = value
    carrier.info |= {"units": UNITS} | ({"model": model} if model else {})
    if prediction.energy_std is not None:
        carrier.info["energy_std"] = prediction.energy_std
    if prediction.forces_std is not None:
        carrier.arrays["forces_std"] = prediction.forces_std
    if prediction.in_domain is not None:
        carrier.info["in_domain"] = prediction.in_domain
    results: dict[str, Any] = {"energy": prediction.energy, "forces": prediction.forces}
    results |= {} if prediction.stress is None else {"stress": prediction.stress_voigt}
    carrier.calc = SinglePointCalculator(carrier, **results)
    return carrier


def write_predictions(path: str | Path, pieces: Iterable[tuple[Sequence[Atoms], Sequence[Prediction]]], model: str = "") -> int:
    """Write pieces of (structures, predictions) to an extxyz file, whole or not at all; returns the number of structures.

    `read_structures` reads it back; the columns are those of `predicted`. Raises SciMLError where it cannot be written.
    """
    count = 0
    with files.write_stream(path) as stream:
        for structures, predictions in pieces:
            text = io.StringIO()
            for atoms, prediction in zip(structures, predictions, strict=True):
                ase.io.write(text, predicted(atoms, prediction, model), format="extxyz")
                count += 1
            stream.write(text.getvalue().encode())
    return count
