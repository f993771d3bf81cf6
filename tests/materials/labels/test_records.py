"""Single records whose labels belong elsewhere are found and named."""

from __future__ import annotations

import re

import pytest

from sciml.materials.datasets import load_dataset
from sciml.materials.labels import check
from tests.materials.labels.planting import scaled, shifted, swapped


@pytest.fixture(scope="module")
def silicon():
    """80 of the 214 training structures, every group among them."""
    chosen = load_dataset("mlearn-si", "train")
    return [atoms for atoms in chosen if atoms.info["group"] != "Elastic"][::2]


def kinds(report):
    return [(finding.kind, finding.records) for finding in report.findings if finding.level != "note"]


def test_no_alarm(silicon):
    assert kinds(check(silicon)) == []


@pytest.mark.parametrize("names", [("energy", "forces", "stress"), ("forces",)])
def test_swapped_labels(silicon, names):
    ((kind, records),) = kinds(check(swapped(silicon, 3, 20, names)))
    assert kind == "swapped-labels" and records == (3, 20)


def test_forces_of_nowhere(silicon):
    faulty = scaled(silicon)
    faulty[4].calc.results["forces"] = faulty[4].calc.results["forces"][::-1].copy()
    report = check(faulty)
    assert kinds(report) == [("odd-forces", (4,))]


def test_a_part_in_another_unit(silicon):
    report = check(scaled(silicon, range(10, 20), energy=1 / 13.605693))
    ((kind, records),) = kinds(report)
    assert kind == "energy-scale" and records == tuple(range(10, 20)) and "Ry" in report.findings[0].message


def test_offset_of_one_element_in_a_part(silicon):
    report = check(shifted(silicon, range(0, 60, 3), "Si", 0.5))
    ((kind, records),) = kinds(report)
    assert kind == "element-offset" and records == tuple(range(0, 60, 3))
    assert "atom of Si" in report.findings[0].message and re.search(r"\+0\.(4[5-9]|5[0-5])", report.findings[0].message)
