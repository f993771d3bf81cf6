"""The whole audit: what it says, in which forms, what it refuses."""

from __future__ import annotations

import json

import pytest

from sciml.biology import audit
from sciml.errors import ConfigError
from tests.biology.audit.test_deterministic import NET


def test_the_table_in_all_its_forms():
    found = audit(NET, end=3.0, n=500, seed=1)
    assert found.passed and found.row("conservation (stochastic)").figure == 0
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert stored["passed"] and len(stored["table"]) == len(found.table) == 9
    assert all(row.name in str(found) for row in found.table)
    (section,) = found.to_sections()
    assert section.blocks[1].rows == 9


def test_refusals():
    with pytest.raises(ConfigError, match="expected a Network"):
        audit("dimers")
    with pytest.raises(ConfigError, match="at least 100"):
        audit(NET, n=3)
    with pytest.raises(ConfigError, match="end: found"):
        audit(NET, end=-1.0)
