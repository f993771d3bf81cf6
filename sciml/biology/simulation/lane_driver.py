"""Runs a lane program over many trajectories: fills lanes, keeps their clocks in double, records, refills. Compiled once for all models."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, float64, int64, types, uint8
from numba.extending import intrinsic

from sciml.biology.kernels.lanes import LANES, LARGEST_COUNT, LaneProgram, compiled_lanes
from sciml.biology.simulation.draws import stream_words
from sciml.compiling import compiled
from sciml.errors import SciMLError
from sciml.resources import cache_folder

__all__ = ["run_lanes"]

_INFINITE, _ZERO, _LARGEST = np.float32(np.inf), np.float32(0), np.float32(LARGEST_COUNT)
_RUNS, _HALTS = np.uint8(0), np.uint8(1)


def run_lanes(
    program: LaneProgram,
    seed: int,
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
) -> bool:
    """Trajectories `first`, ..., `first + len(out) - 1`; returns whether some are left to the double kernel.

    `start`, `single`, `double`: a row for each trajectory, or one for all. `times` ascend; records from number `kept` on go to `out`
    [n, T, S]. `left` [n, S + 2]: time (NaN where it is not left), next record and state of what single precision cannot go on with.
    `done` [n] is set for finished trajectories. `signals`: [0] stops the run when set, [1] counts what is done.
    """
    record = int(np.searchsorted(times, 0.0, side="right"))
    out[:, : max(0, record - kept)] = start[:, None, :]
    if record == len(times):
        done[:] = 1
        signals[1] += len(out)
        return False
    large = np.broadcast_to((start > LARGEST_COUNT).any(axis=1), len(out))
    left[large, 0], left[large, 1] = 0.0, record
    left[large, 2:] = np.broadcast_to(start, (len(out), start.shape[1]))[large]
    rows = max(len(start), len(single))
    image = np.empty((rows, start.shape[1] + single.shape[1]), dtype=np.float32)
    image[:, : start.shape[1]], image[:, start.shape[1] :] = start, single
    words = stream_words(seed, first, len(out)).view(np.float32)
    w = np.zeros((program.rows, LANES), dtype=np.float32)
    d = np.zeros((max(1, double.shape[1]), LANES))
    address = compiled_lanes(program.source).address
    state = np.zeros(LANES, dtype=np.uint8)
    lost = _run(address, image, double, words, times, record, kept, w, d, np.zeros((2, LANES)), np.zeros((2, LANES), np.int64), state,
                np.zeros(LANES + 1, dtype=np.int64), np.zeros(LANES, np.float32), out, left, done, signals)  # fmt: skip
    if lost < 0:
        raise SciMLError(f"the compiled code in {cache_folder()} is of another version; remove that folder")
    return bool(large.any() or lost)


def _program(context: Any, address: Any, single: Any, double: Any) -> Any:
    """Run the program at `address` on its rows."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = [ir.FloatType().as_pointer(), ir.DoubleType().as_pointer()]
        rows = [context.make_array(kind)(context, builder, value).data for kind, value in zip(signature.args[1:], args[1:], strict=True)]
        builder.call(builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer()), rows)
        return context.get_dummy_value()

    return types.void(types.int64, single, double), code


_call: Any = intrinsic(_program)


_SINGLE, _DOUBLE = float32[:, ::1], float64[:, ::1]


@compiled(
    int64(int64, _SINGLE, _DOUBLE, _SINGLE, float64[::1], int64, int64, _SINGLE, _DOUBLE, _DOUBLE, int64[:, ::1], uint8[::1], int64[::1],
          float32[::1], int64[:, :, ::1], _DOUBLE, uint8[::1], int64[::1])
)  # fmt: skip
def _run(
    address: Any, image: Any, double: Any, words: Any, times: Any, begin: int, kept: int, w: Any, d: Any, clocks: Any, lanes: Any,
    state: Any, halted: Any, most: Any, out: Any, left: Any, done: Any, signals: Any,
) -> int:  # fmt: skip
    """The loop of `run_lanes`; returns how many trajectories it left.

    `clocks`: time and next record of each lane; `lanes`: trajectory or -1, number of the next record; `state`: whether a lane halted,
    `halted`: which; `most`: the largest count in a lane.
    """
    if w.shape[1] != LANES:
        return -1  # kept code of another number of lanes
    n, species, last, clock = len(out), out.shape[2], len(times), image.shape[1]
    waiting, active, lost = 0, 0, 0
    lanes[0, :] = -1
    refill = True
    while signals[0] == 0:
        if refill:
            refill = False
            for i in range(LANES):
                if lanes[0, i] >= 0:
                    continue
                while waiting < n and left[waiting, 0] == left[waiting, 0]:
                    waiting += 1
                k = waiting
                row = -1 if k >= n else k if len(image) > 1 else 0
                for j in range(clock):
                    w[j, i] = image[row, j] if row >= 0 else _ZERO
                if k >= n:
                    continue
                for j in range(double.shape[1]):
                    d[j, i] = double[k if len(double) > 1 else 0, j]
                for j in range(4):
                    w[clock + 2 + j, i] = words[k, j]
                clocks[0, i], clocks[1, i] = 0.0, times[begin]
                lanes[0, i], lanes[1, i] = k, begin
                w[clock, i], w[clock + 1, i] = _ZERO, np.float32(times[begin])
                waiting += 1
                active += 1
            if active == 0:
                break
        _call(address, w, d)
        for i in range(LANES):
            most[i] = w[0, i]
        for s in range(1, species):
            for i in range(LANES):
                most[i] = w[s, i] if w[s, i] > most[i] else most[i]
        for i in range(LANES):
            t = w[clock, i]
            running = (t >= _ZERO) & (t < _INFINITE)
            state[i] = (_RUNS if running else _HALTS) | (_HALTS if most[i] > _LARGEST else _RUNS)
        for i in range(LANES):
            t = w[clock, i]
            clocks[0, i] = clocks[0, i] + abs(np.float64(t)) if t < _INFINITE else clocks[1, i]
            w[clock, i] = _ZERO
            w[clock + 1, i] = np.float32(clocks[1, i] - clocks[0, i])
        count = 0
        for i in range(LANES):
            halted[count] = i
            count += state[i]
        for j in range(count):
            i = halted[j]
            k, r = lanes[0, i], lanes[1, i]
            if k < 0:
                continue
            if clocks[0, i] < clocks[1, i]:
                left[k, 0], left[k, 1] = clocks[0, i], r
                for s in range(species):
                    left[k, 2 + s] = w[s, i]
                lost += 1
            else:
                if r >= kept:
                    for s in range(species):
                        out[k, r - kept, s] = np.int64(w[s, i])
                if r + 1 < last:
                    lanes[1, i], clocks[1, i] = r + 1, times[r + 1]
                    w[clock + 1, i] = np.float32(times[r + 1] - clocks[0, i])
                    continue
                done[k] = 1
                signals[1] += 1
            lanes[0, i] = -1
            active -= 1
            refill = True
    return lost
