"""Planted faults are named by the message; published sets raise no alarm."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.errors import DataError
from sciml.materials.datasets import load_dataset
from sciml.materials.labels import check, check_stress, labels_of
from tests.materials.labels.planting import scaled

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
    report = check(sets["mlearn-si"], test=sets["mlearn-cu"])
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
