"""Threads, options of reading, calculators by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ase.calculators.emt import EMT

from sciml.cli.computing import open_calculator, open_potential, read, read_options, records_of, use_threads
from sciml.errors import ConfigError, DataError, ModelFileError
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


@pytest.mark.parametrize("distance", [float("nan"), float("inf"), -1.0])
def test_a_smallest_distance_that_is_none_is_refused(distance):
    with pytest.raises(ConfigError, match=f"--min-distance: found {distance}"):
        read_options(None, None, None, distance, None)


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


@pytest.mark.parametrize(
    ("records", "message", "says"),
    [
        (range(64, 128), "structure 3, species: found Si", "a.xyz: record 67, species: found Si"),
        (range(4), "audit: structure 1 (Cu4): no", "a.xyz: record 1 (Cu4): no"),
        ([5], "species: found Si", "a.xyz: record 5: species: found Si"),
        (range(4), "no structure", "a.xyz: no structure"),
        ([2, 7], "structure 1: no", "a.xyz: record 7: no"),
        (range(4), "a.xyz: structure 1: no", "a.xyz: structure 1: no"),
    ],
)
def test_errors_about_structures_name_file_and_record(records, message, says):
    with pytest.raises(DataError) as caught, records_of(Path("a.xyz"), records):
        raise DataError(message)
    assert str(caught.value) == says
    with pytest.raises(ConfigError, match="^fmax=0$"), records_of(Path("a.xyz"), records):
        raise ConfigError("fmax=0")


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [("", ConfigError, "empty name"), ("ase:emt", ConfigError, "a potential of sciml"), ("none", ModelFileError, "no such")],
)
def test_open_potential_refuses(name, error, says):
    with pytest.raises(error, match=says):
        open_potential(name)


def test_a_calculator_that_cannot_be_made_is_named():
    with pytest.raises(ConfigError, match="ase:espresso with {} cannot be made"):
        open_calculator("ase:espresso", "float64", "cpu")
