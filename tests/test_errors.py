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
