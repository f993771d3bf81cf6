from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology.cell_tables.exchange import packed, read_in_child
from sciml.biology.cell_tables.table import CellTable, Column, coded
from sciml.errors import DataError


def test_what_is_packed_is_json_and_arrays():
    table = CellTable("f", {"a": Column("a", np.array([1.0, np.nan])), "b": coded("b", ["x", "y"])}, 2, notes=("said",))
    record, arrays = packed(table)
    assert json.loads(json.dumps(record)) == {"names": ["a", "b"], "rows": 2, "texts": {"b": ["x", "y"]}, "notes": ["said"]}
    assert sorted(arrays) == ["c1", "n0"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="none.parquet: cannot be read: No such file"):
        read_in_child("sciml.biology.cell_tables.parquet:read", tmp_path / "none.parquet", [])
