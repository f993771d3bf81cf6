"""The energy that forces derive from, by every kind of calculator; labels without constraints; frames that are read back."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, Hookean

from sciml import materials as mat
from sciml.materials.snapshot import as_extxyz, energy_and_forces, potential_energy
from tests.data.cases.calculators import morse


def copper(calculator):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=0)
    atoms.calc = calculator
    return atoms


def smeared():
    """An energy 0.5 eV above the free energy, from which the forces derive."""
    return morse(twist=lambda atoms, results: results | {"energy": results["energy"] + 0.5})


def test_the_free_energy_where_there_is_one():
    atoms, own = copper(smeared()), copper(morse())
    assert atoms.get_potential_energy() == own.get_potential_energy() + 0.5
    assert potential_energy(atoms) == own.get_potential_energy()
    labels = energy_and_forces(atoms)
    assert labels["energy"] == labels["free_energy"] == own.get_potential_energy()
    assert np.array_equal(labels["forces"], own.get_forces())


class Plain(Calculator):
    """An energy and no free energy."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 3.0, "forces": np.zeros((len(atoms), 3))}


class Old:
    """A calculator of the kind that has no get_property."""

    def get_potential_energy(self, atoms):
        return 2.0

    def get_forces(self, atoms):
        return np.zeros((len(atoms), 3))


@pytest.mark.parametrize(("calculator", "energy"), [(Plain(), 3.0), (Old(), 2.0)])
def test_the_energy_where_there_is_no_other(calculator, energy):
    atoms = copper(calculator)
    assert potential_energy(atoms) == energy
    assert set(energy_and_forces(atoms)) == {"energy", "forces"}


def test_springs_of_constraints_are_in_the_energy_and_not_in_the_labels():
    """k (r - r0)^2 / 2 beyond the threshold r0: once in what is kept, not twice."""
    atoms = molecule("H2")
    atoms.calc = EMT()
    free, forces = atoms.get_potential_energy(), atoms.get_forces()
    length = atoms.get_distance(0, 1)
    atoms.set_constraint([Hookean(0, 1, rt=length - 0.1, k=4.0), FixAtoms([0])])
    assert potential_energy(atoms) == pytest.approx(free + 4.0 * 0.1**2 / 2)
    labels = energy_and_forces(atoms)
    assert labels["energy"] == free
    assert np.array_equal(labels["forces"], forces)
    kept = atoms.copy()
    kept.calc = SinglePointCalculator(kept, **labels)
    assert kept.get_potential_energy() == pytest.approx(free + 4.0 * 0.1**2 / 2)


def test_a_frame_is_read_back(tmp_path):
    atoms = copper(smeared())
    labels = energy_and_forces(atoms)
    atoms.calc = SinglePointCalculator(atoms, **labels)
    (tmp_path / "a.extxyz").write_bytes(as_extxyz(atoms) * 2)
    for read in mat.read_structures(tmp_path / "a.extxyz"):
        assert read.get_potential_energy() == pytest.approx(labels["energy"], abs=1e-7)
        assert np.allclose(read.get_forces(), labels["forces"], atol=1e-7)
        assert np.allclose(read.positions, atoms.positions, atol=1e-7)
