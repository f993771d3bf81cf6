"""Steps for large stiff systems in compiled code, one for all models: numerical differentiation formulas of order 1 to 5.

Shampine and Reichelt, SIAM J. Sci. Comput. 18 (1997) 1: backward differences over steps of one length, which changes seldom. One step
takes one or two right-hand sides and solutions of equations, a Rosenbrock step nine; it is shorter, but for many states it pays. A change
of the model's numbers begins at order 1 again, so this is for models without conditions that are searched for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types

from sciml.biology.kernels.native import call
from sciml.biology.simulation.sparse_lu import factorised, matrix, solve
from sciml.biology.simulation.step_control import (
    CALLS,
    CONDITIONS,
    DONE,
    FAILED,
    FLOOR,
    LIMIT,
    LONGEST,
    MOST,
    NEXT,
    REJECTED,
    RTOL,
    STATE,
    STATUS,
    STEPS,
    STOP,
    TO_THE_END,
    WORST,
    H,
    T,
    first_step,
    weight,
)  # fmt: skip
from sciml.compiling import compiled

__all__ = ["multistep"]

_HIGHEST = 5
_KAPPA = np.array([0.0, -0.1850, -1 / 9, -0.0823, -0.0415, 0.0])
_SUMS = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, _HIGHEST + 1))])
_ALPHA = (1 - _KAPPA) * _SUMS
_OFF = _KAPPA * _SUMS + 1 / np.arange(1, _HIGHEST + 2)  # error of order k: _OFF[k] times a difference
_STRICTER = 10.0  # than asked: errors add up over steps that are many and short
_FINEST = 1e-13  # relative tolerance that rounding allows
_SAME = np.array([[float((-1) ** m * math.comb(j, m)) for j in range(_HIGHEST + 1)] for m in range(_HIGHEST + 1)])  # `ratios` of factor 1
_CLOSE = 0.03  # of the tolerance: where Newton's iteration may end
_ITERATIONS = 4
_GAIN = 1.2  # a longer step that is less than this is not worth a factorisation
_LONGER, _SHORTER, _SAFE = 10.0, 0.1, 0.9


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _stretched(factor: float, order: int, d: Any, spare: Any, ratios: Any) -> None:
    """Differences for steps `factor` times as long, through the same polynomial. `ratios` [6, 6] is room."""
    for m in range(order + 1):
        ratios[0, m] = 1.0
        for j in range(1, order + 1):
            ratios[j, m] = ratios[j - 1, m] * (j - 1 - factor * m) / j
    for row in range(1, order + 1):
        for i in range(d.shape[1]):
            spare[row, i] = 0.0
        for column in range(1, order + 1):
            total = 0.0
            for m in range(order + 1):
                total += ratios[column, m] * _SAME[m, row]
            for i in range(d.shape[1]):
                spare[row, i] += total * d[column, i]
    for row in range(1, order + 1):
        for i in range(d.shape[1]):
            d[row, i] = spare[row, i]


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _size(factor: float, change: Any, inverse: Any, whole: Any) -> float:
    """The largest |factor change| in units of the tolerance; whose it is goes to whole[WORST]."""
    largest = 0.0
    for i in range(change.size):
        ratio = abs(factor * change[i]) * inverse[i]
        if not ratio <= largest:
            largest, whole[WORST] = ratio, i
    return largest


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _predicted(order: int, d: Any, absolute: Any, scale: Any, real: Any, guess: Any, psi: Any, inverse: Any) -> None:
    """`guess`, the state at the end of the step as the differences have it; what they add to the equation; 1 / tolerance."""
    stricter = min(_STRICTER, max(1.0, real[RTOL] / _FINEST))
    for i in range(guess.size):
        total = past = 0.0
        for k in range(1, order + 1):
            total += d[k, i]
            past += _SUMS[k] * d[k, i]
        guess[i], psi[i] = d[0, i] + total, past / _ALPHA[order]
        allowed = weight(i, d[0], guess, abs(d[1, i]), absolute, scale, real[RTOL], real[FLOOR])
        inverse[i] = stricter / allowed if allowed > 0.0 and scale[i] + absolute[i] + abs(guess[i]) > 0.0 else 0.0


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _given(t: float, h: float, order: int, d: Any, time: float, out: Any) -> None:
    """The solution at a time of the step that ended at t, from its differences."""
    for i in range(out.size):
        out[i] = d[0, i]
    part = 1.0
    for k in range(order):
        part *= (time - t + h * k) / (h * (k + 1))
        for i in range(out.size):
            out[i] += part * d[k + 1, i]


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _order(order: int, d: Any, error: float, inverse: Any, whole: Any) -> Any:
    """(change of the order, factor of the step) that lead furthest at the tolerance."""
    best, move = _SAFE * max(error, 1e-10) ** (-1.0 / (order + 1)), 0
    if order > 1:
        lower = _SAFE * max(_size(_OFF[order - 1], d[order], inverse, whole), 1e-10) ** (-1.0 / order)
        if lower > best:
            best, move = lower, -1
    if order < _HIGHEST:
        higher = _SAFE * max(_size(_OFF[order + 1], d[order + 2], inverse, whole), 1e-10) ** (-1.0 / (order + 2))
        if higher > best:
            best, move = higher, 1
    return move, min(_LONGER, best)


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _closed(
    rhs: int, table: Any, t: float, p: Any, shift: float, rate: float, close: float,
    lu: Any, starts: Any, columns: Any, diagonal: Any, places: Any,
    new: Any, psi: Any, off: Any, inverse: Any, z: Any, right: Any, x: Any, step: Any, whole: Any,
) -> float:  # fmt: skip
    """The rate of Newton's iteration, infinity where it does not end: `new` is the state, `off` how far from what was predicted."""
    last = 0.0
    for i in range(off.size):
        off[i] = 0.0
    for iteration in range(_ITERATIONS):
        call(rhs, t, new, p, z, table)  # type: ignore[call-arg]
        whole[CALLS] += 1
        for i in range(off.size):
            right[i] = z[i] - shift * (psi[i] + off[i])
        solve(lu, starts, columns, diagonal, places, right, x, step)
        size = _size(1.0, step, inverse, whole)
        if iteration > 0:
            rate = max(0.3 * rate, size / last)
        if not size < np.inf or (iteration > 0 and size > 2.0 * last):
            break
        for i in range(off.size):
            new[i] += step[i]
            off[i] += step[i]
        if size * min(1.0, rate) < close:
            return rate
        last = size
    return np.inf


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _taken(order: int, d: Any, off: Any, scale: Any) -> None:
    """The differences at the end of the step."""
    for i in range(off.size):
        d[order + 2, i] = off[i] - d[order + 1, i]
        d[order + 1, i] = off[i]
        for back in range(order + 1):
            d[order - back, i] += d[order - back + 1, i]
        scale[i] = max(scale[i], abs(d[0, i]))


_ADDRESS, _TABLE = types.int64, types.int64[::1]


@compiled(types.void(_ADDRESS, _TABLE, _ADDRESS, *[_TABLE] * 6, *CONDITIONS, *STATE), error_model="numpy")
def multistep(
    rhs: int, table: Any, jacobian: int, jacobian_table: Any, entries: Any, starts: Any, columns: Any, diagonal: Any, places: Any,
    search: int, conditions: int, guards: Any,
    ys: Any, ps: Any, marks: Any, grid: Any, outs: Any, absolute: Any, scales: Any, reals: Any, wholes: Any,
) -> None:  # fmt: skip
    """As `rosenbrock.rosenbrock`, for models without conditions: `search`, `conditions`, `guards` and `marks` are not looked at."""
    n = ys.shape[1]
    d, lu, values, ratios = np.empty((_HIGHEST + 3, n)), np.empty(columns.size), np.empty(entries.size + n), np.empty((6, 6))
    spare = np.empty((_HIGHEST + 9, n))
    new, psi, off, inverse, z, right, x, step = spare[_HIGHEST + 1 :]
    for b in range(ys.shape[0]):
        y, p, out, scale, real, whole = ys[b], ps[b], outs[b], scales[b], reals[b], wholes[b]
        t, h, stop, next = real[T], real[H], real[STOP], whole[NEXT]
        call(rhs, t, y, p, z, table)  # type: ignore[call-arg]
        if h <= 0:
            h = first_step(stop - t, y, z, absolute, scale, real)
        for i in range(n):
            d[0, i], d[1, i], d[2, i], d[3, i] = y[i], h * z[i], 0.0, 0.0
        status, order, equal, tries, fresh, known, rate, factor = LIMIT if t < stop else DONE, 1, 0, 0, False, False, 1.0, 1.0
        close = max(_CLOSE, _CLOSE * _FINEST / max(real[RTOL], 1e-15))
        while status == LIMIT and whole[STEPS] + whole[REJECTED] < whole[MOST]:
            factor = min(factor, real[LONGEST] / h)
            ends = t + 1.001 * h * factor >= stop
            if ends:
                factor = (stop - t) / h
            if factor != 1.0:
                _stretched(factor, order, d, spare, ratios)
                h, equal, known, factor = h * factor, 0, False, 1.0
            new_t = stop if ends else t + h
            _predicted(order, d, absolute, scale, real, new, psi, inverse)
            if not known:
                call(jacobian, new_t, new, p, values, jacobian_table)
                matrix(_ALPHA[order] / h, values, entries, diagonal, lu)
                known, fresh, rate = factorised(lu, x, starts, columns, diagonal), True, 1.0
            rate = _closed(
                rhs, table, new_t, p, _ALPHA[order] / h, rate, close, lu, starts, columns, diagonal, places,
                new, psi, off, inverse, z, right, x, step, whole,
            ) if known else np.inf  # fmt: skip
            error = _size(_OFF[order], off, inverse, whole) if rate < np.inf else np.inf
            if not error <= 1.0:
                whole[REJECTED] += 1
                if not rate < np.inf and not fresh:
                    known = False  # with a new matrix before with a shorter step
                    continue
                tries += 1
                factor = max(_SHORTER, _SAFE * error ** (-1.0 / (order + 1))) if error < np.inf else 0.25
                if t + h * factor == t or tries > 100:
                    status = FAILED
                continue
            whole[STEPS] += 1
            tries, fresh, t, equal = 0, False, new_t, equal + 1
            _taken(order, d, off, scale)
            while next < grid.size and (grid[next] < t or (grid[next] == t and (not ends or whole[TO_THE_END] == 1))):
                _given(t, h, order, d, grid[next], out[next])
                next += 1
            if ends:
                status = DONE
            elif equal > order:
                move, factor = _order(order, d, error, inverse, whole)
                factor = factor if factor >= _GAIN or factor < 1.0 or move < 0 else 1.0
                if factor != 1.0:
                    order += move
        for i in range(n):
            y[i] = d[0, i]
        real[T], real[H], whole[NEXT], whole[STATUS] = t, h, next, status
