"""The whole audit: known calculators, the case of the wrong stress, NaN, what is refused, what it costs."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.io import read

from sciml.errors import ConfigError, DataError
from sciml.materials.audit import audit
from tests.materials.audit.planted import Single, Spoiled, copper, forgetful, nan_when_perfect, not_a_number, wide_morse

STRAINED = "tests/data/cases/16-strained.extxyz"
TWISTS = {
    "none": lambda s: s,
    "other sign": lambda s: -s,
    "shears in another order": lambda s: s[[0, 1, 2, 5, 3, 4]],
    "volume of another box": lambda s: s / 18,
}


def test_emt_passes_with_every_row_measured():
    result = audit(EMT(), [copper(), bulk("Cu"), molecule("CO2")])
    assert result.passed, str(result)
    assert result.precision == "float64"
    assert len(result.table) == 21
    assert {row.verdict for row in result.table} == {"pass"}


@pytest.mark.parametrize("smooth", [False, True])
def test_lennard_jones_passes_only_where_it_is_smooth(smooth):
    calculator = LennardJones(sigma=3.4, epsilon=0.0104, rc=8.5, smooth=smooth)
    result = audit(calculator, bulk("Ar", cubic=True, a=5.26))
    assert result.passed is smooth
    assert [row.name for row in result.table if row.verdict == "fail"] == ([] if smooth else ["force continuity"])


@pytest.mark.parametrize("name", TWISTS)
def test_case_16_a_wrong_stress_is_seen(name, request):
    def twist(atoms, results):
        return results | ({"stress": TWISTS[name](results["stress"])} if "stress" in results else {})

    structures = read(request.config.rootpath / STRAINED, ":")
    assert audit(wide_morse(twist), structures).passed is (name == "none")


def test_the_right_calculator_in_float32_passes_by_the_limits_of_float32():
    result = audit(Single(), copper())
    assert result.precision == "float32"
    assert result.passed, str(result)
    assert "limits of float32" in result.summary()


def test_what_a_calculator_remembers_fails():
    assert audit(Spoiled(forgetful), copper()).row("repeatability").verdict == "fail"


@pytest.mark.parametrize("key", ["energy", "forces", "stress"])
def test_nan_fails_clearly(key):
    result = audit(Spoiled(not_a_number(key)), copper())
    assert not result.passed
    assert "finite" in result.row("finite values").reason
    assert key in result.row("finite values").reason
    json.dumps(result.to_dict(), allow_nan=False)


def test_nan_at_perfect_symmetry_fails_although_rattled_copies_are_fine():
    result = audit(Spoiled(nan_when_perfect), copper())
    assert [row.name for row in result.table if row.verdict == "fail"] == ["finite values"]


def test_nothing_about_stress_without_one():
    class Silent(Spoiled):
        implemented_properties = ("energy", "forces")

    result = audit(Silent(lambda atoms, results, call: results.pop("stress", None)), copper())
    assert result.passed, str(result)
    assert {row.name for row in result.table if row.verdict == "not applicable"} == {"stress equivariance", "stress against differences"}
    assert result.row("stress equivariance").reason == "the calculator gives no stress"


def test_a_lone_atom_alone_is_not_enough_to_pass():
    result = audit(EMT(), Atoms("Cu"))
    assert not result.passed
    assert {row.verdict for row in result.table} == {"pass", "not applicable"}


def test_refusals_name_the_structure():
    with pytest.raises(DataError, match=r"structure 0 \(U\).*No EMT-potential for U"):
        audit(EMT(), Atoms("U"))
    with pytest.raises(DataError, match="no structure"):
        audit(EMT(), [])
    with pytest.raises(ConfigError, match="expected an ASE calculator or a potential"):
        audit("emt", copper())


def test_the_audit_changes_nothing_and_repeats_itself():
    structure = copper()
    before = structure.copy()
    first, second = audit(EMT(), structure, seed=3), audit(EMT(), structure, seed=3)
    assert structure == before
    assert structure.calc is None
    assert first == second


def test_the_cost_of_one_small_structure():
    assert audit(EMT(), copper()).calls <= 300


def test_one_of_each_kind_is_audited():
    structures = [copper((1, 1, 1))] * 10 + [molecule("CO2")] + [copper((1, 1, 1))] * 10
    assert set(audit(EMT(), structures).audited) >= {0, 10}


def test_a_calculator_without_a_free_energy():
    class Plain(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            super().calculate(atoms, properties, system_changes)
            right = wide_morse()
            right.calculate(atoms, ["energy"], [])
            self.results = {"energy": right.results["energy"], "forces": np.array(right.results["forces"])}

    assert audit(Plain(), copper()).passed
