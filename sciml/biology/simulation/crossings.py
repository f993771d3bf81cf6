"""What happens inside a step: its polynomial, and the first time at which a condition changes. Compiled code.

Integrators reach the search for that time by its address, so it is compiled only where a model has conditions.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import carray, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

from sciml.biology.kernels.native import c_function, call, pointers
from sciml.compiling import compiled

__all__ = ["COARSE", "SEEN", "crossed", "dense", "search", "searched"]

COARSE = -2.0
_POINTS = 10  # looked at in every step
SEEN = _POINTS + 2
_ROUGHEST = 0.06  # a full turn of a sine in one step bends by 0.1


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def dense(poly: Any, s: float, out: Any) -> None:
    """out = sum_k poly[k] s^k: the solution a fraction s into the step."""
    for i in range(out.size):
        out[i] = poly[0, i] + s * (poly[1, i] + s * (poly[2, i] + s * (poly[3, i] + s * poly[4, i])))


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _changed(address: int, table: Any, time: float, z: Any, p: Any, marks: Any, found: Any) -> bool:
    """Whether a condition differs from its mark; its values, then those of the guards, go into `found`."""
    call(address, time, z, p, found, table)  # type: ignore[call-arg]
    for c in range(marks.size):
        if found[c] != marks[c]:
            return True
    return False


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _coarse(seen: Any, first: int) -> bool:
    """Whether a guard bends between neighbouring points by more than a small part of its range."""
    for g in range(first, seen.shape[1]):
        least = most = seen[0, g]
        bend = 0.0
        for point in range(1, _POINTS + 1):
            least, most = min(least, seen[point, g]), max(most, seen[point, g])
            if point < _POINTS:
                bend = max(bend, abs(seen[point, g] - 0.5 * (seen[point - 1, g] + seen[point + 1, g])))
        if bend > _ROUGHEST * (most - least):
            return True
    return False


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def crossed(address: int, table: Any, t: float, h: float, poly: Any, p: Any, marks: Any, seen: Any, z: Any, finer: bool) -> float:
    """The first time in (t, t + h] at which a condition is not as in `marks`, to the last bits; -1 where none changes.

    Ten points of the step are looked at; COARSE is returned where they are too far apart to tell, unless no `finer` step is possible. Where
    a guard (the difference whose sign decides) has its smallest size between three points without a change of sign, the vertex of the
    parabola through them is looked at too, so that a short dip across zero is not overlooked. `seen` [SEEN, conditions + guards] and z [n]
    are room to work in; z holds the solution at the time that is returned.
    """
    for point in range(_POINTS + 1):
        dense(poly, point / _POINTS, z)
        call(address, t + h * (point / _POINTS), z, p, seen[point], table)  # type: ignore[call-arg]
    if finer and _coarse(seen, marks.size):
        return COARSE
    low, spare = t, seen[_POINTS + 1]
    for point in range(1, _POINTS + 1):
        s = point / _POINTS
        high, hit = t + h * s, False
        for k in range(marks.size):
            hit = hit or seen[point, k] != marks[k]
        if not hit and point > 1:
            for g in range(marks.size, seen.shape[1]):
                a, b, c = seen[point - 2, g], seen[point - 1, g], seen[point, g]
                if abs(b) < abs(a) and abs(b) < abs(c) and a * b > 0 and b * c > 0:
                    s_dip = s - 1.0 / _POINTS + 0.5 / _POINTS * (a - c) / (a - 2 * b + c)
                    dense(poly, s_dip, z)
                    if _changed(address, table, t + h * s_dip, z, p, marks, spare):
                        hit, high, low = True, t + h * s_dip, t + h * (point - 2) / _POINTS
                        break
        if hit:
            while high - low > 4.5e-16 * max(abs(high), h):
                middle = 0.5 * (low + high)
                dense(poly, (middle - t) / h, z)
                if _changed(address, table, middle, z, p, marks, spare):
                    high = middle
                else:
                    low = middle
            dense(poly, (high - t) / h, z)
            return high
        low = high
    return -1.0


_WHOLE, _REAL, _TABLE, _ROW = types.int64, types.float64, types.CPointer(types.int64), types.CPointer(types.float64)
_SIGNATURE = types.float64(_WHOLE, _TABLE, _REAL, _REAL, *[_ROW] * 5, *[_WHOLE] * 4)


def _crossed(
    address: int, table: Any, t: float, h: float, poly: Any, p: Any, marks: Any, seen: Any, z: Any,
    n: int, count: int, columns: int, finer: int,
) -> float:  # fmt: skip
    room = carray(seen, (SEEN, columns))
    return crossed(
        address, carray(table, 1), t, h, carray(poly, (5, n)), carray(p, 1), carray(marks, count), room, carray(z, n), finer != 0
    )


@cache
def search() -> Any:
    """The C function (`.address`) that `searched` calls; compiled, or read from the cache, when it is first asked for."""
    return c_function(_crossed, _SIGNATURE)


@intrinsic
def searched(
    context: Any, search: Any, address: Any, table: Any, t: Any, h: Any, poly: Any, p: Any, marks: Any, seen: Any, z: Any,
    n: Any, count: Any, columns: Any, finer: Any,
) -> Any:  # fmt: skip
    """In compiled code: `crossed` through the address `search`, with z [n], marks [count], seen [SEEN, columns]."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        double, whole = ir.DoubleType(), ir.IntType(64)
        row, numbers = double.as_pointer(), whole.as_pointer()
        function = ir.FunctionType(double, [whole, numbers, double, double, *[row] * 5, *[whole] * 4])
        place = builder.inttoptr(args[0], function.as_pointer())
        return builder.call(place, pointers(context, builder, signature.args[1:], args[1:]))

    numbers = (_WHOLE, _WHOLE, table, _REAL, _REAL, poly, p, marks, seen, z, _WHOLE, _WHOLE, _WHOLE, _WHOLE)
    return types.float64(*numbers), code
