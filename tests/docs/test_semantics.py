"""Every line of the page on semantics names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "biology-semantics.md").read_text("utf-8")


def rows(page: str) -> list[tuple[str, str]]:
    """(what holds, test) of every row of every table."""
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    return [row for row in found if row[0] not in ("what holds", "---")]


def missing(test: str) -> str:
    """What is wrong with a named test, or nothing."""
    named = re.fullmatch(r"`((?:\.\./)?[\w/]+\.py)::(test_\w+)`", test)
    if not named:
        return f"{test}: expected `file.py::test_name`"
    path = ROOT / "tests" / "biology" / named[1]
    if not path.is_file():
        return f"{path} is not there"
    return "" if re.search(rf"^def {named[2]}\(", path.read_text("utf-8"), re.MULTILINE) else f"{named[1]} has no {named[2]}"


@pytest.mark.parametrize(("what", "test"), rows(PAGE))
def test_each_line_has_its_test(what, test):
    assert missing(test) == "", what


def test_missing_tests_are_seen():
    assert len(rows(PAGE)) > 30
    assert missing("`test_antimony.py::test_nothing`")
    assert missing("`nowhere.py::test_x`")
    assert missing("no test")
