"""Makes train.extxyz.gz and test.extxyz.gz from the raw mlearn files of silicon.

python make.py Si_training.json.gz Si_test.json.gz

Raw units: eV, eV/A, kBar with VASP's sign (compression positive). The six numbers of `virial_stress` stand in the order xx yy zz xy yz
zx in the
records of the group Elastic and xx yy zz xy xz yz in all others; written is ASE's order xx yy zz yz xz xy, eV/A^3, tension positive.
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


def stress_of(raw: list[float], group: str) -> np.ndarray:
    """Voigt-6 (xx yy zz yz xz xy) in eV/A^3, tension positive, of six numbers in kBar in the order of the group."""
    xx, yy, zz, xy, fifth, sixth = raw
    yz, xz = (fifth, sixth) if group == "Elastic" else (sixth, fifth)
    return -KBAR * np.array([xx, yy, zz, yz, xz, xy])


def atoms_of(record: dict[str, Any]) -> Atoms:
    """One record with its labels in a SinglePointCalculator."""
    structure, outputs = record["structure"], record["outputs"]
    symbols = [site["species"][0]["element"] for site in structure["sites"]]
    scaled = [site["abc"] for site in structure["sites"]]
    atoms = Atoms(symbols, cell=structure["lattice"]["matrix"], scaled_positions=scaled, pbc=True)
    atoms.info.update(group=record["group"], description=record["description"])
    stress = stress_of(outputs["virial_stress"], record["group"])
    atoms.calc = SinglePointCalculator(atoms, energy=outputs["energy"], forces=np.array(outputs["forces"]), stress=stress)
    return atoms


def main(training: str, test: str) -> None:
    """Writes both parts beside this file."""
    folder = pathlib.Path(__file__).parent
    for part, source in (("train", training), ("test", test)):
        records = json.loads(gzip.decompress(pathlib.Path(source).read_bytes()))
        write_part(folder, part, [atoms_of(record) for record in records])


if __name__ == "__main__":
    main(*sys.argv[1:])
