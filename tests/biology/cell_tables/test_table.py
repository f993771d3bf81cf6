from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.cell_tables.table import CellTable, Column, coded, numbered, pick
from sciml.errors import DataError


def test_texts_are_counted_once_with_blanks_cut_off():
    column = coded("a", ["x", " y", "x ", "y"])
    assert column.texts == ("x", "y") and column.codes.tolist() == [0, 1, 0, 1]
    assert coded("a", []).codes.shape == (0,)


def test_what_counts_as_missing():
    column = coded("a", ["", "NA", "n/a", "NaN", "null", "None", "#N/A", "0", "no", "-"])
    assert column.missing.tolist() == [True] * 7 + [False] * 3
    assert Column("b", np.array([1.0, np.nan])).missing.tolist() == [False, True]


def test_places_are_lines_where_there_are_lines():
    assert CellTable("f", {}, 2).place(1) == "row 1"
    assert CellTable("f", {}, 2, np.array([3, 7])).place(1) == "line 7 (row 1)"


def test_unknown_and_double_columns_are_refused_by_name():
    assert pick("f.csv", ["b", "a"], ["a", "b"]) == [1, 0]
    with pytest.raises(DataError, match=r"f.csv: has no column 'respons'; did you mean 'response'\?; found 'dose', 'response'"):
        pick("f.csv", ["respons"], ["dose", "response"])
    with pytest.raises(DataError, match=r"the column 'a' is there 2 times \(the 1st and the 3rd\)"):
        pick("f.csv", ["a"], ["a", "b", "a"])
    assert pick("f.csv", ["b"], ["a", "b", "a"]) == [1]  # what is not asked for may be there twice
    with pytest.raises(DataError, match="and 5 more"):
        pick("f.csv", ["z"], [f"gene{i}" for i in range(25)])


def test_whole_numbers_that_float64_cannot_tell_apart_stay_texts():
    column = numbered("donor", np.array([2**60, 2**60 + 1]))
    assert column.texts == (str(2**60), str(2**60 + 1)) and column.numbers is None
    assert numbered("a", np.array([2**53, -(2**53)])).numbers.tolist() == [2**53, -(2**53)]
    assert numbered("a", np.array([], dtype=int)).numbers.shape == (0,) and numbered("a", np.array([1e300])).numbers[0] == 1e300
