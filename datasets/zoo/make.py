"""Makes structures.extxyz.gz, nine ordered structures of many kinds without labels, from the raw files.

python make.py PHONOPY_EXAMPLES X23

The two arguments are folders: phonopy's examples (Si, NaCl, MgO, each with a POSCAR-unitcell) and the POSCAR files of the X23 set.
"""

from __future__ import annotations

import pathlib
import sys

import ase.io
from ase import Atoms
from ase.build import surface

from sciml.materials.datasets import write_part

X23 = (
    "21_urea__POSCAR_molecule",
    "06_benzene__POSCAR_molecule",
    "04_ammonia__POSCAR_solid",
    "12_imidazole__POSCAR_solid",
    "16_pyrazine__POSCAR_solid",
)
VACUUM_BOX_A = 19.0


def named(atoms: Atoms, name: str, origin: str) -> Atoms:
    """A bare copy with name and origin; a molecule in a vacuum box loses its box."""
    bare = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
    if "molecule" in name and atoms.cell.lengths().min() > VACUUM_BOX_A:
        bare = Atoms(atoms.numbers, positions=atoms.positions)
    bare.info.update(name=name, origin=origin)
    return bare


def main(phonopy: str, x23: str) -> None:
    """Writes the part beside this file."""
    structures = [
        named(ase.io.read(pathlib.Path(phonopy) / name / "POSCAR-unitcell", format="vasp"), name, "phonopy")
        for name in ("Si", "NaCl", "MgO")
    ]
    slab = surface(structures[0], (1, 1, 1), layers=3, vacuum=8.0)
    slab.pbc = (True, True, False)
    slab.info = {"name": "Si-111-slab", "origin": "made here from Si"}
    structures.append(Atoms(slab.numbers, positions=slab.positions, cell=slab.cell, pbc=slab.pbc, info=slab.info))
    structures += [named(ase.io.read(pathlib.Path(x23) / f"{name}.vasp", format="vasp"), name, "X23") for name in X23]
    write_part(pathlib.Path(__file__).parent, "structures", structures)


if __name__ == "__main__":
    main(*sys.argv[1:])
