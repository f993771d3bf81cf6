"""Explicit steps of order 5(4) in compiled code, one for all models: a right-hand side comes as the address of a C function.

Tsitouras, Computers & Mathematics with Applications 62 (2011) 770. The solution between the ends of a step is its own polynomial of
order 4. Stiffness is seen as in Hairer and Wanner, Solving ODEs II, IV.2: the step is held back by stability, not by accuracy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from sciml.biology.kernels.native import call
from sciml.biology.simulation.crossings import COARSE, SEEN, dense, searched
from sciml.compiling import compiled

__all__ = ["CROSSED", "DONE", "FAILED", "LIMIT", "STIFF", "explicit", "explicit_row", "first_step", "handed_out", "shorter", "weight"]

DONE, CROSSED, STIFF, FAILED, LIMIT = 0, 1, 2, 3, 4  # how a run of an integrator ended; 3: no step is small enough

WEIGHTS = np.array(
    [
        [0.161, 0, 0, 0, 0, 0],
        [-0.008480655492356989, 0.335480655492357, 0, 0, 0, 0],
        [2.8971530571054935, -6.359448489975075, 4.3622954328695815, 0, 0, 0],
        [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525, 0, 0],
        [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383, 0],
        [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.2900695154360807, 2.324710524099774],
    ]
)
NODES = np.array([0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0])
_ERROR = np.array(
    [[
        -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552,
        -0.45808210592918697, 0.015151515151515152,
    ]]
)  # fmt: skip
# y(s) = y + h sum_i k_i (D[0,i] s + D[1,i] s^2 + D[2,i] s^3 + D[3,i] s^4)
DENSE = np.array(
    [
        [1.0, 0, 0, 0, 0, 0, 0],
        [-2.763706197274826, 0.1317, 3.9302962368947516, -12.411077166933676, 37.50931341651104, -27.896526289197286, 1.5],
        [2.9132554618219126, -0.2234, -5.941033872131505, 30.33818863028232, -88.1789048947664, 65.09189467479366, -4.0],
        [-1.0530884977290216, 0.1017, 2.490627285651252793, -16.548102889244902, 47.37952196281928, -34.87065786149661, 2.5],
    ]
)
ERROR = _ERROR[0]
_STABLE = 2.8  # |h lambda| where stability holds the step back
_PATIENCE = 15  # steps held back in a row before it counts as stiff


_ADDRESS, _TABLE, _ROW, _ROWS = types.int64, types.int64[::1], types.float64[::1], types.float64[:, ::1]
CONDITIONS = (_ADDRESS, _ADDRESS, _TABLE)  # types of: search, conditions, guards
STATE = (_ROWS, _ROWS, _ROW, _ROW, types.float64[:, :, ::1], _ROW, _ROWS, _ROWS, types.int64[:, ::1])  # and of the rest, from ys on

# places in the two rows of numbers that control a run and say how it went
T, H, STOP, RTOL, FLOOR, LAST_ERROR, LONGEST = range(7)
NEXT, TO_THE_END, STEPS, REJECTED, CALLS, MOST, STATUS, WORST, SWITCH, WATCHED, STIFFLY = range(11)


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
def _combined(weights: Any, row: int, terms: int, k: Any, i: int) -> float:
    total = 0.0
    for j in range(terms):
        total += weights[row, j] * k[j, i]
    return total


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def shorter(error: float) -> float:
    """What a rejected step of order 5 is multiplied by."""
    return max(0.1, 0.9 * error**-0.2) if error < np.inf else 0.1


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _stages(rhs: int, table: Any, t: float, h: float, y: Any, p: Any, k: Any, z: Any, new: Any) -> None:
    """Slopes k[1] to k[6] from k[0]; `new` is the end of the step, z where k[5] was taken."""
    for stage in range(1, 7):
        target = new if stage == 6 else z
        for i in range(y.size):
            target[i] = y[i] + h * _combined(WEIGHTS, stage - 1, stage, k, i)
        call(rhs, t + NODES[stage - 1] * h, target, p, k[stage], table)  # type: ignore[call-arg]


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _error(h: float, y: Any, new: Any, k: Any, absolute: Any, scale: Any, real: Any, whole: Any) -> float:
    """The largest error of a state in units of what is allowed; whose it is goes to whole[WORST]."""
    error = 0.0
    for i in range(y.size):
        off = _combined(_ERROR, 0, 7, k, i)
        if off != off or (off != 0.0 and scale[i] + absolute[i] > 0):  # what is no number counts whatever its size is
            change = h * max(abs(k[0, i]), abs(k[6, i]))
            ratio = abs(h * off) / weight(i, y, new, change, absolute, scale, real[RTOL], real[FLOOR])
            if not ratio <= error:
                error, whole[WORST] = ratio, i
    return error


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _polynomial(h: float, y: Any, k: Any, poly: Any) -> None:
    for i in range(y.size):
        poly[0, i] = y[i]
        for power in range(4):
            poly[power + 1, i] = h * _combined(DENSE, power, 7, k, i)


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _held_back(h: float, y: Any, new: Any, z: Any, k: Any, absolute: Any, scale: Any, real: Any) -> bool:
    """Whether a longer step would not be stable: |h lambda|, lambda from the last two slopes."""
    top = bottom = 0.0
    for i in range(y.size):
        w = weight(i, y, new, 0.0, absolute, scale, real[RTOL], real[FLOOR])
        if w > 0:
            top, bottom = max(top, abs(k[6, i] - k[5, i]) / w), max(bottom, abs(new[i] - z[i]) / w)
    return h * top > _STABLE * bottom


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def explicit_row(
    rhs: int, table: Any, search: int, conditions: int, guards: Any,
    y: Any, p: Any, marks: Any, grid: Any, out: Any, absolute: Any, scale: Any, real: Any, whole: Any,
    k: Any, poly: Any, z: Any, new: Any, seen: Any,
) -> None:  # fmt: skip
    """One row of `explicit`, with room to work in: k [7, n], poly [5, n], z [n], new [n], seen [SEEN, conditions + guards]."""
    t, h, stop, next = real[T], real[H], real[STOP], whole[NEXT]
    status, held, free, tries, coarse, begun, growth = LIMIT, 0, 0, 0, 0, False, 8.0
    if t >= stop:
        status = DONE
    while status == LIMIT and whole[STEPS] + whole[REJECTED] < whole[MOST]:
        if not begun:
            begun = True
            call(rhs, t, y, p, k[0], table)  # type: ignore[call-arg]
            if h <= 0:
                growth = 100.0  # a first guess may be far too small
                h = first_step(stop - t, y, k[0], absolute, scale, real)
        proposed = h = min(h, real[LONGEST])
        ends = t + 1.001 * h >= stop
        if ends:
            h = stop - t
        _stages(rhs, table, t, h, y, p, k, z, new)
        whole[CALLS] += 6
        error = _error(h, y, new, k, absolute, scale, real, whole)
        if not error <= 1.0:
            whole[REJECTED] += 1
            tries += 1
            h *= shorter(error)
            if t + h == t or tries > 100:
                status = FAILED
            continue
        new_t = stop if ends else t + h
        if conditions or (next < grid.size and grid[next] <= new_t):
            _polynomial(h, y, k, poly)
        if conditions:
            change: float = searched(  # type: ignore[call-arg]
                search, conditions, guards, t, h, poly, p, marks, seen, z, y.size, marks.size, seen.shape[1], 1 if coarse < 4 else 0
            )
            if change == COARSE:
                whole[REJECTED] += 1
                coarse += 1
                h *= 0.25
                continue
            if change >= 0.0:
                new_t, status = change, CROSSED
                for i in range(y.size):
                    new[i] = z[i]
        whole[STEPS] += 1
        tries = coarse = 0
        inside = 1 if status == LIMIT and not ends else whole[TO_THE_END]
        next = handed_out(t, h, new_t, inside, poly, grid, out, next)
        if whole[SWITCH]:
            if _held_back(h, y, new, z, k, absolute, scale, real):
                held, free = held + 1, 0
            else:
                free += 1
                held = 0 if free >= 6 else held
        t = new_t
        for i in range(y.size):
            y[i] = new[i]
            k[0, i] = k[6, i]
            scale[i] = max(scale[i], abs(new[i]))
        h *= min(growth, max(0.2, 0.9 * max(error, 1e-10) ** -0.17 * real[LAST_ERROR] ** 0.04))
        real[LAST_ERROR], growth = max(error, 1e-4), 8.0
        if status == LIMIT and ends:
            h, status = max(h, proposed), DONE
        elif held >= _PATIENCE and status == LIMIT:
            status = STIFF
    real[T], real[H], whole[NEXT], whole[STATUS] = t, h, next, status


@compiled(types.void(_ADDRESS, _TABLE, *CONDITIONS, *STATE), error_model="numpy")
def explicit(
    rhs: int, table: Any, search: int, conditions: int, guards: Any,
    ys: Any, ps: Any, marks: Any, grid: Any, outs: Any, absolute: Any, scales: Any, reals: Any, wholes: Any,
) -> None:  # fmt: skip
    """Run each row of ys [B, n] with ps [B, m] from reals[b, T] to reals[b, STOP]; how it ended goes to wholes[b, STATUS].

    `outs` [B, T, n] gets the states at the times of `grid`, in order. `marks` are the values of the conditions now; rows end where one
    changes, which `search` (an address, see `crossings`) finds. `absolute` [n], `scales` [B, n]: see `weight`.
    """
    n = ys.shape[1]
    k, poly, z, new = np.empty((7, n)), np.empty((5, n)), np.empty(n), np.empty(n)
    seen = np.empty((SEEN, wholes[0, WATCHED]))
    for b in range(ys.shape[0]):
        explicit_row(
            rhs, table, search, conditions, guards, ys[b], ps[b], marks, grid, outs[b], absolute, scales[b], reals[b], wholes[b],
            k, poly, z, new, seen,
        )  # fmt: skip
