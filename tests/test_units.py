"""Against ase.units, which is written independently, and against the textbook values."""

from __future__ import annotations

import ase.units
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciml import units
from sciml.errors import ConfigError

ASE = {
    "energy": {"eV": ase.units.eV, "Ry": ase.units.Ry, "Ha": ase.units.Ha, "kcal/mol": ase.units.kcal / ase.units.mol},
    "length": {"A": ase.units.Angstrom, "nm": ase.units.nm, "bohr": ase.units.Bohr},
    "forces": {"Ha/bohr": ase.units.Ha / ase.units.Bohr, "kJ/mol/nm": ase.units.kJ / ase.units.mol / ase.units.nm},
    "stress": {"GPa": ase.units.GPa, "kBar": 1e3 * ase.units.bar, "Pa": ase.units.Pascal, "Ry/bohr^3": ase.units.Ry / ase.units.Bohr**3},
    "virial": {"Ha": ase.units.Ha},
}


@pytest.mark.parametrize(("quantity", "unit"), [(q, u) for q, table in ASE.items() for u in table])
def test_factors_are_those_of_ase(quantity, unit):
    assert units.factor(quantity, unit) == pytest.approx(ASE[quantity][unit], rel=1e-14)


def test_textbook_values():
    assert units.EV_PER_A3_IN_GPA == pytest.approx(160.2177, abs=1e-4)
    assert 1 / units.KBAR_IN_EV_PER_A3 == pytest.approx(1602.177, abs=1e-3)
    assert units.factor("energy", "kcal/mol") == pytest.approx(1 / 23.0605, rel=1e-5)


@given(st.sampled_from([(q, u) for q, table in units.UNITS.items() for u in table]))
def test_minus_flips_the_sign_and_case_does_not_matter(pair):
    quantity, unit = pair
    assert units.factor(quantity, "-" + unit) == -units.factor(quantity, unit)
    assert units.factor(quantity, f" {unit.lower()} ") == units.factor(quantity, unit)


@pytest.mark.parametrize("unit", ["MeV", "kbra", "", "-", "--kBar", "eV", "mPa"])
def test_unknown_units_are_named_with_the_nearest(unit):
    with pytest.raises(ConfigError, match=r"units: stress: unknown unit .* Known: .*GPa"):
        units.factor("stress", unit)


def test_messages():
    with pytest.raises(ConfigError, match=r"'kbra' \(did you mean 'kBar'\?\)\. Known: GPa, kBar, bar, Pa, or ENERGY/LENGTH\^3,"):
        units.factor("stress", "kbra")
    with pytest.raises(ConfigError, match=r"unknown unit 'parsec'\. Known: eV, meV, .*, kJ/mol\. A '-' before it flips the sign\.$"):
        units.factor("energy", "parsec")
    with pytest.raises(ConfigError, match=r"Known: ENERGY/LENGTH, as eV/A, of eV, .* and A, angstrom, nm, pm, bohr\."):
        units.factor("forces", "parsec")
    with pytest.raises(ConfigError, match=r"no quantity 'charge', expected one of energy, length"):
        units.factor("charge", "e")
    with pytest.raises(ConfigError, match="unknown unit 'MeV'"):
        units.factor("energy", "MeV")
