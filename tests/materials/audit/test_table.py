"""Verdicts, the meaning of `passed`, and the forms an audit takes."""

import json

import pytest

from sciml.materials.audit.table import FORCE_ROW, Audit
from sciml.report.verdicts import Row


def made(*rows):
    return Audit("EMT", "float64", 5, (0, 2), rows, 100, 0)


GOOD, BAD = Row.judged(FORCE_ROW, 1e-9, 1e-6, "why"), Row.judged("rotation", 1e-3, 1e-10, "why")


def test_passed_needs_the_force_row_and_no_failure():
    assert made(GOOD).passed
    assert not made(GOOD, BAD).passed
    assert not made().passed
    assert not made(Row.absent(FORCE_ROW, "single atom")).passed
    assert made(GOOD, Row.absent("wrapping", "no cell")).passed


def test_rows_by_name():
    assert made(GOOD, BAD).row("rotation") is BAD
    with pytest.raises(KeyError, match="rotation"):
        made(GOOD, BAD).row("rotations")


def test_text_and_json_say_the_same():
    result = made(GOOD, BAD, Row.absent("wrapping", "no cell"))
    stored = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert stored["passed"] is False
    assert [row["verdict"] for row in stored["table"]] == ["pass", "fail", "not applicable"]
    text = str(result)
    assert "NOT passed (1 pass, 1 fail, 1 not applicable)" in text
    assert "structures 0, 2 of 5" in text
    assert all(row.name in text and row.reason in text for row in result.table)


def test_the_section_of_a_report_has_every_row():
    (section,) = made(GOOD, BAD).to_sections()
    table = section.blocks[1]
    assert table.rows == 2
    assert table.columns["verdict"] == ["pass", "fail"]
