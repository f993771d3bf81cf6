"""`sciml materials relax | md`: against the library's calls and ASE's EMT."""

from __future__ import annotations

import json
import re

import ase.io
import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.emt import EMT

from tests.cli.sample import copper, in_bohr, sciml, write


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


def test_relax_goes_on_where_the_calculator_raises(data, tmp_path):
    """EMT knows no silicon; a file of nothing else gives no output."""
    out, silicon = tmp_path / "relaxed.extxyz", bulk("Si")
    mixed = write(tmp_path / "mixed.extxyz", [*copper(1), silicon, *copper(1, seed=1)])
    done = sciml("materials", "relax", "ase:emt", mixed, "--out", out)
    assert done.exit_code == 4 and "1 of 3 structures did not converge, the first is record 1: the calculator raised" in done.stderr
    assert "1: the calculator raised NotImplementedError: No EMT-potential for Si, 0 steps\n" in done.stdout
    frames = ase.io.read(out, ":")
    assert [len(frame) for frame in frames] == [4, 2, 4] and frames[1].calc is None
    alone = sciml("materials", "relax", "ase:emt", write(tmp_path / "si.extxyz", [silicon]), "--out", tmp_path / "si-out.extxyz")
    assert alone.exit_code == 3 and "none of 1 structures could be evaluated" in alone.stderr and not (tmp_path / "si-out.extxyz").exists()


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_relax_that_is_ended_keeps_what_it_has(data, tmp_path, monkeypatch, error, code):
    """Frames go to the disk as they come; at the end of the command the file appears by one rename."""
    out, seen = tmp_path / "relaxed.extxyz", []

    class Ending(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=("positions", "numbers", "cell", "pbc")):
            if atoms.info["number"] == 2:
                seen.append(out.exists())
                raise error
            super().calculate(atoms, properties, system_changes)

    monkeypatch.setattr("sciml.cli.simulation.open_calculator", lambda *words: Ending())
    structures = copper(4)
    for number, atoms in enumerate(structures):
        atoms.info["number"] = number
    done = sciml("materials", "relax", "ase:emt", write(tmp_path / "in.extxyz", structures), "--out", out)
    assert done.exit_code == code and seen == [False]
    assert "ended early; it holds the first 2 of 4 structures" in done.stderr and "what was saved is kept" in done.stderr
    assert [frame.info["number"] for frame in ase.io.read(out, ":")] == [0, 1]
    assert {path.name for path in tmp_path.iterdir()} == {"in.extxyz", "relaxed.extxyz"}


def test_files_in_other_units_and_columns(data, tmp_path):
    given, bohr = copper(2), in_bohr(copper(2))
    for atoms in bohr:
        atoms.info["E0"] = 1.0
    files = write(tmp_path / "angstrom.extxyz", given), write(tmp_path / "bohr.extxyz", bohr)
    words = ["--units", "length=bohr,energy=Ry", "--keys", "energy=E0"]
    relaxed = [tmp_path / f"relaxed-{n}.extxyz" for n in (0, 1)]
    moved = [tmp_path / f"moved-{n}.extxyz" for n in (0, 1)]
    for file, more, rest, run in zip(files, ([], words), relaxed, moved, strict=True):
        assert sciml("materials", "relax", "ase:emt", file, "--out", rest, "--steps", 3, *more).exit_code == 4
        assert sciml("materials", "md", "ase:emt", file, "--out", run, "--steps", 3, *more).exit_code == 0
    for first, second in (relaxed, moved):
        for one, other in zip(ase.io.read(first, ":"), ase.io.read(second, ":"), strict=True):
            assert np.allclose(one.positions, other.positions, atol=1e-6)
            assert one.get_potential_energy() == pytest.approx(other.get_potential_energy(), abs=1e-6)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["relax", "--steps", -1], 2, "steps=-1"),
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
    nowhere = sciml("materials", name, "ase:emt", tmp_path / "none.cif", "--out", tmp_path / "nowhere" / "out.extxyz")
    assert nowhere.exit_code == 2 and "nowhere is not there" in nowhere.stderr
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


def test_md_that_blows_up_exits_4_and_keeps_the_frames(data, tmp_path):
    out = tmp_path / "trajectory.extxyz"
    words = ["--timestep", 50, "--temperature", 300, "--every", 1, "--record", 1]
    done = sciml("materials", "md", "ase:emt", data / "test.extxyz", "--out", out, *words)
    assert done.exit_code == 4 and done.stdout == ""
    assert re.search(
        r"test\.extxyz: record 1: molecular_dynamics: step \d+: .*trajectory\.extxyz has the frames up to step \d+", done.stderr
    )
    assert len(ase.io.read(out, ":")) >= 2


@pytest.mark.parametrize("name", ["md", "relax", "audit"])
def test_a_foreign_calculator_that_raises_is_named(data, tmp_path, monkeypatch, name):
    class Failing(EMT):
        calls = 0

        def calculate(self, atoms=None, properties=("energy",), system_changes=("positions", "numbers", "cell", "pbc")):
            self.calls += 1
            if self.calls > 3:
                raise RuntimeError("no licence")
            super().calculate(atoms, properties, system_changes)

    monkeypatch.setattr("sciml.cli.simulation.open_calculator", lambda *words: Failing())
    monkeypatch.setattr("sciml.cli.materials.open_calculator", lambda *words: Failing())
    words = [] if name == "audit" else ["--out", tmp_path / "out.extxyz", "--steps", 9]
    done = sciml("materials", name, "ase:emt", data / "test.extxyz", *words)
    said = {"md": "step 3: the calculator Failing raised", "relax": "record 0: the calculator raised", "audit": "the calculator raised"}[
        name
    ]
    assert f"{said} RuntimeError: no licence" in done.output and "unexpected" not in done.output
    assert done.exit_code == {"md": 1, "relax": 3, "audit": 1}[name]


@pytest.mark.parametrize("name", ["md", "relax"])
def test_refusals_name_file_and_record(run, tmp_path, name):
    mixed = write(tmp_path / "mixed.extxyz", [*copper(1), bulk("Si")])
    words = ["--record", 1] if name == "md" else []
    done = sciml("materials", name, run, mixed, "--out", tmp_path / "x.extxyz", *words)
    assert re.search(r"mixed\.extxyz.* record 1: species: found Si; this potential knows Cu", done.stderr)
    open_ends = write(tmp_path / "open.extxyz", [*copper(1), molecule("H2O")])
    done = sciml("materials", "relax", "ase:emt", open_ends, "--out", tmp_path / "y.extxyz", "--cell")
    assert done.exit_code == 3 and "open.extxyz: record 1: --cell needs three periodic directions" in done.stderr
