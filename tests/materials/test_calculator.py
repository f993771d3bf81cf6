"""ASE's conventions, kept by the wrapper around a potential that is a closed form."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.emt import EMT
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.calculators.test import gradient_test
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from sciml.errors import ConfigError, DataError
from sciml.materials.calculator import Evaluates, PotentialCalculator, as_calculator
from tests.data.cases.calculators import morse


@dataclass
class Predicted:
    energy: float
    energies: np.ndarray
    forces: np.ndarray
    stress: np.ndarray | None
    energy_std: float | None = None
    forces_std: np.ndarray | None = None
    in_domain: bool | None = None


class MorsePotential:
    """What a potential must have, and nothing else; it counts its calls."""

    cutoff_A = 5.3

    def __init__(self, ensemble=False, in_domain=None, pairs_seen=None):
        self.calls, self.ensemble, self.in_domain = [], ensemble, in_domain
        if pairs_seen is not None:
            self.pairs_seen = pairs_seen

    def predict(self, structures, *, dtype="float32", device="auto"):
        self.calls.append(dtype)
        return [self._one(atoms) for atoms in structures]

    def _one(self, atoms):
        law = morse(cutoffs=(1.6, 2.1))
        law.calculate(atoms, ["energy"], [])
        r = law.results
        stress = None
        if atoms.pbc.all():
            xx, yy, zz, yz, xz, xy = r["stress"]
            stress = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        spread = (0.01, np.full((len(atoms), 3), 0.02)) if self.ensemble else (None, None)
        return Predicted(r["energy"], r["energies"], r["forces"], stress, *spread, self.in_domain)


def strained():
    atoms = bulk("Cu", cubic=True, a=3.65)
    atoms.rattle(0.1, seed=0)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.02 * np.random.default_rng(0).normal(size=(3, 3))), scale_atoms=True)
    return atoms


@pytest.fixture
def atoms():
    structure = strained()
    structure.calc = PotentialCalculator(MorsePotential())
    return structure


def test_energies_add_up_and_the_free_energy_is_the_energy(atoms):
    assert atoms.get_potential_energy() == atoms.get_potential_energy(force_consistent=True)
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy(), abs=1e-12)


def test_forces_and_stress_are_the_derivatives_by_ases_own_differences(atoms):
    assert np.abs(atoms.get_forces() - calculate_numerical_forces(atoms, eps=1e-5)).max() < 1e-8
    gap = atoms.get_stress(voigt=False) - calculate_numerical_stress(atoms, eps=1e-5, voigt=False)
    assert np.abs(gap).max() < 1e-9
    assert gradient_test(atoms, [0])[0].shape == (1, 3)


def test_voigt_order_is_xx_yy_zz_yz_xz_xy(atoms):
    full, voigt = atoms.get_stress(voigt=False), atoms.get_stress()
    assert voigt == pytest.approx([full[0, 0], full[1, 1], full[2, 2], full[1, 2], full[0, 2], full[0, 1]])


@pytest.mark.parametrize("pbc", [(True, True, False), (False, False, False)])
def test_stress_needs_three_periodic_directions_whatever_cell_there_is(pbc):
    slab = fcc111("Cu", (1, 1, 3), vacuum=5.0)
    slab.pbc = pbc
    slab.calc = PotentialCalculator(MorsePotential())
    assert np.isfinite(slab.get_potential_energy())
    with pytest.raises(PropertyNotImplementedError, match="three periodic directions"):
        slab.get_stress()
    assert np.isfinite(slab.get_forces()).all()


def test_one_evaluation_a_structure_and_none_for_what_changes_nothing(atoms):
    calls = atoms.calc.potential.calls
    atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(), atoms.get_potential_energies()
    assert len(calls) == 1
    atoms.set_initial_magnetic_moments(np.ones(4)), atoms.set_initial_charges(np.ones(4))
    atoms.get_forces()
    assert len(calls) == 1
    atoms.positions[0, 0] += 1e-9
    atoms.get_forces()
    assert len(calls) == 2
    atoms.pbc = (True, True, False)
    atoms.get_forces()
    assert len(calls) == 3


def test_what_is_handed_out_cannot_spoil_the_cache(atoms):
    forces = atoms.get_forces()
    forces[:] = 7
    assert not (atoms.get_forces() == 7).any()


def test_the_dtype_asked_for_reaches_the_potential():
    structure, potential = strained(), MorsePotential()
    for dtype in ("float64", "float32"):
        PotentialCalculator(potential, dtype).get_potential_energy(structure)
    PotentialCalculator(potential).get_potential_energy(structure)
    assert potential.calls == ["float64", "float32", "float64"]


def test_an_ensemble_adds_its_spread():
    structure = strained()
    structure.calc = PotentialCalculator(MorsePotential(ensemble=True))
    structure.get_forces()
    assert structure.calc.results["energy_std"] == 0.01
    assert structure.calc.results["forces_std"].shape == (4, 3)
    plain = strained()
    plain.calc = PotentialCalculator(MorsePotential())
    plain.get_forces()
    assert {"energy_std", "forces_std", "in_domain"}.isdisjoint(plain.calc.results)


@pytest.mark.parametrize("seen", [[("Cu", "Cu"), ("Si", "Si")], [(29, 29), (14, 14)]])
def test_an_unseen_pair_is_named_once(seen):
    alloy = strained()
    alloy.symbols[0] = "Si"
    alloy.calc = PotentialCalculator(MorsePotential(in_domain=False, pairs_seen=seen))
    with pytest.warns(UserWarning, match=r"pairs Cu-Si within the cut-off did not occur in training"):
        alloy.get_potential_energy()
    assert alloy.calc.results["in_domain"] is False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alloy.positions[0] += 0.1
        alloy.get_potential_energy()


def test_ases_own_cell_relaxation_runs(atoms):
    assert BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-3, steps=100)


def test_refusals():
    with pytest.raises(ConfigError, match="no method predict"):
        PotentialCalculator("si")
    with pytest.raises(DataError, match="not finite"):
        PotentialCalculator(MorsePotential()).get_potential_energy(Atoms("Cu", [[np.nan, 0, 0]]))
    with pytest.raises(ConfigError, match="found int"):
        as_calculator(3)


def test_any_calculator_stays_itself_and_a_potential_is_wrapped():
    emt = EMT()
    assert as_calculator(emt) is emt
    assert isinstance(MorsePotential(), Evaluates)
    assert isinstance(as_calculator(MorsePotential()), PotentialCalculator)
