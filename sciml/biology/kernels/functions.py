"""What the operations of a graph compute, by numpy: the reference that generated code and tables are held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS"]


def _logic(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: np.asarray(function(*args), dtype=float)


def _factorial(x: Any) -> Any:
    from scipy.special import gamma  # half a second of imports that few models need

    return gamma(np.ceil(x) + 1.0)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "neg": np.negative,
    "abs": np.abs,
    "exp": np.exp,
    "ln": np.log,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "floor": np.floor,
    "ceil": np.ceil,
    "factorial": _factorial,
    "not": _logic(lambda a: a == 0),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "min": np.minimum,
    "max": np.maximum,
    "rem": np.fmod,
    "quotient": lambda a, b: np.trunc(np.divide(a, b)),
    "lt": _logic(np.less),
    "leq": _logic(np.less_equal),
    "eq": _logic(np.equal),
    "neq": _logic(np.not_equal),
    "and": _logic(lambda a, b: (a != 0) & (b != 0)),
    "or": _logic(lambda a, b: (a != 0) | (b != 0)),
    "xor": _logic(lambda a, b: (a != 0) ^ (b != 0)),
    "select": lambda c, a, b: np.where(c != 0, a, b),
}
