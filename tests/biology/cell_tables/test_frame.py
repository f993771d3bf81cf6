from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sciml.biology.cell_tables.frame import read_frame
from sciml.errors import DataError


def test_kinds_of_columns():
    frame = pd.DataFrame(
        {
            "a": [1, 2], "b": [1.5, np.nan], "c": ["x", None], "d": pd.Categorical(["u", "v"]), "e": [1, "2"],
            "f": pd.array([1, None], dtype="Int64"), "g": np.array([1, 2], dtype=object),
        },
        index=[7, 7],
    )  # fmt: skip
    found = read_frame(frame, list("abcdefg")).columns
    assert found["a"].numbers.tolist() == [1, 2] and found["g"].numbers.tolist() == [1, 2]
    assert found["b"].missing.tolist() == found["c"].missing.tolist() == found["f"].missing.tolist() == [False, True]
    assert found["d"].texts == ("u", "v") and found["e"].texts == ("1", "2")


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ([True, False], "column 'a': found values of the kind bool"),
        ([1j, 2], "column 'a': found complex numbers"),
        (pd.to_datetime(["2020-01-01", "2020-01-02"]), "column 'a': found values of the kind datetime64"),
        ([1, (2, 3)], r"row 1, column 'a': found \(2, 3\)"),
        ([1, True], "row 1, column 'a': found True"),
    ],
)
def test_other_kinds_are_refused(column, said):
    with pytest.raises(DataError, match=f"DataFrame: {said}"):
        read_frame(pd.DataFrame({"a": column}), ["a"])


def test_large_whole_numbers_keep_all_their_digits():
    frame = pd.DataFrame({"donor": [2**60, 2**60 + 1], "u": np.array([1, 2**64 - 1], dtype=np.uint64)})
    found = read_frame(frame, ["donor", "u"]).columns
    assert found["donor"].texts == (str(2**60), str(2**60 + 1)) and found["u"].texts == ("1", str(2**64 - 1))


def test_names_and_rows():
    with pytest.raises(DataError, match="DataFrame: has no rows"):
        read_frame(pd.DataFrame({"a": []}), ["a"])
    with pytest.raises(DataError, match="DataFrame: the column 'a' is there 2 times"):
        read_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]), ["a"])
    assert read_frame(pd.DataFrame({3: [1]}), ["3"]).columns["3"].numbers.tolist() == [1]
