"""Threads, options of reading, calculators by name."""

from __future__ import annotations

import pytest
import torch
from ase.calculators.emt import EMT

from sciml.cli.computing import open_calculator, read, read_options, use_threads
from sciml.errors import ConfigError
from sciml.materials.calculator import PotentialCalculator


def test_read_options(data):
    assert read_options(None, None, None, 0.4, None) == {"min_distance_A": 0.4}
    options = read_options(["energy=Ry"], ["energy=E"], "Si, O", 0.1, "poscar")
    assert options == {
        "min_distance_A": 0.1,
        "units": {"energy": "Ry"},
        "keys": {"energy": "E"},
        "symbols": ["Si", "O"],
        "format": "poscar",
    }
    assert len(read(data / "test.extxyz")) == 5


def test_open_calculator(run):
    assert isinstance(open_calculator("ase:emt", "float64", "cpu"), EMT)
    assert isinstance(open_calculator(str(run), "float64", "cpu"), PotentialCalculator)
    assert open_calculator("ase:lj", "float64", "cpu", ["rc=4.5"]).parameters.rc == 4.5
    with pytest.raises(ConfigError, match=r"ASE has no calculator 'nothing'"):
        open_calculator("ase:nothing", "float64", "cpu")
    with pytest.raises(ConfigError, match=r"--option: .* takes none"):
        open_calculator(str(run), "float64", "cpu", ["rc=4.5"])


def test_use_threads(monkeypatch):
    asked = []
    monkeypatch.setattr("sciml.devices.set_threads", asked.append)
    monkeypatch.setattr("sciml.devices.thread_limit", lambda: torch.get_num_threads())
    use_threads(None)
    assert asked == []
    use_threads(1)
    monkeypatch.setattr("sciml.devices.thread_limit", lambda: torch.get_num_threads() - 1)
    use_threads(None)
    assert asked == [1, None]
