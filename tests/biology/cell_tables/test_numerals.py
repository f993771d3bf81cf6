from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.cell_tables.numerals import as_numbers
from sciml.biology.cell_tables.table import CellTable, Column, coded
from sciml.errors import DataError


def read(separator=",", decimal=None, **columns):
    table = CellTable("cells.csv", {name: coded(name, cells) for name, cells in columns.items()}, len(next(iter(columns.values()))),
                      np.arange(2, 2 + len(next(iter(columns.values())))), separator)  # fmt: skip
    return as_numbers(table, list(columns), decimal)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["0.1", "1", "1e-3", "+2.5E2", "-.5", "3."], [0.1, 1, 0.001, 250, -0.5, 3]),
        (["0,1", "1", "1,5e-3", "-,5", "1,2345"], [0.1, 1, 0.0015, -0.5, 1.2345]),
        (["1,234.5", "12", "1,234,567.25"], [1234.5, 12, 1234567.25]),
        (["1.234,5", "12", "1.234.567,25"], [1234.5, 12, 1234567.25]),
        (["1.234.567", "2"], [1234567, 2]),
        (["1,234,567", "0.5"], [1234567, 0.5]),
        (["\u22121.5", "2"], [-1.5, 2]),
        (["", "NA", "2"], [np.nan, np.nan, 2]),
    ],
)
def test_styles(texts, values):
    assert read(a=texts)["a"].values == pytest.approx(values, abs=0, nan_ok=True)


def test_one_column_says_how_another_is_read():
    found = read(";", dose=["0,1", "1"], response=["1,234", "5,678"])
    assert found["response"].values.tolist() == [1.234, 5.678]
    found = read(dose=["0.1", "1"], response=["1,234", "5,678"])
    assert found["response"].values.tolist() == [1234, 5678]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_two_readings_are_refused(separator):
    with pytest.raises(
        DataError, match=r"cells.csv: line 2 \(row 0\), column 'a': '1,234' can be read with a decimal comma or as thousands"
    ):
        read(separator, a=["1,234", "12"])
    assert read(separator, ",", a=["1,234", "12"])["a"].values.tolist() == [1.234, 12]
    assert read(separator, ".", a=["1,234", "12"])["a"].values.tolist() == [1234, 12]


def test_points_are_decimal_unless_semicolons_say_another_country():
    assert read(",", a=["1.234", "12"])["a"].values.tolist() == [1.234, 12]
    assert read(";", a=["1.234", "1.5"])["a"].values.tolist() == [1.234, 1.5]
    with pytest.raises(DataError, match="can be read with a decimal point or as thousands"):
        read(";", a=["1.234", "12"])
    assert read(";", ".", a=["1.234", "12"])["a"].values.tolist() == [1.234, 12]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["0,1", "1.5", "2,5"], r"line 3 \(row 1\), column 'a': found '1.5', which is no number with a decimal comma, as line 2"),
        (["1.5", "2", "1.2.3"], r"line 4 \(row 2\), column 'a': found '1.2.3'"),
        (["1.5", "1O.5"], r"line 3 \(row 1\), column 'a': found '1O.5', no number"),
        (["1", "low"], "found 'low', no number"),
        (["1", "inf"], "found 'inf', an infinite value"),
        (["1", "1e999"], "found inf, expected a finite number"),
        (["1", "1e99999999999999999999999"], "found inf, expected a finite number"),
        (["1", "1 234"], "found '1 234', no number"),
        (["1", "-"], "found '-', no number"),
        (["1", "#DIV/0!"], "found '#DIV/0!', no number"),
        (["1", "0x10"], "found '0x10', no number"),
        (["1", "1_000"], "found '1_000', no number"),
        (["1,23,4", "1"], "found '1,23,4'"),
    ],
)
def test_what_is_no_number_is_named(texts, said):
    with pytest.raises(DataError, match=f"cells.csv: .*{said}"):
        read(a=texts)


def test_units():
    found = read(dose=["0ng", "0.01ng", "10 ng", "0"])["dose"]
    assert found.values.tolist() == [0, 0.01, 10, 0] and found.unit == "ng" and found.note == ""
    found = read(dose=["10 ng/ml", "70 ng/mL", "0.07 µg/ml", "1e2pg/ml"])["dose"]
    assert found.values.tolist() == [10, 70, 70, 0.1] and found.unit == "ng/ml"  # 0.07 * 1000 in floats is not 70
    assert found.note == "column 'dose': pg/ml, ug/ml converted to ng/ml"
    assert read(";", dose=["0,5nM", "1nM"])["dose"].values.tolist() == [0.5, 1]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["10 ng/ml", "10 ng/ml", "10 nM"], "line 4 .*found '10 nM', a number in nM, where most of the column is in ng/ml"),
        (["10 ng", "10 ng", "5"], "found '5', a number without a unit, where most"),
        (["10 ng", "control"], "found 'control', no number"),
        (["1.5", "1.5", "1.O"], "found '1.O', a number in O|found '1.O', no number"),
    ],
)
def test_units_that_do_not_go_together(texts, said):
    with pytest.raises(DataError, match=said):
        read(a=texts)


def test_numbers_stay_numbers():
    table = CellTable("x.parquet", {"a": Column("a", np.array([1.0, np.inf]))}, 2)
    with pytest.raises(DataError, match="x.parquet: row 1, column 'a': found inf"):
        as_numbers(table, ["a"])


def test_a_long_text_costs_no_time():
    begin = time.process_time()
    with pytest.raises(DataError, match="no number"):
        read(a=["1" * 1_000_000 + "!", "2"])
    assert time.process_time() - begin < 5  # quadratic matching would take hours


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=8), st.sampled_from([".", ","]))
def test_what_was_written_is_read_to_the_last_bit(values, mark):
    texts = [repr(value).replace(".", mark) for value in values]
    assert read(";", mark, a=texts)["a"].values.tolist() == values
