"""Relaxation against closed forms: the Morse crystal of 12 neighbours, at rest and under pressure."""

import json
import logging

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.io import read
from scipy.optimize import brentq

from sciml.errors import ConfigError, DataError
from sciml.materials.relaxation import iterate_relax, relax
from sciml.units import EV_PER_A3_IN_GPA
from tests.data.cases.calculators import morse


def lattice_constant(pressure_GPa):
    """P = -dE/dV for E = 6 phi(a / sqrt 2) and V = a^3 / 4 an atom."""
    law = morse()

    def excess(a):
        return -6 * float(law.slope(np.array(a / 2**0.5))) / 2**0.5 / (0.75 * a**2) * EV_PER_A3_IN_GPA - pressure_GPa

    return brentq(excess, 3.3, 3.8)


@pytest.mark.parametrize(("pressure", "expected"), [(0.0, 3.6062), (10.0, 3.5607)])
def test_case_24_the_cell_under_pressure(pressure, expected, request):
    frame = read(request.config.rootpath / "tests/data/cases/24-fcc.extxyz")
    (result,) = relax([frame], morse(), cell=True, pressure_GPa=pressure)
    lengths = result.atoms.cell.lengths()
    assert lengths == pytest.approx([expected] * 3, abs=5e-4)
    assert lengths == pytest.approx([lattice_constant(pressure)] * 3, abs=5e-5)
    assert result.converged
    result.atoms.calc = morse()
    assert -np.trace(result.atoms.get_stress(voigt=False)) / 3 * EV_PER_A3_IN_GPA == pytest.approx(pressure, abs=0.01)
    assert result.pressure_GPa == pytest.approx(pressure, abs=0.01)


def test_compression_has_a_positive_pressure_and_tension_a_negative_one():
    frame = bulk("Cu", cubic=True)
    squeezed, stretched = (relax(frame, EMT(), cell=True, pressure_GPa=p)[0].atoms.get_volume() for p in (5.0, -5.0))
    assert squeezed < relax(frame, EMT(), cell=True)[0].atoms.get_volume() < stretched


def test_positions_go_back_and_the_input_stays():
    frame = bulk("Cu", cubic=True).repeat(2)
    frame.rattle(0.1, seed=0)
    before = frame.copy()
    (result,) = relax(frame, EMT(), fmax_eV_per_A=1e-3)
    assert frame == before
    assert frame.calc is None
    assert result.converged
    assert result.max_force_eV_per_A <= 1e-3
    perfect = bulk("Cu", cubic=True).repeat(2)
    perfect.calc = EMT()
    assert result.energy_eV == pytest.approx(perfect.get_potential_energy(), abs=1e-4)
    assert np.allclose(result.atoms.cell, frame.cell)
    assert result.pressure_GPa is None


def test_the_result_carries_its_labels_and_no_calculator():
    result = relax(bulk("Cu", cubic=True), EMT())[0]
    assert result.atoms.get_potential_energy() == result.energy_eV
    assert result.atoms.get_stress().shape == (6,)
    assert type(result.atoms.calc).__name__ == "SinglePointCalculator"
    json.dumps(result.to_dict(), allow_nan=False)


def test_one_that_does_not_converge_is_named_and_the_others_go_on(caplog):
    calm, wild = bulk("Cu", cubic=True), bulk("Cu", cubic=True).repeat(2)
    wild.rattle(0.3, seed=0)
    with caplog.at_level(logging.WARNING, "sciml.materials.relaxation"):
        first, second, third = relax([calm, wild, calm], EMT(), steps=2, fmax_eV_per_A=1e-3)
    assert [first.converged, second.converged, third.converged] == [True, False, True]
    assert second.steps == 2
    assert "not converged after 2 steps" in second.reason
    assert second.max_force_eV_per_A > 1e-3
    assert "structure 1 (Cu32)" in caplog.text


def test_no_steps_still_judge_the_state():
    assert relax(bulk("Cu", cubic=True), EMT(), steps=0)[0].converged
    assert not relax(bulk("Cu", cubic=True, a=3.8), EMT(), cell=True, steps=0)[0].converged


def test_nan_stops_the_run_with_its_reason():
    class Broken(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            super().calculate(atoms, properties, system_changes)
            bad = np.nan if atoms.positions[0, 0] != 0.2 else 1.0
            self.results = {"energy": bad, "forces": np.full((len(atoms), 3), bad)}

    (result,) = relax(Atoms("Cu", [[0.2, 0, 0]]), Broken())
    assert (result.converged, result.steps, result.energy_eV) == (False, 1, None)
    assert "not finite after 1 steps" in result.reason
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_calculator_whose_run_and_state_disagree_is_not_believed():
    """It repeats its first good forces from memory; the fresh evaluation at the end tells."""

    class Stale(EMT):
        def reset(self):
            super().reset()
            self.forget = True

        def calculate(self, atoms=None, properties=("energy",), system_changes=("positions", "numbers", "cell", "pbc")):
            super().calculate(atoms, properties, ["positions", "numbers", "cell", "pbc"])
            if not getattr(self, "forget", False):
                self.results["forces"] = np.zeros_like(self.results["forces"])

    frame = bulk("Cu", cubic=True).repeat(2)
    frame.rattle(0.1, seed=0)
    assert not relax(frame, Stale())[0].converged


def test_constraints_hold_and_count_as_at_rest():
    frame = bulk("Cu", cubic=True).repeat(2)
    frame.rattle(0.1, seed=0)
    frame.set_constraint(FixAtoms([0, 1]))
    (result,) = relax(frame, EMT())
    assert result.converged
    assert np.array_equal(result.atoms.positions[:2], frame.positions[:2])
    assert np.abs(result.atoms.get_forces(apply_constraint=False)[:2]).max() > 0.01


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"pressure_GPa": 1.0}, ConfigError, "add cell=True"),
        ({"fmax_eV_per_A": 0.0}, ConfigError, "fmax_eV_per_A=0.0"),
        ({"steps": -1}, ConfigError, "steps=-1"),
        ({"steps": 2.5}, ConfigError, "steps=2.5, expected a whole number >= 0"),
        ({"steps": float("nan")}, ConfigError, "steps=nan"),
        ({"pressure_GPa": float("inf"), "cell": True}, ConfigError, "pressure_GPa=inf"),
        ({"cell": True}, DataError, "structure 1: cell=True needs three periodic directions"),
    ],
)
def test_refusals(options, error, says):
    with pytest.raises(error, match=says):
        relax([bulk("Cu"), molecule("CO2")], EMT(), **options)


def test_a_cell_needs_a_stress():
    class NoStress(EMT):
        implemented_properties = ("energy", "free_energy", "forces")

    with pytest.raises(DataError, match="NoStress gives none"):
        relax(bulk("Cu"), NoStress(), cell=True)


def test_an_error_of_the_calculator_costs_no_other_structure(caplog):
    """EMT knows no silicon."""
    copper, silicon = bulk("Cu", cubic=True), bulk("Si")
    with caplog.at_level(logging.WARNING, "sciml.materials.relaxation"):
        first, second, third = relax([copper, silicon, copper], EMT())
    assert first.converged and third.converged
    assert (second.converged, second.index, second.steps) == (False, 1, 0)
    assert second.reason == "the calculator raised NotImplementedError: No EMT-potential for Si"
    assert {second.energy_eV, second.max_force_eV_per_A, second.pressure_GPa, second.stress_error_GPa} == {None}
    assert second.atoms == silicon and second.atoms is not silicon and second.atoms.calc is None
    assert "structure 1 (Si2): the calculator raised" in caplog.text
    json.dumps(second.to_dict(), allow_nan=False)


class Failing(EMT):
    """Raises `error` from the third evaluation of the second structure on."""

    def __init__(self, error):
        super().__init__()
        self.error, self.count = error, 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=("positions", "numbers", "cell", "pbc")):
        self.count += len(atoms) == 32
        if len(atoms) == 32 and self.count > 2:
            raise self.error
        super().calculate(atoms, properties, system_changes)


def calm_and_wild():
    wild = bulk("Cu", cubic=True).repeat(2)
    wild.rattle(0.1, seed=0)
    return bulk("Cu", cubic=True), wild


def test_an_error_in_the_middle_of_a_run_leaves_the_structure_as_it_was():
    calm, wild = calm_and_wild()
    first, second, third = relax([calm, wild, calm], Failing(DataError("no more")))
    assert (first.converged, second.converged, third.converged) == (True, False, True)
    assert second.reason == "no more (at step 2)"
    assert np.array_equal(second.atoms.positions, wild.positions)


def test_an_interrupt_passes():
    with pytest.raises(KeyboardInterrupt):
        relax(list(calm_and_wild()), Failing(KeyboardInterrupt()))


def test_results_one_after_the_other():
    calm, wild = calm_and_wild()
    results = iterate_relax([calm, wild], Failing(KeyboardInterrupt()))
    assert next(results).converged
    with pytest.raises(KeyboardInterrupt):
        next(results)
    with pytest.raises(ConfigError, match="steps=-1"):
        iterate_relax([calm], EMT(), steps=-1)


def test_the_energy_is_the_one_that_the_forces_derive_from():
    smeared = morse(twist=lambda atoms, results: results | {"energy": results["energy"] + 0.5})
    _, frame = calm_and_wild()
    result, plain = relax(frame, smeared)[0], relax(frame, morse())[0]
    assert result.energy_eV == plain.energy_eV
    assert result.atoms.get_potential_energy() == result.atoms.get_potential_energy(force_consistent=True) == result.energy_eV


def test_nothing_in_nothing_out():
    assert relax([], EMT()) == []


@pytest.mark.parametrize("cell", [False, True])
def test_a_structure_without_atoms_is_refused(cell):
    with pytest.raises(DataError, match="relax: structure 1: it has no atoms"):
        relax([bulk("Cu"), Atoms(cell=[3, 3, 3], pbc=True)], EMT(), cell=cell)
