"""Operations of the lane kernels that numba has no straight word for, as single instructions: masks, bits of floats, the random generator.

They keep the generated code free of branches, so that it is compiled into vector instructions, and quickly.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["as_bits", "as_float", "both", "only", "same", "select", "xoshiro"]

_FLOAT, _WORD = ir.FloatType(), ir.IntType(32)


def _select(context: Any, condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, else b; both are computed."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    return a(types.boolean, a, a), code


def _both(context: Any, a: Any, b: Any) -> Any:
    """a and b."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.and_(*args)

    return types.boolean(types.boolean, types.boolean), code


def _only(context: Any, a: Any, b: Any) -> Any:
    """a and not b."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.and_(args[0], builder.not_(args[1]))

    return types.boolean(types.boolean, types.boolean), code


def _same(context: Any, a: Any, b: Any) -> Any:
    """a == b of two truths."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.not_(builder.xor(*args))

    return types.boolean(types.boolean, types.boolean), code


def _as_bits(context: Any, value: Any) -> Any:
    """The 32 bits of a float32."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _WORD)

    return types.uint32(types.float32), code


def _as_float(context: Any, word: Any) -> Any:
    """The float32 that 32 bits are."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _FLOAT)

    return types.float32(types.uint32), code


def _xoshiro(context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """One step of xoshiro128++ (Blackman and Vigna 2021): (word, further bits, the four words of the next state).

    The further bits come from the other half of the state by the same scrambler; they only refine a word whose leading bits are zero.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def number(value: int) -> Any:
            return ir.Constant(_WORD, value)

        def rotated(word: Any, by: int) -> Any:
            return builder.or_(builder.shl(word, number(by)), builder.lshr(word, number(32 - by)))

        s0, s1, s2, s3 = args
        word = builder.add(rotated(builder.add(s0, s3), 7), s0)
        further = builder.add(rotated(builder.add(s1, s2), 7), s1)
        moved = builder.shl(s1, number(9))
        s2, s3 = builder.xor(s2, s0), builder.xor(s3, s1)
        s1, s0 = builder.xor(s1, s2), builder.xor(s0, s3)
        s2, s3 = builder.xor(s2, moved), rotated(s3, 11)
        return context.make_tuple(builder, signature.return_type, [word, further, s0, s1, s2, s3])

    word = types.uint32
    return types.UniTuple(word, 6)(word, word, word, word), code


select: Any = intrinsic(_select)
both: Any = intrinsic(_both)
only: Any = intrinsic(_only)
same: Any = intrinsic(_same)
as_bits: Any = intrinsic(_as_bits)
as_float: Any = intrinsic(_as_float)
xoshiro: Any = intrinsic(_xoshiro)
