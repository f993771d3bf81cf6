"""The calibration goes on where it was stopped, with the same data, and says which cells miss their figure."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "biology" / "information_calibration.py"


@pytest.fixture
def script(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("information_calibration", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results.jsonl")
    monkeypatch.setattr(module, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(module, "LAWS", [law for law in module.LAWS if law.name in ("gauss-1", "independent-3", "gamma-7")])
    monkeypatch.setattr(module, "PASSES", ((500, True, 3), (500, False, 3), (500, True, 5), (500, False, 5)))
    return module


def test_a_torn_line_is_measured_again_with_the_same_data(script, capsys):
    script.measure(5.0, ["ksg", "dose_neighbors"], [], 200)
    whole = script.measured(current=True)
    assert {len(rows) for rows in whole.values()} == {5}
    lines = script.RESULTS.read_text("utf-8").splitlines()
    script.RESULTS.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][: len(lines[-1]) // 2], "utf-8")
    assert script.measured(current=True) != whole
    script.measure(5.0, ["ksg", "dose_neighbors"], [], 200)
    again = script.measured(current=True)
    assert {key: [row[:3] for row in rows.values()] for key, rows in again.items()} == {
        key: [row[:3] for row in rows.values()] for key, rows in whole.items()
    }
    script.write_page()
    page = script.PAGE.read_text("utf-8")
    assert "| gamma-7 | 1+1 | 0.6148 |" in page and "| 5 |" in page


def test_cells_of_older_code_count_for_the_page_alone(script):
    line = {"law": "gauss-1", "estimator": "ksg", "n": 500, "code": "older", "first": 0, "rows": [[0.2, 0.1, None, 0.01]]}
    script.RESULTS.write_text(json.dumps(line) + "\n", "utf-8")
    assert script.measured(current=True) == {}
    assert script.measured() == {("gauss-1", "ksg", 500): {0: [0.2, 0.1, math.inf, 0.01]}}


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.3, ""), (0.25, 0.3, "covers 0%"), (-0.5, 0.9, "width"), (0.15, math.inf, "one-sided where two sides")],
)
def test_what_misses_its_figure_is_said(script, low, high, said):
    rows = {k: [0.2075 + 0.05 * (-1) ** k, low, high, 0.0] for k in range(40)}
    found = "; ".join(script.faults("gauss-1", 500, script.figures("gauss-1", rows)))
    assert said in found and bool(said) == bool(found)
