"""What all integrators share: how a run is controlled, what an error is measured in, the first step, and the answers handed out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from sciml.biology.simulation.crossings import dense
from sciml.compiling import compiled

__all__ = ["CROSSED", "DONE", "FAILED", "LIMIT", "REALS", "STIFF", "WHOLES", "first_step", "handed_out", "shorter", "weight"]

DONE, CROSSED, STIFF, FAILED, LIMIT = range(5)  # how a run of an integrator ended; FAILED: no step is small enough

ADDRESS, TABLE, _ROW, _ROWS = types.int64, types.int64[::1], types.float64[::1], types.float64[:, ::1]
CONDITIONS = (ADDRESS, ADDRESS, TABLE)  # types of: search, conditions, guards
STATE = (_ROWS, _ROWS, _ROW, _ROW, types.float64[:, :, ::1], _ROW, _ROWS, _ROWS, types.int64[:, ::1])  # and of the rest, from ys on

# places in the two rows of numbers that control a run and say how it went
REALS, WHOLES = 7, 11
T, H, STOP, RTOL, FLOOR, LAST_ERROR, LONGEST = range(REALS)
NEXT, TO_THE_END, STEPS, REJECTED, CALLS, MOST, STATUS, WORST, SWITCH, WATCHED, STIFFLY = range(WHOLES)


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def weight(i: int, y: Any, new: Any, change: float, absolute: Any, scale: Any, rtol: float, floor: float) -> float:
    """What an error of state i is measured in: relative to its size, and to a small part of its own scale."""
    size = max(abs(y[i]), abs(new[i]))
    return rtol * size + absolute[i] + floor * max(max(scale[i], size), change)


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def first_step(span: float, y: Any, slopes: Any, absolute: Any, scale: Any, real: Any) -> float:
    """A hundredth of the time in which the state changes by itself; a start that is too small is made up for at once."""
    size = slope = 0.0
    for i in range(y.size):
        w = weight(i, y, y, 0.0, absolute, scale, real[RTOL], real[FLOOR])
        if w > 0:
            size, slope = max(size, abs(y[i]) / w), max(slope, abs(slopes[i]) / w)
    return min(span, 0.01 * size / slope if size > 1e-5 and slope > 1e-5 else 1e-4 * span)


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def handed_out(t: float, h: float, new_t: float, whole: int, poly: Any, grid: Any, out: Any, next: int) -> int:
    """Write what was asked for at times before `new_t` (`whole` 1: and at it); returns the number of the next time."""
    while next < grid.size and (grid[next] < new_t or (whole == 1 and grid[next] <= new_t)):
        dense(poly, (grid[next] - t) / h, out[next])
        next += 1
    return next


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def shorter(error: float) -> float:
    """What a rejected step of order 5 is multiplied by."""
    return max(0.1, 0.9 * error**-0.2) if error < np.inf else 0.1
