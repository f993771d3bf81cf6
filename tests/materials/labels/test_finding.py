"""Labels are found wherever they stand, in our units and sign, and contradictions are refused."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms

from sciml.errors import DataError
from sciml.materials.labels import labels_of

STRESS = np.array([[0.010, 0.006, -0.005], [0.006, -0.020, 0.004], [-0.005, 0.004, 0.030]])
VOIGT = np.array([0.010, -0.020, 0.030, 0.004, -0.005, 0.006])


def test_calculator_info_and_arrays_give_the_same_labels():
    atoms = bulk("Cu", cubic=True)
    forces = np.arange(12.0).reshape(4, 3)
    plain = atoms.copy()
    plain.info.update(energy=-14.0, stress=STRESS)
    plain.arrays["forces"] = forces
    wrapped = atoms.copy()
    wrapped.calc = SinglePointCalculator(wrapped, energy=-14.0, forces=forces, stress=VOIGT)
    for labels in (labels_of(plain), labels_of(wrapped)):
        assert labels.energy == -14.0
        np.testing.assert_array_equal(labels.forces, forces)
        np.testing.assert_allclose(labels.stress, STRESS, atol=1e-15)


def test_the_free_energy_is_the_label():
    atoms = bulk("Cu")
    atoms.calc = SinglePointCalculator(atoms, energy=-3.0, free_energy=-3.5)
    assert labels_of(atoms).energy == -3.5


def test_forces_are_read_without_constraints():
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=0)
    atoms.calc = EMT()
    free = atoms.get_forces()
    atoms.set_constraint(FixAtoms([0, 1]))
    np.testing.assert_array_equal(labels_of(atoms).forces, free)


def test_virial_becomes_stress_and_must_agree():
    atoms = bulk("Cu", cubic=True)
    atoms.info["virial"] = -STRESS * atoms.get_volume()
    np.testing.assert_allclose(labels_of(atoms).stress, STRESS, atol=1e-12)
    atoms.info["stress"] = VOIGT
    np.testing.assert_allclose(labels_of(atoms).stress, STRESS, atol=1e-12)
    atoms.info["virial"] = STRESS * atoms.get_volume()
    with pytest.raises(DataError, match=r"record 3, field 'virial'.*sign"):
        labels_of(atoms, where="record 3")


def test_stated_units_and_keys():
    atoms = bulk("Cu", cubic=True)
    atoms.info.update(REF_energy=-1.0, stress=-VOIGT * 1602.1766208)
    labels = labels_of(atoms, keys={"energy": "REF_energy"}, units={"energy": "Ry", "stress": "-kBar"})
    assert labels.energy == pytest.approx(-13.605693, abs=1e-5)
    np.testing.assert_allclose(labels.stress, STRESS, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("energy", float("nan"), "NaN"),
        ("energy", "minus four", "numbers are needed"),
        ("energy", [1.0, 2.0], "one number"),
        ("stress", [1.0, 2.0], "six numbers"),
        ("stress", np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]]), "not symmetric"),
    ],
)
def test_refusals_name_record_and_field(name, value, text):
    atoms = bulk("Cu")
    atoms.info[name] = value
    with pytest.raises(DataError, match=text) as caught:
        labels_of(atoms, where="a.extxyz, record 7")
    assert "a.extxyz, record 7" in str(caught.value) and name in str(caught.value)


def test_wrong_number_of_forces():
    atoms = Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.7]])
    atoms.info["forces"] = np.zeros((3, 3))
    with pytest.raises(DataError, match="shape"):
        labels_of(atoms)


def test_results_of_other_positions_are_refused():
    atoms = bulk("Cu", cubic=True)
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
    atoms.rattle(0.1)
    with pytest.raises(DataError, match="positions"):
        labels_of(atoms)
