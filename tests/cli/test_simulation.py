"""`sciml materials relax | md`: against the library's calls and ASE's EMT."""

from __future__ import annotations

import json

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from tests.cli.sample import sciml, write


def test_relax(data, tmp_path):
    out = tmp_path / "relaxed.extxyz"
    done = sciml("materials", "relax", "ase:emt", data / "test.extxyz", "--out", out, "--cell", "--fmax", 0.005, "--json")
    found = json.loads(done.stdout)["structures"]
    assert done.exit_code == 0 and all(each["converged"] for each in found) and len(found) == 5
    for atoms in ase.io.read(out, ":"):
        atoms.calc = EMT()
        assert np.abs(atoms.get_forces()).max() < 0.005
        assert atoms.get_volume() / 4 == pytest.approx(3.59**3 / 4, rel=0.01)  # EMT's copper


def test_relax_that_does_not_converge_is_named(data, tmp_path):
    out = tmp_path / "relaxed.extxyz"
    done = sciml("materials", "relax", "ase:emt", data / "test.extxyz", "--out", out, "--steps", 1)
    assert done.exit_code == 4 and "did not converge, the first is record 0" in done.stderr
    assert len(ase.io.read(out, ":")) == 5


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["relax", "--pressure", 1], 2, "--cell"),
        (["relax", "--fmax", 0], 2, "fmax"),
        (["md", "--record", 5], 2, "--record: found 5"),
        (["md", "--timestep", -1], 2, "timestep_fs=-1.0"),
        (["md", "--steps", -1], 2, "steps=-1"),
        (["md", "--temperature", -5], 2, "temperature_K=-5.0"),
    ],
)
def test_options_that_are_refused(data, tmp_path, words, code, said):
    done = sciml("materials", words[0], "ase:emt", data / "test.extxyz", "--out", tmp_path / "x.extxyz", *words[1:])
    assert done.exit_code == code and said in done.stderr and not (tmp_path / "x.extxyz").exists()


@pytest.mark.parametrize("name", ["relax", "md"])
def test_wrong_element_missing_file_existing_out(run, data, tmp_path, name):
    silicon, out = write(tmp_path / "si.extxyz", [bulk("Si")]), tmp_path / "out.extxyz"
    assert sciml("materials", name, run, silicon, "--out", out).exit_code == 3
    assert sciml("materials", name, run, tmp_path / "none.cif", "--out", out).exit_code == 3
    out.write_text("mine")
    assert sciml("materials", name, "ase:emt", data / "test.extxyz", "--out", out).exit_code == 2
    assert out.read_text() == "mine"


def test_md(data, tmp_path):
    out = tmp_path / "trajectory.extxyz"
    words = ["--steps", 40, "--temperature", 300, "--seed", 5, "--every", 20, "--json", "--record", 1]
    done = sciml("materials", "md", "ase:emt", data / "test.extxyz", "--out", out, *words)
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and found["steps"] == 40 and found["seed"] == 5
    frames = ase.io.read(out, ":")
    assert len(frames) == 3 and np.allclose(frames[0].positions, ase.io.read(data / "test.extxyz", 1).positions, atol=1e-7)
    assert abs(found["last_total_energy_eV"] - found["first_total_energy_eV"]) < 0.01
