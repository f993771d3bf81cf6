"""Runs a lane program over many trajectories: fills lanes, keeps their clocks in double, records, refills. Compiled once for all models."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, float64, int64, types, uint8, uint64
from numba.extending import intrinsic

from sciml.biology.kernels.lanes import LANES, LARGEST_COUNT
from sciml.biology.simulation.draws import begin_stream
from sciml.compiling import compiled

__all__ = ["run_lanes"]

_INFINITE, _ZERO, _LARGEST = np.float32(np.inf), np.float32(0), np.float32(LARGEST_COUNT)
_RUNS, _RECORDS, _STOPPED = np.int32(0), np.int32(1), np.int32(2)


@intrinsic  # type: ignore[untyped-decorator]
def _call(context: Any, address: Any, single: Any, double: Any) -> Any:
    """Run the program at `address` on its rows."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = [ir.FloatType().as_pointer(), ir.DoubleType().as_pointer()]
        rows = [context.make_array(kind)(context, builder, value).data for kind, value in zip(signature.args[1:], args[1:], strict=True)]
        builder.call(builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer()), rows)
        return context.get_dummy_value()

    return types.void(types.int64, single, double), code


_rows64, _rows32 = float64[:, ::1], float32[:, ::1]


@compiled(
    int64(
        int64, uint64, int64, _rows64, _rows32, _rows64, float64[::1], int64, int64[:, :, ::1], float64[:, ::1], uint8[::1], int64[::1]
    )
)  # fmt: skip
def run_lanes(
    address: int,
    seed: Any,
    first: int,
    start: np.ndarray,
    single: np.ndarray,
    double: np.ndarray,
    times: np.ndarray,
    kept: int,
    out: np.ndarray,
    left: np.ndarray,
    done: np.ndarray,
    signals: np.ndarray,
) -> int:
    """Trajectories `first`, ..., `first + len(out) - 1`; returns how many were left to the double kernel.

    `start`, `single`, `double`: a row for each trajectory, or one for all. `times` ascend; records from number `kept` on go to `out` [n, T, S].
    `left` [n, S + 2]: time (NaN where it is not left), next record and state of what single precision cannot go on with. `done` [n] is set
    for finished trajectories. `signals`: [0] stops the run when set, [1] counts what is done.
    """
    n, species, last = out.shape[0], start.shape[1], len(times)
    coefficients = single.shape[1]
    clock = species + coefficients
    w = np.zeros((clock + 6, LANES), dtype=np.float32)
    d = np.zeros((max(1, double.shape[1]), LANES), dtype=np.float64)
    elapsed, following = np.zeros(LANES), np.zeros(LANES)
    trajectory, record = np.full(LANES, -1), np.zeros(LANES, dtype=np.int64)
    state = np.zeros(LANES, dtype=np.int32)
    waiting, active, lost = 0, 0, 0
    refill = True
    while True:
        if refill:
            refill = False
            for i in range(LANES):
                while trajectory[i] < 0 and waiting < n and signals[0] == 0:
                    k = waiting
                    waiting += 1
                    at_rest = True
                    row = k if start.shape[0] > 1 else 0
                    for s in range(species):
                        w[s, i] = start[row, s]
                        at_rest = at_rest and start[row, s] <= LARGEST_COUNT
                    r = 0
                    while r < last and times[r] <= 0.0:
                        if r >= kept:
                            for s in range(species):
                                out[k, r - kept, s] = np.int64(start[row, s])
                        r += 1
                    if r == last:
                        done[k] = 1
                        signals[1] += 1
                        continue
                    if not at_rest:
                        lost += 1
                        left[k, 0], left[k, 1] = 0.0, r
                        for s in range(species):
                            left[k, 2 + s] = start[row, s]
                        continue
                    row = k if single.shape[0] > 1 else 0
                    for j in range(coefficients):
                        w[species + j, i] = single[row, j]
                    row = k if double.shape[0] > 1 else 0
                    for j in range(double.shape[1]):
                        d[j, i] = double[row, j]
                    words = begin_stream(seed, first + k, 0).view(np.float32)
                    for j in range(4):
                        w[clock + 2 + j, i] = words[j]
                    w[clock, i] = _ZERO
                    elapsed[i], following[i], trajectory[i], record[i] = 0.0, times[r], k, r
                    w[clock + 1, i] = np.float32(times[r])
                    active += 1
                if trajectory[i] < 0:
                    for j in range(clock):
                        w[j, i] = _ZERO
                    w[clock, i] = _ZERO
            if active == 0:
                break
        _call(address, w, d)
        events = 0
        for i in range(LANES):
            t = w[clock, i]
            state[i] = (_STOPPED if t < _ZERO else _RECORDS) if not (_ZERO <= t < _INFINITE) else _RUNS
            elapsed[i] = elapsed[i] + abs(np.float64(t)) if t < _INFINITE else following[i]
            w[clock, i] = _ZERO
            w[clock + 1, i] = np.float32(following[i] - elapsed[i])
        for s in range(species):
            for i in range(LANES):
                state[i] = max(state[i], np.int32(_STOPPED if w[s, i] > _LARGEST else _RUNS))
        for i in range(LANES):
            events += state[i]
        if signals[0] != 0:
            break
        if events == 0:
            continue
        for i in range(LANES):
            k, r = trajectory[i], record[i]
            if state[i] == _RUNS or k < 0:
                continue
            if state[i] == _STOPPED and elapsed[i] < following[i]:
                left[k, 0], left[k, 1] = elapsed[i], r
                for s in range(species):
                    left[k, 2 + s] = w[s, i]
                lost += 1
            else:
                if r >= kept:
                    for s in range(species):
                        out[k, r - kept, s] = np.int64(w[s, i])
                record[i] = r + 1
                if r + 1 < last:
                    following[i] = times[r + 1]
                    w[clock + 1, i] = np.float32(following[i] - elapsed[i])
                    continue
                done[k] = 1
                signals[1] += 1
            trajectory[i] = -1
            active -= 1
            refill = True
    return lost
