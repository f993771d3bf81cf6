"""Ratios are named by the fewest wrong units that explain them."""

from __future__ import annotations

import pytest

from sciml.materials.labels.factors import explain, known_factors, name_ratio

TABLE = known_factors()


@pytest.mark.parametrize(
    ("quantity", "ratio", "text"),
    [
        ("stress", 1602.18, "kBar"),
        ("stress", -1550.0, "kBar with the opposite sign"),
        ("stress", 160.2, "GPa"),
        ("stress", 1 / 160.2, "conversion from GPa"),
        ("stress", -1.0, "sign is flipped"),
        ("energy", 1 / 13.6, "Ry"),
        ("forces", 0.53, "eV/bohr"),
        ("forces", -1.03, "gradients"),
    ],
)
def test_names(quantity, ratio, text):
    assert text in name_ratio(quantity, ratio, 0.2, TABLE).text


@pytest.mark.parametrize("ratio", [1.0, 0.9, 1.15, 5.0, 0.0, float("nan")])
def test_no_name_near_one_or_far_from_all(ratio):
    assert name_ratio("stress", ratio, 0.2, TABLE) is None


def test_explanations():
    assert explain([("energy", "forces", 1.1, 0.5), ("stress", "forces", 0.9, 0.5)], TABLE) == ()
    (one,) = explain([("energy", "forces", 25.0, 0.5), ("stress", "forces", 26.5, 0.5)], TABLE)
    assert (one.quantity, "Ry/bohr" in one.text) == ("forces", True)
    (one,) = explain([("energy", "forces", 0.0735, 0.5), ("stress", "forces", 1.1, 0.5)], TABLE)
    assert one.quantity == "energy" and "Ry" in one.text
    two = explain([("energy", "forces", -1.0, 0.5), ("stress", "forces", -1602.0, 0.5)], TABLE)
    assert {each.quantity for each in two} <= {"forces", "stress", "energy"} and len(two) == 2
    assert explain([("stress", "energy", 4.5, 0.2)], TABLE) is None


def test_sizes_of_the_data_enter():
    table = known_factors(atoms_each=64.0, volume_A3=1100.0)
    assert "energies an atom" in name_ratio("energy", 1 / 63.5, 0.05, table).text
    assert "virial" in name_ratio("stress", -1100.0, 0.1, table).text
