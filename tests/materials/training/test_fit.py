"""`train_potential` from structures to a model file: it learns, its folder is whole; refusals, fine-tuning, ensembles, known failures."""

from __future__ import annotations

import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms

from sciml import files
from sciml.errors import ConfigError, DataError
from sciml.materials.model_file import load_potential
from sciml.materials.potential import Potential
from sciml.materials.run_report import RunRecord, training_section
from sciml.materials.training import train_potential

CASES = Path(__file__).resolve().parents[2] / "data" / "cases"


def forces_rmse(potential: Potential, structures: list[Atoms]) -> float:
    errors = [p.forces - a.get_forces() for p, a in zip(potential.predict(structures), structures, strict=True)]
    return float(np.sqrt(np.mean(np.square(errors))))


def test_it_learns_and_leaves_a_whole_folder(copper, tiny, tmp_path: Path) -> None:
    train, test, out = copper(24), copper(6, seed=9), tmp_path / "run"
    potential = train_potential(train, test=test, steps=150, model_options=tiny, cutoff_A=4.0, out=out, seed=1)
    rms = float(np.sqrt(np.mean([atoms.get_forces() ** 2 for atoms in test])))
    assert forces_rmse(potential, test) < 0.5 * rms
    curve = [json.loads(line) for line in files.read_lines(out / "learning_curve.jsonl")]
    assert [line["step"] for line in curve] == list(range(3, 151, 3))
    assert curve[-1]["loss_forces"] < 0.3 * curve[0]["loss_forces"]
    assert all(line["valid"]["forces_rmse_eV_per_A"] > 0 and line["seconds"] > 0 for line in curve)
    losses = [line["valid"]["loss"] for line in curve]
    assert curve[-1]["best_step"] == curve[int(np.argmin(losses))]["step"]
    manifest = files.verify_folder(out)
    assert manifest["kind"] == "training" and manifest["seed"] == 1
    written = {"budget.json", "census.json", "config.json", "learning_curve.jsonl", "metrics.json"}
    assert set(manifest["files"]) == written | {f"parity-{name}.parquet" for name in ("energy", "forces", "stress")}
    metrics = files.read_json(out / "metrics.json")
    assert metrics["test"]["all"]["forces"]["rmse"] == pytest.approx(forces_rmse(potential, test), rel=1e-4)
    assert metrics["validation"][0]["step"] == curve[-1]["best_step"]
    assert files.read_json(out / "census.json")["structures"] == 24
    again = load_potential(out)
    np.testing.assert_array_equal(again.predict(test)[0].forces, potential.predict(test)[0].forces)


def test_same_seed_same_bits_other_seed_other_weights(copper, tiny, tmp_path: Path) -> None:
    runs = [train_potential(copper(6), steps=6, model_options=tiny, out=tmp_path / str(k), seed=seed) for k, seed in enumerate((0, 0, 1))]
    weights = [np.concatenate([tensor.numpy().ravel() for tensor in run.to_state()[1][0].values()]) for run in runs]
    assert weights[0].tobytes() == weights[1].tobytes()
    assert weights[0].tobytes() != weights[2].tobytes()


def test_existing_folder_is_refused_and_a_finished_run_is_read(copper, tiny, tmp_path: Path) -> None:
    arguments = {"steps": 4, "model_options": tiny, "out": tmp_path / "run"}
    first = train_potential(copper(4), **arguments)
    with pytest.raises(ConfigError, match="not empty"):
        train_potential(copper(4), **arguments)
    again = train_potential(copper(4), **arguments, resume=True)
    np.testing.assert_array_equal(first.predict(copper(1))[0].forces, again.predict(copper(1))[0].forces)
    with pytest.raises(ConfigError, match="seed: 0 there, 5 now"):
        train_potential(copper(4), **arguments, resume=True, seed=5)
    with pytest.raises(ConfigError, match="train_digest"):
        train_potential(copper(5), **arguments, resume=True)
    with pytest.raises(ConfigError, match="steps: found 9, but the run in .* was begun with 4"):
        train_potential(copper(4), **(arguments | {"steps": 9}), resume=True)


def test_the_manifest_says_what_was_run_on_what(copper, tiny, tmp_path: Path) -> None:
    """Steps and warm-up of the run, not of the recipe; sources and digests of what was trained on and validated on."""
    ase.io.write(tmp_path / "train.extxyz", copper(24), format="extxyz")
    chosen = {"steps": 30, "model_options": tiny, "cutoff_A": 4.0, "report": False}
    train_potential(tmp_path / "train.extxyz", test=copper(2, seed=9), out=tmp_path / "split", **chosen)
    manifest = files.verify_folder(tmp_path / "split")
    config, data = manifest["config"], manifest["data"]
    assert (config["recipe"]["steps"], config["recipe"]["warmup_steps"]) == (30, 3)
    training = load_potential(tmp_path / "split").metadata["training"]
    assert training["recipe"] == config["recipe"] and training["train_digest"] == config["train_digest"] == data["train"]["digest"]
    assert config["valid_digest"] == data["valid"]["digest"] == training["valid_digest"] != config["train_digest"]
    assert data["train"]["source"] == str(tmp_path / "train.extxyz") and data["valid"]["source"] == f"a part of {data['train']['source']}"
    assert data["train"]["structures"] + data["valid"]["structures"] == 24 and data["test"] == {"source": "2 structures in memory"}
    assert files.read_json(tmp_path / "split" / "metrics.json")["without_validation"] is None
    train_potential(copper(4), out=tmp_path / "few", **chosen)
    manifest = files.verify_folder(tmp_path / "few")
    assert manifest["data"]["train"]["source"] == "4 structures in memory" and manifest["data"]["valid"] is manifest["data"]["test"] is None
    assert manifest["config"]["valid_digest"] is None
    assert "no validation set: 4 structures" in manifest["metrics"]["without_validation"]
    assert "no validation set: 4 structures" in training_section(RunRecord.read(tmp_path / "few")).lead
    with pytest.raises(ConfigError, match="nothing to resume in .*missing"):
        train_potential(copper(4), out=tmp_path / "missing", resume=True, **chosen)


def test_fine_tuning_starts_where_the_other_ended(copper, tiny, tmp_path: Path) -> None:
    train = copper(12)
    first = train_potential(train, steps=80, model_options=tiny, cutoff_A=4.0, out=tmp_path / "first")
    recipe = {"peak_lr": 1e-6}
    tuned = train_potential(train, steps=2, start_from=tmp_path / "first", recipe=recipe, out=tmp_path / "second")
    assert forces_rmse(tuned, train) == pytest.approx(forces_rmse(first, train), rel=1e-2)
    shifted = [atoms.copy() for atoms in train]
    for atoms, source in zip(shifted, train, strict=True):
        atoms.info["energy"] = source.get_potential_energy() + 100.0 * len(atoms)  # another code's zero of energy
    moved = train_potential(shifted, steps=1, start_from=first, recipe=recipe, out=tmp_path / "third")
    assert moved.references["Cu"] == pytest.approx(first.references["Cu"] + 100, abs=0.05)
    with pytest.raises(DataError, match=r"element Si is unknown \(known: Cu\)"):
        silicon = Atoms("Si2", [[0, 0, 0], [0, 0, 2.3]], info={"energy": -1.0})
        train_potential([silicon], steps=1, start_from=first, out=tmp_path / "fourth")


def test_ensemble_members_differ_and_the_first_is_the_single_model(copper, tiny, tmp_path: Path) -> None:
    single = train_potential(copper(6), steps=5, model_options=tiny, out=tmp_path / "one", seed=3)
    several = train_potential(copper(6), steps=5, model_options=tiny, out=tmp_path / "two", seed=3, ensemble=2)
    prediction = several.predict(copper(1, seed=5))[0]
    assert prediction.energy_std > 0 and prediction.forces_std.shape == (4, 3)
    first, second = several.to_state()[1]
    for name, tensor in single.to_state()[1][0].items():
        np.testing.assert_array_equal(tensor.numpy(), first[name].numpy())
    assert any(not np.array_equal(first[name], second[name]) for name in first)
    lines = [json.loads(line)["member"] for line in files.read_lines(tmp_path / "two" / "learning_curve.jsonl")]
    assert lines == sorted(lines) and set(lines) == {0, 1}


def test_minutes_become_steps_once(copper, tiny, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_potential(copper(4), minutes=0.02, model_options=tiny, out=out)
    budget = files.read_json(out / "budget.json")
    assert budget["minutes"] == 0.02 and budget["steps"] >= 1
    assert budget["steps"] == json.loads(files.read_lines(out / "learning_curve.jsonl")[-1])["step"]
    train_potential(copper(4), minutes=0.02, model_options=tiny, out=out, resume=True)
    assert files.read_json(out / "budget.json") == budget


def test_labels_may_be_missing(copper, tiny, tmp_path: Path) -> None:
    structures = copper(6)
    structures[1].calc = None
    structures[1].info["energy"] = structures[0].get_potential_energy()
    structures[2].calc.results.pop("stress")
    structures[3].calc = None
    assert np.isfinite(train_potential(structures, steps=4, model_options=tiny, out=tmp_path / "mixed").predict(structures)[0].energy)
    for name in ("energy", "forces", "stress"):
        only = copper(3)
        for atoms in only:
            atoms.calc.results = {name: atoms.calc.results[name]}
        potential = train_potential(only, steps=3, model_options=tiny, out=tmp_path / name)
        assert np.isfinite(potential.predict(only)[0].forces).all()


def test_what_cannot_be_trained_on_is_refused(copper, tiny, tmp_path: Path) -> None:
    bare = copper(3)
    for atoms in bare:
        atoms.calc = None
    cases = [
        (DataError, "no structure has an energy, forces or a stress", bare, {}),
        (DataError, "stress: the weight is 1", [*bare, *_energies(copper)], {"weights": {"stress": 1.0, "energy": 1.0}}),
        (ConfigError, "weights: found 'force'", copper(3), {"weights": {"force": 1.0}}),
        (ConfigError, "steps, minutes: found 3 and 1", copper(3), {"minutes": 1}),
        (ConfigError, "model.kind: found 'unheard'", copper(3), {"model": "unheard"}),
        (ConfigError, "recipe.peak_lr", copper(3), {"recipe": {"peak_lr": -1}}),
        (ConfigError, "ensemble: found 0", copper(3), {"ensemble": 0}),
        (DataError, "identical to training structures", copper(3), {"test": copper(1)}),
        (DataError, "no structure", [], {}),
        (ConfigError, "structures: found int", 3, {}),
    ]
    for number, (error, text, structures, options) in enumerate(cases):
        with pytest.raises(error, match=text):
            train_potential(structures, **({"steps": 3, "model_options": tiny, "out": tmp_path / str(number)} | options))


def _energies(copper) -> list[Atoms]:
    structures = copper(2)
    for atoms in structures:
        atoms.calc.results = {"energy": atoms.calc.results["energy"]}
    return structures


def test_references_of_one_composition_take_the_minimum_norm(tmp_path: Path) -> None:
    """Case 18: energies of NaCl alone do not say what Na is worth; each gets half, and a lone atom its reference exactly."""
    structures = ase.io.read(CASES / "18-salt.extxyz", ":")
    potential = train_potential(structures, None, steps=2, seed=0, out=tmp_path / "run")
    for symbol in ("Na", "Cl"):
        assert potential.predict([Atoms(symbol)])[0].energy == pytest.approx(-3.0, abs=1e-6)
    assert potential.references.rank == 1 and set(potential.references.origin) == {"fitted"}


@pytest.mark.parametrize("model", ["invariant", "equivariant"])
@pytest.mark.parametrize("records", [[0], [1, 2, 3]])
def test_nothing_to_learn(model: str, records: list[int], tmp_path: Path) -> None:
    """Case 21: perfect crystals, a straight molecule, a lone atom, no validation set: all finite, forces zero by symmetry."""
    structures = ase.io.read(CASES / "21-perfect.extxyz", ":")
    chosen = [structures[record] for record in records]
    potential = train_potential(chosen, None, model=model, steps=3, seed=0, out=tmp_path / "run")
    for atoms, prediction in zip(chosen, potential.predict(chosen), strict=True):
        assert np.isfinite(prediction.energy) and np.isfinite(prediction.forces).all()
        if str(atoms.symbols) != "OCO":
            assert np.abs(prediction.forces).max() <= 1e-4
