"""Explicit steps of order 5(4) in compiled code, one for all models: a right-hand side comes as the address of a C function.

The solution between the ends of a step is its own polynomial of order 4. Stiffness is seen as in Hairer and Wanner, Solving ODEs II,
IV.2: the step is held back by stability, not by accuracy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from sciml.biology.kernels.native import call
from sciml.biology.simulation.crossings import COARSE, SEEN, searched
from sciml.biology.simulation.step_control import (
    ADDRESS,
    CALLS,
    CONDITIONS,
    CROSSED,
    DONE,
    FAILED,
    FLOOR,
    LAST_ERROR,
    LIMIT,
    LONGEST,
    MOST,
    NEXT,
    REJECTED,
    RTOL,
    STATE,
    STATUS,
    STEPS,
    STIFF,
    STOP,
    SWITCH,
    TABLE,
    TO_THE_END,
    WATCHED,
    WORST,
    H,
    T,
    first_step,
    handed_out,
    shorter,
    weight,
)  # fmt: skip
from sciml.biology.simulation.tsitouras import DENSE, ERROR, NODES, WEIGHTS
from sciml.compiling import compiled

__all__ = ["explicit", "explicit_row"]

_ERROR = ERROR[None]
_STABLE = 2.8  # |h lambda| where stability holds the step back
_PATIENCE = 15  # steps held back in a row before it counts as stiff
_AHEAD = 100  # ... if so many more of them are to come: fewer are made sooner than a matrix is


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _combined(weights: Any, row: int, terms: int, k: Any, i: int) -> float:
    total = 0.0
    for j in range(terms):
        total += weights[row, j] * k[j, i]
    return total


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
        elif held >= _PATIENCE and status == LIMIT and stop - t > _AHEAD * h:
            status = STIFF
    real[T], real[H], whole[NEXT], whole[STATUS] = t, h, next, status


@compiled(types.void(ADDRESS, TABLE, *CONDITIONS, *STATE), error_model="numpy")
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
