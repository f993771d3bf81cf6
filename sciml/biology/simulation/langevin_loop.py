"""The loop of the chemical Langevin equation: noise by reaction, steps chosen before they are made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sciml.biology.kernels.native import call
from sciml.biology.simulation.draws import begin_stream, normal
from sciml.biology.simulation.leap_steps import expected, longest_leap
from sciml.compiling import compiled

__all__ = ["run_langevin"]

_LEAST = 0.25  # firings by which a state may change in a step however few molecules there are
_TIMED_PIECES = 64.0


@compiled(error_model="numpy")
def run_langevin(
    code: Any, room: Any, stream: Any, first: int, starts: Any, parameters: Any, times: Any, breaks: Any, timed: bool, epsilon: float,
    begin: float, reflect: bool, out: Any, at_zero: Any, failed: Any, last: Any, signals: Any,
) -> None:  # fmt: skip
    """Trajectories first, first + 1, ... from time `begin` into out [n, T, s]; `at_zero` [n, s]: time for which a state was at most zero.

    `failed` [n]: 0, or 1 + a channel whose propensity is no number, in the state `last`.
    """
    for n in range(len(out)):
        s = begin_stream(stream, first + n, 0)
        y, p = last[n], parameters[n % len(parameters)]
        for i in range(len(y)):
            y[i] = starts[n % len(starts), i]
        t, record, piece, bad = begin, 0, 0, -1
        while bad < 0:
            while record < len(times) and times[record] <= t:
                for i in range(len(y)):
                    out[n, record, i] = y[i]
                record += 1
            while piece < len(breaks) and breaks[piece] <= t:
                piece += 1
            if record == len(times) or signals[0] != 0:
                break
            stop, now = times[record], t
            if len(breaks):
                now = np.nextafter(t, np.inf)
                stop = min(stop, breaks[piece]) if piece < len(breaks) else stop
            if timed:
                whole = stop - max(times[record - 1] if record else begin, breaks[piece - 1] if piece else begin)
                stop = min(stop, t + whole / _TIMED_PIECES)
            bad, t = _step(s, code, room, y, p, t, now, stop, epsilon, reflect, at_zero[n])
        failed[n] = bad + 1
        signals[1] += 1


@compiled(error_model="numpy")
def _step(
    s: Any, code: Any, room: Any, y: Any, p: Any, t: float, now: float, stop: float, epsilon: float, reflect: bool, at_zero: Any
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
    if total > 0.0:
        step = min(step, longest_leap(tables, values, seen, room.critical, epsilon, _LEAST, room.work))
        latest = stop if now == t else np.nextafter(stop, 0.0)
        while not expected(code, now, step, latest, seen, p, values, room.critical, True, room.means, room.work):
            step *= 0.5
            if t + step == t:
                return 0, t
        for r in range(channels):
            number = room.means[r] + math.sqrt(room.means[r]) * normal(s)
            for j in range(tables.starts[r], tables.starts[r + 1]):
                y[tables.states[j]] += number * tables.amounts[j]
    for i in range(len(y)):
        if y[i] <= 0.0:
            at_zero[i] += step
            if reflect:
                y[i] = -y[i]
    return -1, stop if step == stop - t else t + step
