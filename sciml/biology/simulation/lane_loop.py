"""The loop around a lane program, compiled once for all models: it fills lanes, keeps their clocks in double, records and refills."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core.ccallback import CFunc

from sciml.biology.kernels.lanes import LANES, LARGEST_COUNT
from sciml.biology.kernels.native import run_program

__all__ = ["build"]

_INFINITE, _ZERO, _LARGEST = np.float32(np.inf), np.float32(0), np.float32(LARGEST_COUNT)
_RUNS, _HALTS = np.uint8(0), np.uint8(1)


# Rows of w, d, `clocks` and `lanes` are `LANES` wide. `image` [n or 1, columns] are states and coefficients, `own` whether each trajectory
# has its own. `clocks`: time and next record of each lane; `lanes`: trajectory or -1, number of the next record; `state`: whether a lane
# halted, `halted`: which; `most`: the largest count in a lane.
def _run(
    address: Any, n: Any, species: Any, columns: Any, doubles: Any, last: Any, begin: Any, skipped: Any, own: Any, own_double: Any,
    image: Any, double: Any, words: Any, times: Any, w: Any, d: Any, clocks: Any, lanes: Any, state: Any, halted: Any, most: Any,
    out: Any, left: Any, done: Any, signals: Any,
) -> Any:  # fmt: skip
    """The loop of `run_lanes`; returns how many trajectories it left."""
    clock, limit, generator, trajectory, record = columns * LANES, (columns + 1) * LANES, (columns + 2) * LANES, 0, LANES
    waiting, active, lost, refill = 0, 0, 0, True
    for i in range(LANES):
        lanes[i] = -1
    while signals[0] == 0:
        if refill:
            refill = False
            for i in range(LANES):
                if lanes[trajectory + i] >= 0:
                    continue
                while waiting < n and left[waiting * (species + 2)] == left[waiting * (species + 2)]:
                    waiting += 1
                k = waiting
                for j in range(columns):
                    w[j * LANES + i] = image[own * k * columns + j] if k < n else _ZERO
                if k >= n:
                    continue
                for j in range(doubles):
                    d[j * LANES + i] = double[own_double * k * doubles + j]
                for j in range(4):
                    w[generator + j * LANES + i] = words[4 * k + j]
                clocks[i], clocks[LANES + i] = 0.0, times[begin]
                lanes[trajectory + i], lanes[record + i] = k, begin
                w[clock + i], w[limit + i] = _ZERO, np.float32(times[begin])
                waiting += 1
                active += 1
            if active == 0:
                break
        run_program(address, w, d)  # type: ignore[call-arg]
        for i in range(LANES):
            most[i] = w[i]
        for s in range(1, species):
            for i in range(LANES):
                most[i] = w[s * LANES + i] if w[s * LANES + i] > most[i] else most[i]
        for i in range(LANES):
            t = w[clock + i]
            running = (t >= _ZERO) & (t < _INFINITE)
            state[i] = (_RUNS if running else _HALTS) | (_HALTS if most[i] > _LARGEST else _RUNS)
        for i in range(LANES):
            t = w[clock + i]
            clocks[i] = clocks[i] + abs(np.float64(t)) if t < _INFINITE else clocks[LANES + i]
            w[clock + i] = _ZERO
            w[limit + i] = np.float32(clocks[LANES + i] - clocks[i])
        count = 0
        for i in range(LANES):
            halted[count] = i
            count += state[i]
        for j in range(count):
            i = halted[j]
            k, r = lanes[trajectory + i], lanes[record + i]
            if k < 0:
                continue
            if clocks[i] < clocks[LANES + i]:
                at = k * (species + 2)
                left[at], left[at + 1] = clocks[i], r
                for s in range(species):
                    left[at + 2 + s] = w[s * LANES + i]
                lost += 1
            else:
                if r >= skipped:
                    at = (k * (last - skipped) + r - skipped) * species
                    for s in range(species):
                        out[at + s] = np.int64(w[s * LANES + i])
                if r + 1 < last:
                    lanes[record + i], clocks[LANES + i] = r + 1, times[r + 1]
                    w[limit + i] = np.float32(times[r + 1] - clocks[i])
                    continue
                done[k] = 1
                signals[1] += 1
            lanes[trajectory + i] = -1
            active -= 1
            refill = True
    return lost


def build() -> Any:
    """numba's C callback of the loop."""
    whole, single, double, byte = (types.CPointer(t) for t in (types.int64, types.float32, types.float64, types.uint8))
    arrays = (single, double, single, double, single, double, double, whole, byte, whole, single, whole, double, byte, whole)
    found = CFunc(_run, ((types.int64,) * 10 + arrays, types.int64), locals={}, options={"error_model": "numpy"})
    found.compile()
    return found
