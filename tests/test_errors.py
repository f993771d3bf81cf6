"""Every error is one of ours and carries the exit code of the command line."""

from __future__ import annotations

import pytest

from sciml import errors


@pytest.mark.parametrize(
    ("name", "parent", "code"),
    [
        ("SciMLError", Exception, 1),
        ("ConfigError", errors.SciMLError, 2),
        ("DataError", errors.SciMLError, 3),
        ("ModelFileError", errors.DataError, 3),
        ("ConvergenceError", errors.SciMLError, 4),
    ],
)
def test_tree_and_exit_codes(name, parent, code):
    error = getattr(errors, name)
    assert issubclass(error, parent)
    assert error.exit_code == code
    assert name in errors.__all__
    assert str(error("train.extxyz: record 3")) == "train.extxyz: record 3"


def test_values_are_shown_without_their_type_and_cut():
    np = pytest.importorskip("numpy")
    assert errors.shown(np.float64(-1.5)) == "-1.5"
    assert errors.shown([np.float64(1.0), "a"]) == "[1.0, 'a']"
    assert errors.shown({"k": np.int64(3)}) == "{'k': 3}"
    assert errors.shown(np.zeros((2, 3))) == "an array of shape (2, 3) of float64"
    assert errors.shown(np.array(2.0)) == "2.0"
    assert len(errors.shown("x" * 1000)) < 100
    assert len(errors.shown(list(range(1000)))) < 100
