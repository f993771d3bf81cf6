"""The loop of the chemical Langevin equation: noise by reaction, steps chosen before they are made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sciml.biology.kernels.native import call
from sciml.biology.simulation.draws import begin_stream, normal
from sciml.biology.simulation.leap_steps import expected, longest_leap, next_stop, put_records
from sciml.compiling import compiled

__all__ = ["run_langevin"]

_LEAST = 0.25  # firings by which a state may change in a step however few molecules there are


@compiled(error_model="numpy")
def run_langevin(
    code: Any, room: Any, stream: Any, first: int, parameters: Any, times: Any, breaks: Any, timed: bool, epsilon: float, skipped: int,
    begin: float, end: float, reflect: bool, loud: Any, most: int, y: Any, out: Any, at_zero: Any, failed: Any, counted: Any, signals: Any,
) -> None:  # fmt: skip
    """Trajectories first, first + 1, ... from y [n, s] at time `begin`, moved to `end` or the last time, at most `most` steps.

    out [n, T - skipped, s] at those of the ascending `times` in between, the first `skipped` not written; `breaks`: where laws jump.
    `at_zero` [n, s]: adds the time for which a state was at most zero. `failed` [n]: 0, or 1 + a channel whose propensity is no number, in
    the state y. `counted` [n, 3]: adds steps and the firings that they stand for; the time that was reached. `loud` [R]: factor of each
    channel's noise.
    """
    for n in range(len(out)):
        s, p = begin_stream(stream, first + n, 0), parameters[n % len(parameters)]
        t, record, piece, bad, steps = begin, np.searchsorted(times, begin), 0, -1, 0
        while bad < 0:
            record = put_records(y[n], t, end, times, record, skipped, out[n])
            while piece < len(breaks) and breaks[piece] <= t:
                piece += 1
            if record == len(times) or t >= end or steps == most or signals[0] != 0:
                break
            stop, now = next_stop(t, begin, end, times, record, breaks, piece, timed)
            bad, t = _step(s, code, room, y[n], p, t, now, stop, epsilon, reflect, loud, at_zero[n])
            for r in range(len(room.means)):
                counted[n, 1] += room.means[r]
            steps += 1
        failed[n] = bad + 1
        counted[n, 0] += steps
        counted[n, 2] = t
        signals[1] += end == np.inf


@compiled(error_model="numpy")
def _step(
    s: Any, code: Any, room: Any, y: Any, p: Any, t: float, now: float, stop: float, epsilon: float, reflect: bool, loud: Any, at_zero: Any
) -> Any:  # fmt: skip
    """One step, to `stop` at most: (-1 or the channel that failed, new time)."""
    tables, values, seen = code.tables, room.values, room.new
    channels = len(room.means)
    for i in range(len(y)):
        seen[i] = max(y[i], 0.0)
    call(code.slopes, now, seen, p, values, code.slopes_context)  # type: ignore[call-arg]
    total = 0.0
    for r in range(channels):
        if not np.isfinite(values[r]):
            return r, t
        values[r] = max(values[r], 0.0)
        total += values[r]
    step = stop - t
    room.means[:] = 0.0
    if total > 0.0:
        step = min(step, longest_leap(tables, values, seen, room.critical, epsilon, _LEAST, room.work))
        latest = stop if now == t else np.nextafter(stop, 0.0)
        while not expected(code, now, step, latest, seen, p, values, room.critical, True, room.means, room.work):
            step *= 0.5
            if t + step == t:
                return 0, t
        for r in range(channels):
            number = room.means[r] + loud[r] * math.sqrt(room.means[r]) * normal(s)
            for j in range(tables.starts[r], tables.starts[r + 1]):
                y[tables.states[j]] += number * tables.amounts[j]
    for i in range(len(y)):
        if y[i] <= 0.0:
            at_zero[i] += step
            if reflect:
                y[i] = -y[i]
    return -1, stop if step == stop - t else t + step
