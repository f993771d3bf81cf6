"""The report of the checks: what passes, what raises, what is printed."""

from __future__ import annotations

import json

import pytest
from ase.build import bulk

from sciml.errors import DataError
from sciml.materials.labels import census
from sciml.materials.labels.findings import Finding, LabelReport, listed


def report(*levels: str) -> LabelReport:
    findings = tuple(Finding(level, f"kind-{level}", f"a {level}", (1, 2)) for level in levels)
    return LabelReport(census([bulk("Cu")]), findings, 7, {"stress/forces": 1.02})


def test_notes_pass_warnings_do_not():
    assert report().passed and report("note").passed
    assert not report("note", "warning").passed and not report("error").passed


def test_only_errors_raise():
    report("note", "warning").require_no_error()
    with pytest.raises(DataError, match="kind-error: a error"):
        report("warning", "error").require_no_error()


def test_text_and_json():
    text = report("warning").text()
    assert "warning: kind-warning: a warning" in text and text.endswith("7 records held against each other; ratios stress/forces 1.02")
    found = json.loads(json.dumps(report("warning").to_dict()))
    assert found["passed"] is False and found["findings"][0]["records"] == [1, 2]


def test_long_lists_are_cut():
    assert listed((3, 7)) == "3, 7" and listed(list(range(9)), limit=2) == "0, 1, ... (9 in all)"
