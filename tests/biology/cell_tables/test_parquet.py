from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sciml.biology.cell_tables.exchange import read_in_child
from sciml.biology.cell_tables.parquet import read
from sciml.errors import DataError

READ = "sciml.biology.cell_tables.parquet:read"
COLUMNS = {
    "dose": pa.array(["0 ng", "1 ng", None]),
    "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
    "level": pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array([2.5, 7.0])),
    "signal": pa.array([1.5, None, float("nan")], pa.float32()),
    "count": pa.array([1, None, 3], pa.int16()),
    "fixed": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("2.50")]),
    "none": pa.nulls(3),
    "half": pa.array(np.array([1.5, 2, 3], dtype=np.float16)),
    "id": pa.array([2**60, 2**60 + 1, 2**60]),
    "flag": pa.array([True, False, None]),
    "when": pa.array([1, 2, 3], pa.timestamp("s")),
    "a.b": pa.array([1, 2, 3]),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    place = tmp_path_factory.mktemp("tables") / "cells.parquet"
    pq.write_table(pa.table(COLUMNS), place)
    return place


def test_kinds_of_columns(path):
    table = read_in_child(READ, path, ["dose", "kind", "level", "signal", "count", "fixed", "none", "a.b", "half", "id"])
    found = table.columns
    assert [found["dose"].texts[c] for c in found["dose"].codes] == ["0 ng", "1 ng", ""]
    assert [found["kind"].texts[c] for c in found["kind"].codes] == ["a", "b", "a"]
    for name, expected in {"level": [2.5, 7, np.nan], "signal": [1.5, np.nan, np.nan], "count": [1, np.nan, 3],
                           "fixed": [1.25, np.nan, 2.5], "none": [np.nan] * 3, "a.b": [1, 2, 3]}.items():  # fmt: skip
        assert found[name].numbers == pytest.approx(expected, nan_ok=True, abs=0), name
    assert found["half"].numbers.tolist() == [1.5, 2, 3] and found["id"].texts == (str(2**60), str(2**60 + 1))
    assert table.rows == 3 and found["dose"].missing.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("flag", "column 'flag': found values of the kind bool"),
        ("when", "column 'when': found values of the kind timestamp"),
        ("dosis", "has no column 'dosis'; did you mean 'dose'"),
    ],
)
def test_other_columns_are_refused(path, name, said):
    with pytest.raises(DataError, match=f"cells.parquet: {said}"):
        read(str(path), [name])


def test_no_rows(tmp_path):
    pq.write_table(pa.table({"dose": pa.array([], pa.float64())}), tmp_path / "empty.parquet")
    with pytest.raises(DataError, match=r"empty.parquet: the table has no rows"):
        read(str(tmp_path / "empty.parquet"), ["dose"])


@pytest.mark.parametrize("n", [3, pytest.param(200, marks=pytest.mark.long)])
def test_damaged_files_are_refused_or_read(tmp_path, n):
    rng, place = np.random.default_rng(2), tmp_path / "cells.parquet"
    pq.write_table(pa.table({"dose": rng.integers(0, 3, 500), "signal": rng.normal(size=500)}), place)
    data = place.read_bytes()
    for k in range(n):
        copy = bytearray(data[: rng.integers(len(data))] if k % 3 == 0 else data)
        for _ in range(rng.integers(1, 6)):
            if copy:
                copy[max(0, len(copy) - rng.integers(1, 600)) if k % 2 else rng.integers(len(copy))] = rng.integers(256)
        place.write_bytes(copy)
        try:
            assert read_in_child(READ, place, ["dose", "signal"]).rows >= 1
        except DataError as error:
            assert "cells.parquet" in str(error)
