"""Laws, and what is none."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.probabilities import checked_law
from sciml.errors import DataError


def test_rows_are_brought_to_one_and_the_data_left_alone():
    given = np.array([[0.5, 0.5 + 5e-7], [0.25, 0.75]])
    kept = given.copy()
    found = checked_law(given, "p", ("k", "m"))
    assert np.array_equal(given, kept)
    assert found.sum(axis=1) == pytest.approx([1, 1], abs=1e-15) and np.allclose(found, given, atol=5e-7)
    assert checked_law([1, 3e-7], "p", ("k",)).sum() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("law", r"p: found 'law', expected probabilities \[k, m\]"),
        ([["0.5", "0.5"]], r"p: found .*, expected probabilities \[k, m\]"),
        (np.ma.masked_values([[0.5, 0.5], [0.5, 0.5]], 0.5), "p: found masked entries"),
        ([0.5, 0.5], r"p: found an array of shape \(2,\), expected \[k, m\]: each row"),
        (np.zeros((0, 2)), r"p: found an array of shape \(0, 2\)"),
        ([[0.5, 0.5], [1.5, -0.5]], "p: row 1, column 1: found -0.5, expected a probability"),
        ([[np.nan, 1.0]], "p: row 0, column 0: found nan"),
        ([[np.inf, 1.0]], "p: row 0, column 0: found inf"),
        ([[0.5, 0.5], [0.5, 0.4]], r"p: row 1 sums to 0\.9, expected 1$"),
        ([[0.9, 0.2], [0.1, 0.8]], r"p: row 0 sums to 1\.1, expected 1; its columns sum to 1: is it the transpose\?"),
        ([[0.5, 0.5 + 2e-6]], r"p: row 0 sums to 1\.000002"),
    ],
)
def test_what_is_no_law(data, said):
    with pytest.raises(DataError, match=said):
        checked_law(data, "p", ("k", "m"))


def test_one_law():
    with pytest.raises(DataError, match=r"p: sums to 0\.9, expected 1"):
        checked_law([0.5, 0.4], "p", ("k",))
    with pytest.raises(DataError, match="p: entry 1: found -0.5"):
        checked_law([1.5, -0.5], "p", ("k",))
