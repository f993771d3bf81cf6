"""Rows of checks: when they pass, how they are written."""

import math

import pytest

from sciml.report.verdicts import Row, counted, find, section, text

GOOD, BAD, ABSENT = Row.judged("drift", 1e-9, 1e-6, "why"), Row.judged("rotation", 1e-3, 1e-10, "turned"), Row.absent("wrap", "no cell")
TABLE = (GOOD, BAD, ABSENT)


def test_a_row_passes_up_to_its_limit():
    assert Row.judged("x", 1.0, 1.0).verdict == "pass"
    assert Row.judged("x", math.nextafter(1.0, 2.0), 1.0).verdict == "fail"


@pytest.mark.parametrize("figure", [math.nan, math.inf])
def test_a_figure_that_is_not_finite_fails(figure):
    row = Row.judged("x", figure, 1.0)
    assert (row.verdict, row.figure) == ("fail", None)


def test_rows_by_name():
    assert find(TABLE, "rotation") is BAD
    with pytest.raises(KeyError, match="drift, rotation, wrap"):
        find(TABLE, "rotations")


def test_text_has_every_row():
    assert counted(TABLE) == "1 pass, 1 fail, 1 not applicable"
    lines = text("summary", TABLE).splitlines()
    assert lines[0] == "summary" and len(lines) == 4
    assert all(row.name in line and row.reason in line for row, line in zip(TABLE, lines[1:], strict=True))
    assert text("nothing", ()) == "nothing"


def test_a_section_says_what_failed():
    found = section("Audit", "summary", False, TABLE)
    assert found.blocks[0].tone == "bad" and "rotation: turned" in found.blocks[0].text
    assert found.blocks[1].columns["verdict"] == ["pass", "fail", "not applicable"]
