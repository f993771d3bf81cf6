"""What generated code takes from numpy and Python's builtins, for a GPU: numba knows these on the CPU only (`min`, `max` since 0.68).

Imported only where a device was asked for.
"""

from __future__ import annotations

import math

from numba import cuda
from numpy import inf, nan

__all__ = ["ceil", "floor", "fmod", "inf", "larger", "nan", "smaller", "trunc"]

WHOLE = 4503599627370496.0  # from here on every number is whole


@cuda.jit(device=True)
def floor(x: float) -> float:
    """The largest whole number below."""
    return float(math.floor(x)) if abs(x) < WHOLE else x


@cuda.jit(device=True)
def ceil(x: float) -> float:
    """The smallest whole number above."""
    return float(math.ceil(x)) if abs(x) < WHOLE else x


@cuda.jit(device=True)
def trunc(x: float) -> float:
    """The whole part."""
    return float(math.trunc(x)) if abs(x) < WHOLE else x


@cuda.jit(device=True)
def fmod(a: float, b: float) -> float:
    """What is left of a / b, with the sign of a."""
    return math.fmod(a, b)


@cuda.jit(device=True)
def larger(a: float, b: float) -> float:
    """max."""
    return b if b > a else a


@cuda.jit(device=True)
def smaller(a: float, b: float) -> float:
    """min."""
    return b if b < a else a
