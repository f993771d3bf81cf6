"""Makes train.extxyz.gz and test.extxyz.gz from NIST's copy of mlearn's training set of copper and mlearn's own test set.

python make.py Cu_nist_id_prop.json.gz Cu_test.json.gz

NIST's file: the 262 training records, then the 31 test records twice with stresses that are wrong there, so that only the first 262 are
taken. Its
energies are eV an atom, mlearn's are totals. Stresses: kBar with VASP's sign (compression positive) in the order xx yy zz xy xz yz;
written is ASE's order xx yy zz yz xz xy, eV/A^3, tension positive.
"""

from __future__ import annotations

import gzip
import json
import pathlib
import sys
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator

from sciml.materials.datasets import write_part

KBAR = 0.1 * units.GPa  # in eV/A^3
N_TRAIN = 262


def stress_of(raw: list[float]) -> np.ndarray:
    """Voigt-6 (xx yy zz yz xz xy) in eV/A^3, tension positive, of xx yy zz xy xz yz in kBar."""
    xx, yy, zz, xy, xz, yz = raw
    return -KBAR * np.array([xx, yy, zz, yz, xz, xy])


def train_atoms(record: dict[str, Any]) -> Atoms:
    """A record of NIST's file (it names no group)."""
    cell = record["atoms"]
    atoms = Atoms(cell["elements"], cell=cell["lattice_mat"], scaled_positions=cell["coords"], pbc=True)
    energy = record["total_energy"] * len(atoms)
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.array(record["forces"]), stress=stress_of(record["stresses"]))
    return atoms


def test_atoms(record: dict[str, Any]) -> Atoms:
    """A record of mlearn's file."""
    structure, outputs = record["structure"], record["outputs"]
    symbols = [site["species"][0]["element"] for site in structure["sites"]]
    scaled = [site["abc"] for site in structure["sites"]]
    atoms = Atoms(symbols, cell=structure["lattice"]["matrix"], scaled_positions=scaled, pbc=True)
    atoms.info.update(group=record["group"], description=record["description"])
    stress = stress_of(outputs["virial_stress"])
    atoms.calc = SinglePointCalculator(atoms, energy=outputs["energy"], forces=np.array(outputs["forces"]), stress=stress)
    return atoms


def main(nist: str, test: str) -> None:
    """Writes both parts beside this file."""
    folder = pathlib.Path(__file__).parent
    records = json.loads(gzip.decompress(pathlib.Path(nist).read_bytes()))[:N_TRAIN]
    write_part(folder, "train", [train_atoms(record) for record in records])
    write_part(folder, "test", [test_atoms(record) for record in json.loads(gzip.decompress(pathlib.Path(test).read_bytes()))])


if __name__ == "__main__":
    main(*sys.argv[1:])
