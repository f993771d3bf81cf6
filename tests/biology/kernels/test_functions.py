"""What operations compute, against Python's math and the definitions of MathML."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.kernels.functions import FUNCTIONS
from sciml.biology.kernels.graph import BINARY, UNARY


def test_every_operation_has_one():
    assert set(FUNCTIONS) == {*UNARY, *BINARY, "select"}


@pytest.mark.parametrize("name", ["exp", "log10", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "asinh"])
def test_as_in_math(name):
    assert FUNCTIONS[name](np.float64(0.7)) == pytest.approx(getattr(math, name)(0.7), rel=1e-15)


@pytest.mark.parametrize(
    ("name", "args", "value"),
    [
        ("rem", (-7, 3), -1),
        ("rem", (7, -3), 1),
        ("quotient", (-7, 3), -2),
        ("factorial", (5,), 120),
        ("factorial", (0,), 1),
        ("floor", (-1.5,), -2),
        ("ceil", (-1.5,), -1),
        ("xor", (1, 1), 0),
        ("and", (2, 0.5), 1),
        ("or", (0, 0), 0),
        ("not", (0,), 1),
        ("select", (0, 3, 4), 4),
        ("leq", (1, 1), 1),
        ("pow", (-2, 3), -8),
    ],
)
def test_signs_and_logic(name, args, value):
    assert FUNCTIONS[name](*(np.float64(a) for a in args)) == value
