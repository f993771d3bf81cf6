"""Small files for the tests of commands: rattled copper with the labels of ASE's EMT."""

from __future__ import annotations

from pathlib import Path

import ase.io
import ase.units
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from typer.testing import CliRunner, Result

from sciml.cli.main import app

TINY = ["--option", "channels=4,radial=3,hidden=4", "--option", "l_max=1,message_l_max=1", "--cutoff", "4"]


def sciml(*words: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def copper(count: int, seed: int = 0) -> list[Atoms]:
    """`count` structures of 4 copper atoms with energy, forces and stress."""
    generator, structures = np.random.default_rng(seed), []
    for number in range(count):
        atoms = bulk("Cu", "fcc", a=3.6, cubic=True)
        atoms.positions += generator.normal(0, 0.08, (4, 3))
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + generator.normal(0, 0.02, (3, 3))), scale_atoms=True)
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        atoms.info["group"] = ("even", "odd")[number % 2]
        structures.append(atoms)
    return structures


def in_bohr(structures: list[Atoms]) -> list[Atoms]:
    """Copies without labels whose lengths are numbers of bohr."""
    copies = [atoms.copy() for atoms in structures]
    for atoms in copies:
        atoms.set_cell(atoms.cell.array / ase.units.Bohr, scale_atoms=True)
    return copies


def write(path: Path, structures: list[Atoms]) -> Path:
    """Write structures as extxyz."""
    ase.io.write(path, structures, format="extxyz")
    return path
