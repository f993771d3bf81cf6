from __future__ import annotations

from decimal import Decimal

import pytest

from sciml.biology.cell_tables.written_units import factor_between, plain_unit, unit_in_brackets


@pytest.mark.parametrize("text", ["ng/ml", "ng/mL", " ng / mL ", "ng mL-1", "ng.ml^-1", "ng·mL⁻¹", "ng per ml"])
def test_writings_of_one_unit(text):
    assert plain_unit(text) == "ng/ml"


def test_micro():
    assert plain_unit("µM") == plain_unit("μM") == plain_unit("uM") == "uM"
    assert plain_unit("L") == "l" and plain_unit("µL") == "ul" and plain_unit("AU") == "AU" and plain_unit("FL1") == "FL1"


@pytest.mark.parametrize(
    ("unit", "target", "factor"),
    [
        ("ug/ml", "ng/ml", "1000"), ("pg/ml", "ng/ml", "0.001"), ("ng/l", "pg/ml", "1"), ("mM", "nM", "1000000"),
        ("nmol/l", "nM", "1"), ("umol/ml", "mM", "1"), ("h", "min", "60"), ("min", "s", "60"), ("ms", "s", "0.001"), ("IU/ml", "U/ml", "1"),
    ],
)  # fmt: skip
def test_factors(unit, target, factor):
    assert factor_between(unit, target) == Decimal(factor)


@pytest.mark.parametrize(
    ("unit", "target"), [("ng/ml", "nM"), ("ng", "ng/ml"), ("mM", "mm"), ("%", "ng"), ("AU", "RFU"), ("", "ng"), ("/ml", "ng/ml")]
)
def test_kinds_apart(unit, target):
    assert factor_between(unit, target) is None


def test_units_of_a_header():
    assert unit_in_brackets("TNF (ng/mL)") == unit_in_brackets("TNF [ng/ml] ") == "ng/ml"
    assert unit_in_brackets("TNF") == unit_in_brackets("f(x) raw") == ""
