"""exp, ln and the square root in double precision without branches, so that laws with powers are computed for many lanes at once.

Relative errors are a few 1e-16; what lies outside the normal range (ln 0, overflow) is as in IEEE arithmetic, or no number.
"""

from __future__ import annotations

import math
from math import sqrt
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sciml.biology.kernels.lane_functions import select

__all__ = ["exp", "log", "sqrt"]

_BITS, _DOUBLE = ir.IntType(64), ir.DoubleType()
_ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
_MAGIC = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to whole numbers
_LOG2E, _LN2, _LN2_HIGH, _LN2_LOW = 1.0 / math.log(2.0), math.log(2.0), 0.693145751953125, 1.42860682030941723212e-6
_LARGEST, _SMALLEST = 709.0, -708.0
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = (1.0 / math.factorial(k) for k in range(2, 14))


def _split(context: Any, x: Any) -> Any:
    """(m, e) with x = m 2^e and m in [sqrt(1/2), sqrt(2)), of a normal x > 0."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def number(value: int) -> Any:
            return ir.Constant(_BITS, value)

        bits = builder.bitcast(args[0], _BITS)
        biased = builder.lshr(builder.add(builder.sub(bits, number(_ROOT_HALF)), number(1023 << 52)), number(52))
        m = builder.bitcast(builder.sub(bits, builder.shl(builder.sub(biased, number(1023)), number(52))), _DOUBLE)
        whole = builder.bitcast(builder.or_(biased, number(0x4330000000000000)), _DOUBLE)  # 2^52 + biased
        return context.make_tuple(builder, signature.return_type, [m, builder.fsub(whole, ir.Constant(_DOUBLE, 2.0**52 + 1023.0))])

    return types.UniTuple(types.float64, 2)(types.float64), code


def _scale(context: Any, shifted: Any) -> Any:
    """2^n of shifted = n + `_MAGIC`."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.add(builder.bitcast(args[0], _BITS), ir.Constant(_BITS, 1023))
        return builder.bitcast(builder.shl(bits, ir.Constant(_BITS, 52)), _DOUBLE)

    return types.float64(types.float64), code


_split_float: Any = intrinsic(_split)
_power_of_two: Any = intrinsic(_scale)


@numba.njit(forceinline=True, error_model="numpy")
def log(x: float) -> Any:
    """ln x = e ln 2 + 2 artanh(f / (2 + f)) with x = (1 + f) 2^e; the series of artanh to the 19th power."""
    m, e = _split_float(x)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    series = 1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z / 19)))))))
    return select(x > 0.0, e * _LN2 + 2.0 * (s + s * z * series), select(x == 0.0, -math.inf, math.nan))


@numba.njit(forceinline=True, error_model="numpy")
def exp(x: float) -> Any:
    """e^x = 2^n e^r with |r| <= ln 2 / 2; the series of e^r to the 13th power. Below e^-708 it is 0."""
    inside = select(x > _LARGEST, _LARGEST, select(x < _SMALLEST, _SMALLEST, x))
    shifted = inside * _LOG2E + _MAGIC
    n = shifted - _MAGIC
    r = inside - n * _LN2_HIGH - n * _LN2_LOW
    p = _C13
    p = p * r + _C12
    p = p * r + _C11
    p = p * r + _C10
    p = p * r + _C9
    p = p * r + _C8
    p = p * r + _C7
    p = p * r + _C6
    p = p * r + _C5
    p = p * r + _C4
    p = p * r + _C3
    p = p * r + _C2
    p = (p * r + 1.0) * r + 1.0
    return select(x > _LARGEST, math.inf, select(x < _SMALLEST, 0.0, p * _power_of_two(shifted)))
