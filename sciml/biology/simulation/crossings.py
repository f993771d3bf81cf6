"""What happens inside a step: its polynomial, and the first time at which a condition changes. Compiled code."""

from __future__ import annotations

from typing import Any

from sciml.biology.kernels.native import call
from sciml.compiling import compiled

__all__ = ["crossed", "dense"]

_POINTS = 10  # looked at in every step


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def dense(poly: Any, s: float, out: Any) -> None:
    """out = sum_k poly[k] s^k: the solution a fraction s into the step."""
    for i in range(out.size):
        out[i] = poly[0, i] + s * (poly[1, i] + s * (poly[2, i] + s * (poly[3, i] + s * poly[4, i])))


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _changed(address: int, table: Any, time: float, z: Any, p: Any, marks: Any, found: Any) -> bool:
    """Whether a condition differs from its mark; its values, then those of the guards, go into `found`."""
    call(address, time, z, p, found, table)  # type: ignore[call-arg]
    for c in range(marks.size):
        if found[c] != marks[c]:
            return True
    return False


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def crossed(address: int, table: Any, t: float, h: float, poly: Any, p: Any, marks: Any, seen: Any, z: Any) -> float:
    """The first time in (t, t + h] at which a condition is not as in `marks`, to the last bits; -1 where none changes.

    Ten points of the step are looked at. Where a guard (the difference whose sign decides) has its smallest size between three points without
    a change of sign, the vertex of the parabola through them is looked at too, so that a short dip across zero is not overlooked.
    `seen` [4, conditions + guards] and z [n] are room to work in; z holds the solution at the time that is returned.
    """
    low = t
    dense(poly, 0.0, z)
    call(address, t, z, p, seen[0], table)  # type: ignore[call-arg]
    for point in range(1, _POINTS + 1):
        s = point / _POINTS
        high = t + h * s
        now, before, earlier, spare = seen[point % 3], seen[(point + 2) % 3], seen[(point + 1) % 3], seen[3]
        dense(poly, s, z)
        hit = _changed(address, table, high, z, p, marks, now)
        if not hit and point > 1:
            for g in range(marks.size, now.size):
                a, b, c = earlier[g], before[g], now[g]
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
                if _changed(address, table, middle, z, p, marks, now):
                    high = middle
                else:
                    low = middle
            dense(poly, (high - t) / h, z)
            return high
        low = high
    return -1.0
