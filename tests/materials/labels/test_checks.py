"""Planted faults are named by the message; published sets raise no alarm."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from sciml.errors import DataError
from sciml.materials.datasets import load_dataset
from sciml.materials.labels import check, check_stress, labels_of
from tests.materials.labels.planting import calculated, scaled

KBAR, RYDBERG, BOHR = 1602.1766208, 13.605693, 0.529177


@pytest.fixture(scope="module")
def sets():
    return {name: load_dataset(name, "test") for name in ("mlearn-si", "mlearn-cu")}


@pytest.mark.parametrize("name", ["mlearn-si", "mlearn-cu"])
@pytest.mark.parametrize(
    ("factors", "kind", "text"),
    [
        ({}, None, ""),
        ({"stress": KBAR}, "stress-scale", "look like kBar for"),
        ({"stress": -KBAR}, "stress-scale", "kBar with the opposite sign"),
        ({"stress": KBAR / 10}, "stress-scale", "look like GPa"),
        ({"stress": 10 / KBAR}, "stress-scale", "conversion from GPa"),
        ({"stress": -1}, "stress-scale", "sign is flipped"),
        ({"energy": 1 / RYDBERG}, "energy-scale", "look like Ry"),
        ({"forces": -1}, "forces-scale", "gradients"),
        ({"forces": BOHR / RYDBERG}, "forces-scale", "Ry/bohr"),
    ],
)
def test_scale_and_sign(sets, name, factors, kind, text):
    report = check(scaled(sets[name], **factors))
    found = [finding for finding in report.findings if finding.level != "note"]
    assert report.passed == (kind is None)
    assert [finding.kind for finding in found] == ([kind] if kind else [])
    assert text in "".join(finding.message for finding in found)


def test_the_pulay_stress_of_the_published_copper_set_is_a_note(sets):
    (finding,) = [finding for finding in check(sets["mlearn-cu"]).findings if finding.kind == "pulay-stress"]
    assert finding.level == "note" and "Cu +0." in finding.message
    assert "pulay-stress" not in [finding.kind for finding in check(sets["mlearn-si"]).findings]


def test_stress_against_a_strain_series():
    series = [atoms for atoms in load_dataset("mlearn-si", "train") if atoms.info["group"] == "Elastic"]
    report = check(series)
    assert report.passed and report.ratios["stress/energy"] == pytest.approx(1.0, abs=0.05)
    assert "look like kBar for" in check(scaled(series, stress=KBAR)).text()


def test_stress_against_a_model(sets):
    structures = sets["mlearn-cu"]
    truth = [labels_of(atoms).stress for atoms in structures]

    def evaluate(given):
        assert len(given) == len(truth)
        return truth

    assert check_stress(structures, evaluate) == []
    (finding,) = check_stress(scaled(structures, stress=-KBAR), evaluate)
    assert "kBar with the opposite sign" in finding.message
    (finding,) = check_stress(scaled(structures, stress=5.0), evaluate)
    assert "no unit" in finding.message
    with pytest.raises(DataError, match="one each"):
        check_stress(structures, lambda given: truth[:3])


def test_copies_and_leakage(sets):
    structures = sets["mlearn-si"]
    report = check([*structures, structures[2]], test=[structures[5]])
    kinds = {finding.kind: finding for finding in report.findings}
    assert kinds["identical"].level == "warning" and kinds["identical"].records == (25,)
    assert kinds["leakage"].level == "error" and "test records 0" in kinds["leakage"].message
    with pytest.raises(DataError, match="leakage"):
        report.require_no_error()
    contradicting = scaled([structures[2]], energy=1.01)
    assert "contradiction" in {finding.kind for finding in check([*structures, *contradicting]).findings}


def test_report_is_json_and_text(sets):
    report = check(sets["mlearn-si"], test=load_dataset("mlearn-si", "train")[::10])
    assert json.loads(json.dumps(report.to_dict()))["passed"] is True
    assert "25 structures" in report.text() and "ratios" in report.text()


def test_weighted_target_without_data(sets):
    bare = [atoms.copy() for atoms in sets["mlearn-si"]]
    with pytest.raises(DataError, match="forces"):
        check(bare, weights={"forces": 1.0})
    assert check(bare).passed and check([]).passed


def test_energies_only_and_molecules_do_not_alarm():
    structures = load_dataset("mlearn-si", "train")[::3]
    bare = []
    for atoms in structures:
        copy = atoms.copy()
        copy.info["energy"] = labels_of(atoms).energy
        bare.append(copy)
    assert check(bare).passed
    assert np.isfinite(list(check(bare).ratios.values())).all()


CALCULATED = [("Au", 0.1, 0.05), ("Pd", 0.05, 0.05), ("Ag", 0.03, 0.05), ("Al", 0.08, 0.0), ("Ni", 0.03, 0.0)]


@pytest.mark.parametrize(("symbol", "strain", "rattle"), CALCULATED)
@pytest.mark.parametrize(
    ("factors", "kind", "text"),
    [
        ({}, None, ""),
        ({"stress": KBAR}, "stress-scale", "look like kBar for"),
        ({"stress": -1}, "stress-scale", "sign is flipped"),
        ({"energy": 1 / RYDBERG}, "energy-scale", "look like Ry"),
        ({"energy": 1 / 4}, "energy-scale", "energies an atom"),
        ({"forces": BOHR / RYDBERG}, "forces-scale", "Ry/bohr"),
    ],
)
def test_calculated_labels_of_strained_cells(symbol, strain, rattle, factors, kind, text):
    """Labels of a calculator agree, whatever a model says of structures unlike those it was fitted to; planted units are named."""
    if "forces" in factors and not rattle:
        pytest.skip("a perfect crystal has no forces")
    findings = check(scaled(calculated(bulk(symbol, cubic=True), 40, strain, rattle), **factors)).findings
    assert [each.kind for each in findings] == ([kind] if kind else [])
    assert text in "".join(each.message for each in findings)


@pytest.mark.parametrize("strain", [0.03, 0.05])
def test_a_pulay_stress_of_uniaxial_cells_is_named(strain):
    frames = []
    for x in np.linspace(-strain, strain, 20):
        atoms = bulk("Al", cubic=True)
        atoms.set_cell(atoms.cell.array @ np.diag([1 + x, 1, 1]), scale_atoms=True)
        (own,) = calculated(atoms, 1, 0.0, 0.0)
        own.calc.results["stress"] = own.calc.results["stress"] + 2.7 / 160.2 * np.array([1, 1, 1, 0, 0, 0]) / (1 + x)
        frames.append(own)
    (finding,) = check(frames).findings
    assert finding.kind == "pulay-stress" and "+2.7" in finding.message


@pytest.mark.parametrize("more_eV", [50.0, 1e8])
@pytest.mark.parametrize(("symbol", "strain", "rattle"), CALCULATED[:4])
def test_one_wild_energy(symbol, strain, rattle, more_eV):
    frames = calculated(bulk(symbol, cubic=True), 40, strain, rattle)
    right = frames[13].calc.results["energy"]
    frames[13].calc.results["energy"] = right + more_eV
    (finding,) = check(frames).findings
    assert finding.kind == "odd-energy" and finding.records == (13,)
    assert f"record 13: {right + more_eV:.6g} eV" in finding.message
    expected = float(finding.message.split("about ")[1].split(" eV")[0])
    assert expected == pytest.approx(right, abs=1.0)


def test_one_odd_stress(sets):
    frames = calculated(bulk("Cu", cubic=True), 40, 0.05, 0.1)
    frames[9].calc.results["stress"] = -3 * frames[9].calc.results["stress"][[2, 0, 1, 4, 5, 3]] + 0.05
    (finding,) = check(frames).findings
    assert finding.kind == "odd-stress" and finding.records == (9,)


def test_elements_that_only_the_test_set_has(sets):
    report = check(sets["mlearn-si"], test=[*sets["mlearn-si"][:0], *sets["mlearn-cu"][:3]])
    (finding,) = [each for each in report.findings if each.kind == "unknown-element"]
    assert finding.level == "warning" and "3 of 3" in finding.message and "Cu" in finding.message and finding.records == (0, 1, 2)


def test_two_energies_of_one_structure_are_said_once(sets):
    structures = sets["mlearn-si"]
    report = check([*structures, *scaled([structures[2]], energy=1.5)])
    assert [each.kind for each in report.findings if each.level != "note"] == ["contradiction"]


def test_huge_numbers_keep_the_columns(sets):
    faulty = scaled(sets["mlearn-si"])
    faulty[3].calc.results["energy"] = 123456789.123456789
    lines = check(faulty).text().splitlines()
    (line,) = [each for each in lines if "energy_per_atom" in each]
    assert line.index("..") == next(each for each in lines if "volume_per_atom" in each).index("..")
    assert "123456789" not in "".join(lines)


def test_atoms_that_no_neighbour_is_near_are_no_crash():
    """Lengths ten times too large: nothing is within reach of the model that holds labels against each other."""
    structures = []
    for seed in range(12):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        atoms.calc = EMT()
        labels = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.set_cell(10 * atoms.cell.array, scale_atoms=True)
        atoms.calc = SinglePointCalculator(atoms, **labels)
        structures.append(atoms)
    assert check(structures).passed
