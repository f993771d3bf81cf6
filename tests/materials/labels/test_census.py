"""The census counts what is there, and a weighted target without data is refused."""

from __future__ import annotations

import json

import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from sciml.errors import DataError
from sciml.materials.datasets import load_dataset
from sciml.materials.labels import census


def test_silicon_as_published():
    counted = census(load_dataset("mlearn-si", "train"))
    assert counted.structures == 214 and counted.counts == {"energy": 214, "forces": 214, "stress": 214}
    assert counted.groups == {"AIMD-NVT": 90, "Elastic": 55, "Surface": 12, "Vacancy": 57}
    assert counted.ranges["energy_per_atom"].low == pytest.approx(-5.4253, abs=1e-4)
    assert counted.ranges["forces"].rms == pytest.approx(0.874, abs=1e-3)
    assert counted.unused == {"description": 214}
    assert json.loads(json.dumps(counted.to_dict()))["elements"]["Si"]["atoms"] == counted.atoms
    assert "columns kept but not used: description 214" in counted.text()


def test_missing_targets():
    water = Atoms("OH2", positions=[[0, 0, 0], [0, 0, 1], [0, 1, 0]])
    water.calc = SinglePointCalculator(water, energy=-2.0)
    water.info["REF_forces"] = 1.0
    counted = census([water, Atoms("H")])
    assert counted.counts == {"energy": 1, "forces": 0, "stress": 0}
    assert (counted.elements["H"].structures, counted.elements["H"].atoms, counted.elements["H"].energy) == (2, 3, 1)
    counted.require({"energy": 1.0, "stress": 0.0, "forces": None})
    with pytest.raises(DataError, match="REF_forces"):
        counted.require({"forces": 1.0})
    with pytest.raises(DataError, match="stress"):
        counted.require({"stress": 0.1})


def test_of_nothing():
    assert census([]).structures == 0
