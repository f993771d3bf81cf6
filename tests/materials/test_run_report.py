"""The report of a run: its figures are those of the run folder, the worst structure is the worst, what is missing is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from sciml import materials as mat
from sciml.errors import DataError
from sciml.materials import run_report
from sciml.materials.labels import check
from sciml.materials.run_report import RunRecord, audit_in_time, run_facts, run_sections, write_run_report
from sciml.report import KeyFigures, Structure3D, Table, Text
from tests.cli.sample import copper

TINY = {"l_max": 1, "channels": 4, "radial": 3, "hidden": 4, "message_l_max": 1}
TEST = copper(6, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "copper"
    options = {"steps": 3, "out": out, "model_options": TINY, "cutoff_A": 4.0, "verbose": False}
    mat.train_potential(copper(22), test=TEST, ensemble=2, **options)
    return out


@pytest.fixture(scope="module")
def record(folder) -> RunRecord:
    return RunRecord.read(folder)


def blocks(sections, kind):
    return [block for section in sections for block in section.blocks if isinstance(block, kind)]


def test_every_run_leaves_its_report(folder):
    assert (folder / "report.html").stat().st_size > 1e6
    index = json.loads((folder / "report-data" / "report.json").read_text())
    titles = [section["title"] for section in index["sections"]]
    assert titles == ["", "Test set", "Predicted uncertainty", "Worst structure", "Audit", "Training", "Labels", "Data"]
    assert index["run"]["data digest (SHA-256)"] == json.loads((folder / "manifest.json").read_text())["config"]["train_digest"]
    for target, name in (("energy", "energy"), ("forces", "force-components"), ("stress", "stress-components")):
        traces = json.loads((folder / "report-data" / f"{name}.json").read_text())["traces"]
        drawn = sum(len(trace["x"]) for trace in traces if trace["mode"] == "markers")
        assert drawn == pyarrow.parquet.read_table(folder / f"parity-{target}.parquet").num_rows
        assert {trace["name"] for trace in traces if trace["mode"] == "markers"} == {"even", "odd"}


def test_key_figures_and_tables_are_the_metrics(folder, record):
    metrics = json.loads((folder / "metrics.json").read_text())["test"]
    sections = run_sections(record, TEST, "not wanted.")
    strip = blocks(sections, KeyFigures)[0].figures
    assert [figure.value for figure in strip[:3]] == [metrics["all"][name]["rmse"] for name in ("energy", "forces", "stress")]
    assert strip[-1].value == "not run" and "Audit: not wanted." in [text.text for text in blocks(sections, Text)]
    tables = {table.name: table for table in blocks(sections, Table)}
    assert tables["errors on the test set"].columns["MAE"] == [metrics["all"][name]["mae"] for name in ("energy", "forces", "stress")]
    assert tables["errors by group"].columns["group"] == ["even", "odd"]
    assert tables["errors by group"].columns["forces (eV/Å)"] == [metrics["by_group"][name]["forces"]["rmse"] for name in ("even", "odd")]
    assert tables["labels by element"].columns["structures"] == [22] and tables["ranges"].rows == 5


def test_figures_without_copies_of_training_structures(tmp_path):
    turned = copper(8)[2].copy()
    turned.calc = copper(8)[2].calc
    results = {"energy": turned.calc.results["energy"]}
    turned.set_cell(turned.cell.array[:, [1, 2, 0]], scale_atoms=True)
    turned.calc = type(turned.calc)(turned, **results)
    mat.train_potential(copper(8), test=[*TEST, turned], steps=2, out=tmp_path / "run", model_options=TINY, cutoff_A=4.0, report=False)
    assert not (tmp_path / "run" / "report.html").exists()
    sections = run_sections(RunRecord.read(tmp_path / "run"), [*TEST, turned], "")
    table = next(table for table in blocks(sections, Table) if table.name == "errors on the test set")
    assert set(table.columns["set"]) == {"all", "without copies"}
    assert "1 of them equal a training structure" in next(section.lead for section in sections if section.title == "Test set")


def test_worst_structure(folder, record):
    predicted = mat.load_potential(folder).predict(TEST)
    errors = [np.sqrt(np.mean((p.forces - a.get_forces()) ** 2)) for p, a in zip(predicted, TEST, strict=True)]
    worst = run_report.worst_structure(record, TEST)
    number = int(np.argmax(errors))
    assert worst.caption == f"Record {number} of the test set: Cu4, group {('even', 'odd')[number % 2]}; force RMSE {max(errors):.3g} eV/Å."
    assert run_report.worst_structure(record, []) is None and run_report.worst_structure(record, TEST[:number]) is None


def test_audit_and_checks(record, folder):
    found = audit_in_time(mat.load_potential(folder), TEST)
    sections = run_sections(record, TEST, found, check(copper(22), test=TEST))
    strip = blocks(sections, KeyFigures)[0].figures[-1]
    assert strip.value == ("passed" if found.passed else "not passed") and strip.tone == ("good" if found.passed else "bad")
    assert any(text.text.startswith("Checks of labels: 22 records") for text in blocks(sections, Text))
    slow = audit_in_time(mat.load_potential(folder), TEST, seconds=0.0)
    assert isinstance(slow, str) and slow.startswith("not run: about ") and "sciml materials audit" in slow


def test_without_a_test_set(tmp_path):
    mat.train_potential(copper(22), steps=2, out=tmp_path / "run", model_options=TINY, cutoff_A=4.0)
    sections = run_sections(RunRecord.read(tmp_path / "run"))
    assert [section.title for section in sections] == ["", "Audit", "Training", "Labels", "Data"] and not blocks(sections, Structure3D)
    assert [figure.label for figure in blocks(sections, KeyFigures)[0].figures] == ["energy RMSE", "forces RMSE", "stress RMSE", "audit"]
    assert (tmp_path / "run" / "report.html").is_file()


def test_facts(record):
    facts = run_facts(record)
    assert facts["model"] == "equivariant, cut-off 4.0 Å" and facts["steps"] == 3 and facts["seed"] == 0
    assert facts["training structures"].startswith(f"{22 - record.manifest['config']['valid_structures']} (+ ")
    assert "torch" in facts["versions"] and facts["configuration"]["recipe"]["batch_structures"] >= 1


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json", "learning_curve.jsonl", "parity-forces.parquet"])
def test_damaged_folder(folder, tmp_path, name):
    place = tmp_path / "run"
    shutil.copytree(folder, place)
    (place / name).write_text("{damaged\n")
    with pytest.raises(DataError, match=name.partition(".")[0]):
        write_run_report(place, mat.load_potential(place), TEST)
