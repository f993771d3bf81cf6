"""Steps for stiff systems in compiled code, one for all models: the Rosenbrock method Rodas5P with its own dense output.

Steinebach, BIT Numerical Mathematics 63 (2023) 27: order 5(4), stiffly accurate. Jacobian and df/dt come from the network, exact. The
matrix 1/(h gamma) - J is factorised on its own pattern of zeros, in an order that is chosen once per structure (`sparsity`).

Where what is stiff follows a slow curve the ends of long steps are exact and the solution between them is not. So a step must also bring
(1/(h gamma) - J)^-1 (f - du/dt) in its middle, u the dense output, below the tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from sciml.biology.kernels.native import call
from sciml.biology.simulation.crossings import COARSE, SEEN, dense, searched
from sciml.biology.simulation.sparse_lu import factorised, matrix, solve
from sciml.biology.simulation.step_control import (
    CALLS,
    CONDITIONS,
    CROSSED,
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
    WATCHED,
    WORST,
    H,
    T,
    first_step,
    handed_out,
    shorter,
    weight,
)  # fmt: skip
from sciml.compiling import compiled

__all__ = ["rosenbrock"]

_GAMMA = 0.21193756319429014
_A = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [3.0, 0, 0, 0, 0, 0, 0],
        [2.849394379747939, 0.45842242204463923, 0, 0, 0, 0, 0],
        [-6.954028509809101, 2.489845061869568, -10.358996098473584, 0, 0, 0, 0],
        [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641, 0, 0, 0],
        [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 0, 0],
        [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1, 0],
        [-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1, 1],
    ]
)
_C = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [-14.155112264123755, 0, 0, 0, 0, 0, 0],
        [-17.97296035885952, -2.859693295451294, 0, 0, 0, 0, 0],
        [147.12150275711716, -1.41221402718213, 71.68940251302358, 0, 0, 0, 0],
        [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306, 0, 0, 0],
        [24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471, 0, 0],
        [30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623, -28.087943162872662, 0],
        [37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002, -54.66780262877968,
         -9.48861652309627],
    ]
)  # fmt: skip
_TIMES = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0])
_D = np.array([0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0.0, 0.0, 0.0])
_DENSE = np.array(
    [
        [25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073, 1.1241088310450404,
         0.4272876194431874, -0.17202221070155493],
        [-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044, 15.98066361424651,
         -6.789040303419874, -6.710236069923372],
        [11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654, -59.78993625266729,
         -0.15582684282751913, 4.883087185713722],
    ]
)  # fmt: skip


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _prepare(stage: int, h: float, y: Any, k: Any, by_time: Any, new: Any, right: Any) -> None:
    """new = y + sum_j A_j k_j, where f is taken, and the right-hand side without f; `by_time` [n] is df/dt."""
    for i in range(y.size):
        shift = total = 0.0
        for j in range(stage):
            shift += _A[stage, j] * k[j, i]
            total += _C[stage, j] * k[j, i]
        new[i] = y[i] + shift
        right[i] = total / h + h * _D[stage] * by_time[i]


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _error(
    error: float, change: float, y: Any, new: Any, slopes: Any, last: Any, absolute: Any, scale: Any, real: Any, whole: Any
) -> float:  # fmt: skip
    """The largest error (`last`, the last stage) in units of what is allowed; whose it is goes to whole[WORST]."""
    for i in range(y.size):
        if last[i] != last[i] or (last[i] != 0.0 and scale[i] + absolute[i] > 0):
            ratio = abs(last[i]) / weight(i, y, new, change * abs(slopes[i]), absolute, scale, real[RTOL], real[FLOOR])
            if not ratio <= error:
                error, whole[WORST] = ratio, i
    return error


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _polynomial(y: Any, new: Any, k: Any, poly: Any) -> None:
    for i in range(y.size):
        d1 = d2 = d3 = 0.0
        for j in range(8):
            d1 += _DENSE[0, j] * k[j, i]
            d2 += _DENSE[1, j] * k[j, i]
            d3 += _DENSE[2, j] * k[j, i]
        poly[0, i], poly[1, i] = y[i], new[i] - y[i] + d1
        poly[2, i], poly[3, i], poly[4, i] = d2 - d1, d3 - d2, -d3


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def _defect(rhs: int, table: Any, t: float, h: float, p: Any, poly: Any, z: Any, slopes: Any, out: Any) -> None:
    """out = f - du/dt in the middle of the step, u its polynomial."""
    dense(poly, 0.5, z)
    call(rhs, t, z, p, slopes, table)  # type: ignore[call-arg]
    for i in range(z.size):
        out[i] = slopes[i] - (poly[1, i] + poly[2, i] + 0.75 * poly[3, i] + 0.5 * poly[4, i]) / h


_ADDRESS, _TABLE = types.int64, types.int64[::1]


@compiled(types.void(_ADDRESS, _TABLE, _ADDRESS, *[_TABLE] * 6, *CONDITIONS, *STATE), error_model="numpy")
def rosenbrock(
    rhs: int, table: Any, jacobian: int, jacobian_table: Any, entries: Any, starts: Any, columns: Any, diagonal: Any, order: Any,
    search: int, conditions: int, guards: Any,
    ys: Any, ps: Any, marks: Any, grid: Any, outs: Any, absolute: Any, scales: Any, reals: Any, wholes: Any,
) -> None:  # fmt: skip
    """As `explicit.explicit`. `jacobian` writes the entries of J that are not zero by structure, then df/dt; `entries`, `starts`,
    `columns`, `diagonal`, `order` are those of `sparsity.Pattern`."""
    n, count = ys.shape[1], entries.size
    k, poly, z, new, right, x, slopes = np.empty((8, n)), np.empty((5, n)), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    lu, values, watched = np.empty(columns.size), np.empty(count + n), wholes[0, WATCHED]
    seen = np.empty((SEEN, watched))
    for b in range(ys.shape[0]):
        y, p, out, scale, real, whole = ys[b], ps[b], outs[b], scales[b], reals[b], wholes[b]
        t, h, stop, next = real[T], real[H], real[STOP], whole[NEXT]
        status, tries, coarse, growth, fresh = LIMIT if t < stop else DONE, 0, 0, 6.0, True
        while status == LIMIT and whole[STEPS] + whole[REJECTED] < whole[MOST]:
            if fresh:
                call(rhs, t, y, p, slopes, table)  # type: ignore[call-arg]
                call(jacobian, t, y, p, values, jacobian_table)
                fresh = False
                if h <= 0:
                    growth = 100.0
                    h = first_step(stop - t, y, slopes, absolute, scale, real)
            proposed = h = min(h, real[LONGEST])
            ends = t + 1.001 * h >= stop
            if ends:
                h = stop - t
            matrix(1.0 / (h * _GAMMA), values, entries, diagonal, lu)
            error = 0.0 if factorised(lu, x, starts, columns, diagonal) else np.inf
            for stage in range(8):
                _prepare(stage, h, y, k, values[count:], new, right)
                call(rhs, t + _TIMES[stage] * h, new, p, z, table)  # type: ignore[call-arg]
                for i in range(n):
                    right[i] += z[i]
                solve(lu, starts, columns, diagonal, order, right, x, k[stage])
            whole[CALLS] += 8
            for i in range(n):
                new[i] += k[7, i]
            error = _error(error, h, y, new, slopes, k[7], absolute, scale, real, whole)
            if error <= 1.0:  # the ends may be exact where what is stiff follows a curve, and the solution between them far off
                _polynomial(y, new, k, poly)
                _defect(rhs, table, t + 0.5 * h, h, p, poly, z, k[0], right)
                solve(lu, starts, columns, diagonal, order, right, x, k[7])
                error = _error(error, h, y, new, slopes, k[7], absolute, scale, real, whole)
                whole[CALLS] += 1
            if not error <= 1.0:
                whole[REJECTED] += 1
                tries += 1
                h *= shorter(error)
                if t + h == t or tries > 100:
                    status = FAILED
                continue
            new_t = stop if ends else t + h
            if conditions:
                change: float = searched(  # type: ignore[call-arg]
                    search, conditions, guards, t, h, poly, p, marks, seen, z, n, marks.size, watched, 1 if coarse < 4 else 0
                )
                if change == COARSE:
                    whole[REJECTED] += 1
                    coarse += 1
                    h *= 0.25
                    continue
                if change >= 0.0:
                    new_t, status = change, CROSSED
                    for i in range(n):
                        new[i] = z[i]
            whole[STEPS] += 1
            tries = coarse = 0
            inside = 1 if status == LIMIT and not ends else whole[TO_THE_END]
            next = handed_out(t, h, new_t, inside, poly, grid, out, next)
            t, fresh = new_t, True
            for i in range(n):
                y[i] = new[i]
                scale[i] = max(scale[i], abs(new[i]))
            h *= min(growth, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
            growth = 6.0
            if status == LIMIT and ends:
                h, status = max(h, proposed), DONE
        real[T], real[H], whole[NEXT], whole[STATUS] = t, h, next, status
