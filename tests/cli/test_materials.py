"""`sciml materials check | predict | audit | models`."""

from __future__ import annotations

import json
import pickle
import zipfile

import numpy as np
import pytest
from ase.build import bulk

from sciml import materials as mat
from sciml.cli.materials import app
from tests.cli.sample import copper, in_bohr, sciml, write


def test_commands():
    assert {each.callback.__name__ for each in app.registered_commands} == set("check train predict relax md audit models".split())


def test_check(data):
    done = sciml("materials", "check", data / "train.extxyz", "--test", data / "test.extxyz")
    assert done.exit_code == 0 and "12 structures, 48 atoms" in done.stdout and "stress       12 of 12" in done.stdout
    found = json.loads(sciml("materials", "check", data / "train.extxyz", "--json").stdout)
    assert found["census"]["counts"] == {"energy": 12, "forces": 12, "stress": 12} and found["passed"]
    assert sciml("materials", "check", data / "train.extxyz", "-q").stdout == ""


def test_check_reads_stated_keys_and_units(tmp_path):
    structures = copper(3)
    for atoms in structures:
        atoms.info["REF_energy"] = atoms.get_potential_energy() / 13.605693122994
        atoms.calc = None
    file = write(tmp_path / "ry.extxyz", structures)
    words = ["--units", "energy=Ry", "--keys", "energy=REF_energy", "--json"]
    found = json.loads(sciml("materials", "check", file, *words).stdout)["census"]
    assert found["counts"] == {"energy": 3, "forces": 0, "stress": 0}
    assert found["ranges"]["energy_per_atom"]["mean"] == pytest.approx(np.mean([a.get_potential_energy() / 4 for a in copper(3)]), abs=1e-6)


def test_check_finds(data, tmp_path):
    leaking = sciml("materials", "check", data / "train.extxyz", "--test", data / "train.extxyz")
    assert leaking.exit_code == 3 and "leakage: " in leaking.stderr
    twice = write(tmp_path / "twice.extxyz", [*copper(4), copper(1)[0]])
    assert sciml("materials", "check", twice).exit_code == 0
    assert sciml("materials", "check", twice, "--strict").exit_code == 3
    bare = write(tmp_path / "bare.extxyz", [atoms.copy() for atoms in copper(2)])
    missing = sciml("materials", "check", bare, "--require", "energy,forces")
    assert missing.exit_code == 3 and "none of 2 structures has this label" in missing.stderr
    assert sciml("materials", "check", bare, "--require", "dipole").exit_code == 2
    nowhere = sciml("materials", "check", tmp_path / "none.extxyz")
    assert nowhere.exit_code == 3 and "no such file" in nowhere.stderr


def test_check_against_a_model(data, run):
    assert sciml("materials", "check", data / "test.extxyz", "--model", run).exit_code == 0
    assert sciml("materials", "check", data / "test.extxyz", "--model", "none").exit_code == 3


def test_check_against_a_model_takes_its_device_precision_and_threads(data, run, monkeypatch):
    asked, threads = [], []

    def predict(self, structures, **options):
        asked.append(options)
        return [None] * len(structures)

    monkeypatch.setattr(mat.Potential, "predict", predict)
    monkeypatch.setattr("sciml.cli.materials.use_threads", threads.append)
    words = ["materials", "check", data / "test.extxyz", "--model", run]
    assert sciml(*words, "--device", "cpu", "--dtype", "float64", "--threads", 1).exit_code == 0
    assert sciml(*words).exit_code == 0
    assert asked == [{"dtype": "float64", "device": "cpu"}, {"dtype": "float32", "device": "auto"}] and threads == [1, None]
    assert sciml(*words, "--device", "cuda:99").exit_code == 2
    assert sciml(*words, "--dtype", "float16").exit_code == 2


@pytest.mark.parametrize("words", [["--dtype", "float64"], ["--device", "cpu"], ["--threads", 1], ["--dtype", "float16"]])
def test_check_refuses_options_of_a_model_where_there_is_none(data, words):
    done = sciml("materials", "check", data / "train.extxyz", *words)
    assert done.exit_code == 2 and f"{words[0]} {words[1]}: it has an effect with --model only" in done.stderr


def test_check_names_the_record_that_the_model_refuses(run, tmp_path):
    structures = copper(3)
    structures[0].calc.results.pop("stress")
    structures[2].numbers[0] = 14
    done = sciml("materials", "check", write(tmp_path / "odd.extxyz", structures), "--model", run)
    assert done.exit_code == 3 and "odd.extxyz: record 2, species: found Si" in done.stderr


def test_predict(data, run, tmp_path):
    out = tmp_path / "predicted.extxyz"
    done = sciml("materials", "predict", run, data / "test.extxyz", "--out", out)
    assert done.exit_code == 0 and "5 structures" in done.stdout and "eV/A^3, tension positive" in done.stdout
    given, read = mat.read_structures(data / "test.extxyz"), mat.read_structures(out)
    for before, after, own in zip(given, read, mat.load_potential(run).predict(given), strict=True):
        results = after.calc.results
        assert results["energy"] == pytest.approx(own.energy, abs=1e-6) and after.info["energy_std"] == pytest.approx(
            own.energy_std, abs=1e-6
        )
        assert np.allclose(results["forces"], own.forces, atol=1e-7) and np.allclose(results["stress"], own.stress_voigt, atol=1e-7)
        assert np.allclose(after.arrays["forces_std"], own.forces_std, atol=1e-7) and after.info["in_domain"]
        assert after.info["REF_energy"] == pytest.approx(before.get_potential_energy(), abs=1e-7)
        assert np.allclose(after.arrays["REF_forces"], before.get_forces(), atol=1e-7)
        assert "energy eV; forces eV/A" in after.info["units"] and after.info["model"].startswith("copper ")
    again = sciml("materials", "predict", run, data / "test.extxyz", "--out", out)
    assert again.exit_code == 2 and "exists; give another name, or --overwrite" in again.stderr
    assert sciml("materials", "predict", run, data / "test.extxyz", "--out", out, "--overwrite", "--json").exit_code == 0


@pytest.fixture
def bad_models(tmp_path):
    """Files that are no models: a pickle, a zip with a pickle, an empty folder."""

    class Trap:
        def __reduce__(self):
            return (print, ("executed",))

    (tmp_path / "model.pt").write_bytes(pickle.dumps(Trap()))
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Trap()))
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["model.pt", "model.zip", "empty", "nothing.zip"])
def test_what_is_no_model(bad_models, data, name):
    out = bad_models / "x.extxyz"
    done = sciml("materials", "predict", bad_models / name, data / "test.extxyz", "--out", out)
    assert done.exit_code == 3 and "executed" not in done.output and not out.exists()
    assert name in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_predict_refuses(data, run, tmp_path):
    silicon = write(tmp_path / "si.extxyz", [bulk("Si")])
    wrong = sciml("materials", "predict", run, silicon, "--out", tmp_path / "x.extxyz")
    assert wrong.exit_code == 3 and "si.extxyz: record 0, species: found Si; this potential knows Cu" in wrong.stderr
    assert not (tmp_path / "x.extxyz").exists()
    words = ["materials", "predict", run, data / "test.extxyz", "--out"]
    assert sciml(*words, tmp_path / "x.extxyz", "--dtype", "float16").exit_code == 2
    assert sciml(*words, tmp_path / "x.extxyz", "--device", "cuda:99").exit_code == 2
    assert sciml(*words, tmp_path / "x.txt").exit_code == 2
    assert sciml(*words, data / "test.extxyz", "--overwrite").exit_code == 2
    assert sciml("materials", "predict", run, tmp_path / "none.cif", "--out", tmp_path / "x.extxyz").exit_code == 3


def test_audit(data, tmp_path):
    words = ["materials", "audit", "ase:emt", data / "test.extxyz", "--json", "--report", tmp_path / "audit.html"]
    done = sciml(*words)
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and found["passed"] and "close approach" in {row["name"] for row in found["table"]}
    assert "forces against differences" in (tmp_path / "audit.html").read_text("utf-8")
    (tmp_path / "audit.html").write_text("mine")
    again = sciml(*words)
    assert again.exit_code == 2 and "audit.html exists; give another name, or --overwrite" in again.stderr
    assert (tmp_path / "audit.html").read_text() == "mine"
    assert sciml(*words, "--overwrite").exit_code == 0 and "forces against" in (tmp_path / "audit.html").read_text("utf-8")


@pytest.mark.parametrize(("name", "said"), [("x.txt", "ends in .html"), ("nowhere/x.html", "nowhere is not there")])
def test_audit_refuses_a_page_before_it_starts(data, tmp_path, name, said):
    done = sciml("materials", "audit", "ase:emt", tmp_path / "none.cif", "--report", tmp_path / name)
    assert done.exit_code == 2 and "--report: " in done.stderr and said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_audit_of_a_file_in_other_units_and_columns(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        mat, "audit", lambda calculator, structures, seed: seen.extend(structures) or mat.Audit("emt", "float64", 2, (), (), 0, seed)
    )
    bohr = in_bohr(copper(2))
    for atoms in bohr:
        atoms.info["E0"] = 1.0
    file = write(tmp_path / "bohr.extxyz", bohr)
    sciml("materials", "audit", "ase:emt", file, "--units", "length=bohr", "--keys", "energy=E0")
    assert [atoms.get_potential_energy() for atoms in seen] == [1.0, 1.0]
    assert all(np.allclose(atoms.positions, given.positions, atol=1e-6) for atoms, given in zip(seen, copper(2), strict=True))


def test_audit_fails_and_refuses(data, tmp_path):
    broken = sciml("materials", "audit", "ase:lj", data / "test.extxyz", "--option", "sigma=2.3,rc=5", "--option", "smooth=false")
    assert broken.exit_code == 1 and "NOT passed" in broken.stdout
    for words, code in (
        (["ase:nothing", data / "test.extxyz"], 2),
        (["ase:emt", data / "test.extxyz", "--option", "colour=blue"], 2),
        (["none", data / "test.extxyz"], 3),
        (["ase:emt", write(tmp_path / "si.extxyz", [bulk("Si")])], 3),
    ):
        done = sciml("materials", "audit", *words)
        assert done.exit_code == code and len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_models():
    done = sciml("materials", "models", "--json")
    assert done.exit_code == 0 and set(json.loads(done.stdout)["models"]) == set(mat.list_potentials())
    assert sciml("materials", "models").exit_code == 0
