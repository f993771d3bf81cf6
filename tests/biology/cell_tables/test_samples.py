from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.cell_tables.samples import samples_of
from sciml.biology.cell_tables.table import CellTable, Column, coded
from sciml.errors import DataError


def table():
    columns = {
        "dose": coded("dose", ["0ng", "1ng", "1ng", "2ng"]),
        "a": coded("a", ["1", "", "3", "4"]),
        "b": Column("b", np.array([np.nan, 2.0, 3.0, 4.0])),
        "day": Column("day", np.array([1.0, 1, 2, 2.5])),
        "plate": coded("plate", ["x", "x", "y", ""]),
        "same": coded("same", ["7", "7", "7", "7"]),
    }
    return CellTable("cells.csv", columns, 4, np.array([2, 3, 4, 5]))


def test_missing_fields_are_refused_with_their_row_and_number():
    with pytest.raises(DataError, match=r"cells.csv: line 3 \(row 1\), column 'a': the field is empty or NaN \(1 such rows\)"):
        samples_of(table(), ["dose"], ["a"])
    with pytest.raises(DataError, match=r"line 2 \(row 0\), column 'b'"):
        samples_of(table(), ["dose"], ["b"])


def test_dropped_rows_are_counted_for_each_column():
    found = samples_of(table(), ["dose"], ["a", "b"], drop_missing=True)
    assert found.x.tolist() == [1, 2] and found.y.tolist() == [[3, 3], [4, 4]] and found.units == {"dose": "ng"}
    assert found.notes == (
        "column 'a': 1 of 4 rows dropped, for their field is empty or NaN",
        "column 'b': 1 of 4 rows dropped, for their field is empty or NaN",
    )


def test_no_row_left():
    whole = CellTable("cells.csv", {"dose": coded("dose", ["1"]), "a": coded("a", [""])}, 1)
    with pytest.raises(DataError, match="cells.csv: has no row in which 'dose', 'a' are all given"):
        samples_of(whole, ["dose"], ["a"], drop_missing=True)


def test_groups_of_several_columns_are_names():
    found = samples_of(table(), ["dose"], ["same"], ["day"])
    assert found.groups.tolist() == ["1", "1", "2", "2.5"]
    found = samples_of(table(), ["dose"], ["same"], ["plate", "day"], drop_missing=True)
    assert found.groups.tolist() == ["x / 1", "x / 1", "y / 2"] and found.y.shape == (3, 1)


def test_categories_are_kept_as_names():
    found = samples_of(table(), ["dose"], ["same"], categories=True)
    assert found.x.tolist() == ["0ng", "1ng", "1ng", "2ng"] and found.units == {}
    assert samples_of(table(), ["dose", "day"], ["same"], categories=True).x[0] == "0ng / 1"


def test_several_doses_and_constant_columns():
    found = samples_of(table(), ["dose", "day"], ["same"])
    assert found.x.shape == (4, 2) and found.notes == ("column 'same' is the same in all rows",)


def test_the_unit_of_a_column_may_stand_in_its_name():
    columns = {"TNF [ng/mL]": coded("TNF [ng/mL]", ["0", "1"]), "a": coded("a", ["1", "2"])}
    assert samples_of(CellTable("cells.csv", columns, 2), ["TNF [ng/mL]"], ["a"]).units == {"TNF [ng/mL]": "ng/ml"}
