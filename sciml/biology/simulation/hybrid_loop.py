"""The loop around a hybrid program: it fills lanes, begins and ends the steps of each in double precision, records and refills."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sciml.biology.kernels.hybrid_lanes import BUDGET, CLOCK, END, GENERATOR, SHARE, WAIT
from sciml.biology.kernels.lanes import LANES
from sciml.biology.kernels.native import call, run_program
from sciml.biology.simulation.draws import begin_stream, exponential, poisson
from sciml.biology.simulation.leap_steps import LeapCode, longest_leap, put_records
from sciml.compiling import compiled

__all__ = ["HybridTask", "Lanes", "Results", "empty_lanes", "run_hybrid"]

_NONE: Any
_NONE = np.int64(-1)  # a typed number: a plain literal would be compiled for once more
_GROWN = 2.0  # a step ends where this many times the firings that its start foresaw are expected


class HybridTask(NamedTuple):
    """What trajectories first, first + 1, ... run: one row of parameters and of coefficients for all of them, or one each.

    `address`: of the program, `marks`: its first row of marks. `words` [n, 4]: streams of the lanes. `times` ascend; records from number
    `skipped` on are kept.
    """

    address: int
    marks: int
    code: LeapCode
    stream: Any
    first: int
    parameters: np.ndarray
    single: np.ndarray
    double: np.ndarray
    words: np.ndarray
    times: np.ndarray
    skipped: int
    abundant: float
    epsilon: float


class Lanes(NamedTuple):
    """Rows w and d of the program. Per lane: its trajectory or -1, next record, time at the start of the step and where the step ends,
    in time and by the lane's clock; the generator of what is drawn outside. Then room: propensities and slopes, `longest_leap`'s."""

    w: np.ndarray
    d: np.ndarray
    whose: np.ndarray
    record: np.ndarray
    now: np.ndarray
    target: np.ndarray
    full: np.ndarray
    generator: np.ndarray
    values: np.ndarray
    work: np.ndarray
    alone: np.ndarray


class Results(NamedTuple):
    """`out` [n, T, s]; `last` [n, s]: the starts, then states at the starts of steps; `failed` [n]: 0, or 1 + the channel whose propensity
    cannot be, in the state `last`; `done` [n]; `counted` [n, 3]: steps, events one by one, firings drawn for steps."""

    out: np.ndarray
    last: np.ndarray
    failed: np.ndarray
    done: np.ndarray
    counted: np.ndarray


def empty_lanes(rows: int, doubles: int, channels: int, slopes: int, states: int) -> Lanes:
    """Lanes without trajectories."""
    return Lanes(
        np.zeros((rows, LANES), dtype=np.float32), np.zeros((max(1, doubles), LANES)), np.full(LANES, -1), np.zeros(LANES, dtype=np.int64),
        np.zeros(LANES), np.zeros(LANES), np.zeros(LANES, dtype=np.float32), np.zeros((LANES, 4), dtype=np.uint64),
        np.zeros(channels + slopes), np.zeros((6, max(channels, states))), np.zeros(channels, dtype=np.bool_),
    )  # fmt: skip


@compiled(error_model="numpy")
def run_hybrid(task: Any, lanes: Any, results: Any, signals: Any) -> None:
    """All trajectories of a task. `signals`: [0] stops the run when set, [1] counts what is done."""
    # numba counts references wherever an array is taken out of a tuple: so it is done once
    address, marks, code, stream, first, parameters, single, double, words, times, skipped, abundant, epsilon = task
    w, d, whose, record, now, target, full, generator, values, work, alone = lanes
    out, last, failed, done, counted = results
    further = marks + 2 * len(alone)
    waiting, active = 0, LANES
    while active > 0 and signals[0] == 0:
        active = 0
        for i in range(LANES):
            clock = w[further + CLOCK, i]
            if 0.0 <= clock < w[further + END, i]:
                active += 1
                continue
            k, bad = whose[i], _NONE
            if k >= 0:
                now[i] = target[i] if clock >= full[i] else now[i] + abs(clock)
                if clock >= 0.0:
                    t = code.tables
                    bad = _close(t.starts, t.states, t.amounts, w, marks, i, generator[i], last[k], counted[k])
                else:
                    bad = _faulty(code, values, w, i, last[k], parameters[k % len(parameters)])
            while True:  # until the lane has a step to go, or there is nothing left
                if k >= 0:
                    y, p = last[k], parameters[k % len(parameters)]
                    if bad < 0:
                        record[i] = put_records(y, now[i], np.inf, times, record[i], skipped, out[k])
                    if bad < 0 and record[i] < len(times):
                        stop = times[record[i]]
                        bad, length = _open(code, values, work, alone, y, p, now[i], stop, abundant, epsilon, w, marks, i)
                        if bad < 0:
                            full[i], target[i] = w[further + END, i], min(stop, now[i] + length)
                            active += 1
                            break
                    failed[k], done[k] = bad + 1, bad < 0
                    signals[1] += 1
                whose[i], w[further + CLOCK, i], w[further + END, i] = -1, 0.0, 0.0
                if waiting == len(out):
                    break
                k, bad = waiting, _NONE
                waiting += 1
                whose[i], record[i], now[i] = k, 0, 0.0
                generator[i] = begin_stream(stream, first + k, 0)
                _fill(w, d, i, last.shape[1], single[k % len(single)], double[k % len(double)], words[k], further + GENERATOR)
                w[further + WAIT, i], w[further + SHARE, i] = exponential(generator[i]), epsilon
        if active > 0:
            run_program(address, w, d)  # type: ignore[call-arg]


@compiled(error_model="numpy")
def _fill(w: Any, d: Any, i: int, row: int, single: Any, double: Any, words: Any, generator: int) -> None:
    """Coefficients, from `row` on, and words of the generator of lane i."""
    for j in range(len(single)):
        w[row + j, i] = single[j]
    for j in range(len(double)):
        d[j, i] = double[j]
    for j in range(len(words)):
        w[generator + j, i] = words[j]


@compiled(error_model="numpy")
def _open(
    code: Any, values: Any, work: Any, alone: Any, y: Any, p: Any, t: float, stop: float, abundant: float, epsilon: float, w: Any,
    marks: int, i: int,
) -> Any:  # fmt: skip
    """Begin a step from y in lane i: (-1 or the channel whose propensity cannot be, its longest time)."""
    tables, channels = code.tables, len(alone)
    starts, states, largest = tables.starts, tables.states, tables.largest
    call(code.slopes, t, y, p, values, code.slopes_context)  # type: ignore[call-arg]
    total = 0.0
    for r in range(channels):
        if not (0.0 <= values[r] < np.inf):
            return r, 0.0
        scarce = False
        for j in range(starts[r], starts[r + 1]):
            scarce |= y[states[j]] < abundant * largest[states[j]]
        alone[r] = scarce
        total += 0.0 if scarce else values[r]
        w[marks + r, i], w[marks + channels + r, i] = 0.0 if scarce else 1.0, 0.0
    length = stop - t
    if total > 0.0:
        length = min(length, longest_leap(tables, values, y, alone, epsilon, 1.0, work))
    for j in range(len(y)):
        w[j, i] = y[j]
    further = marks + 2 * channels
    w[further + CLOCK, i], w[further + END, i] = 0.0, length
    w[further + BUDGET, i] = _GROWN * total * length if total > 0.0 else 1.0
    return -1, length


@compiled(error_model="numpy")
def _close(starts: Any, states: Any, amounts: Any, w: Any, marks: int, i: int, s: Any, y: Any, counted: Any) -> int:
    """End a step: y gets what fired one by one, and Poisson numbers of what is expected. -1, or a channel that lacks molecules."""
    channels, bad = len(starts) - 1, -1
    counted[0] += 1
    for r in range(channels):
        number = float(w[marks + channels + r, i])
        if number > 0.0:
            if w[marks + r, i] > 0.0:
                number = poisson(s, number)
                counted[2] += number
            else:
                counted[1] += number
            for j in range(starts[r], starts[r + 1]):
                y[states[j]] += number * amounts[j]
    for r in range(channels):
        for j in range(starts[r], starts[r + 1]):
            if y[states[j]] < 0.0:
                bad = r
    return bad


@compiled(error_model="numpy")
def _faulty(code: Any, values: Any, w: Any, i: int, y: Any, p: Any) -> int:
    """The channel whose propensity cannot be in the state of lane i, which y becomes."""
    tables = code.tables
    for j in range(len(y)):
        y[j] = w[j, i]
    call(code.rates, 0.0, y, p, values, code.rates_context)  # type: ignore[call-arg]
    for r in range(len(tables.starts) - 1):
        if not (0.0 <= values[r] < np.inf):
            return r
        for j in range(tables.starts[r], tables.starts[r + 1]):
            if values[r] > 0.0 and y[tables.states[j]] + tables.amounts[j] < 0.0:
                return r
    return 0
