"""The table of the rule on the page is the rule."""

from __future__ import annotations

import re
from pathlib import Path

from sciml.biology.information.estimators import ESTIMATORS, estimator_rule

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "choosing.md").read_text("utf-8")


def test_the_printed_rule_is_the_rule():
    """Row by row: change docs/choosing.md with `_RULES`."""
    table = PAGE[PAGE.index("| when | estimator | why |") :].splitlines()[2:]
    printed = [tuple(cell.strip(" `") for cell in line.strip("|").split(" | ")) for line in table[: table.index("")]]
    assert printed == [(row.when, row.estimator, row.why) for row in estimator_rule()]


def test_forced_names_are_there():
    assert set(re.findall(r'audit\("(\w+)"\)', PAGE)) <= set(ESTIMATORS)
