"""The loop of tau-leaping: leaps where they pay, exact steps where they do not, on the same unit Poisson processes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sciml.biology.kernels.native import call
from sciml.biology.simulation.draws import begin_stream
from sciml.biology.simulation.leap_steps import expected, longest_leap, next_stop, put_records
from sciml.biology.simulation.unit_processes import cover, drop, next_point, pass_by
from sciml.compiling import compiled

__all__ = ["run_leaps"]

_CRITICAL = 10.0  # firings left below which a channel is never leaped over
_LEAST_FIRINGS, _EXACT_STEPS = 10.0, 100
# typed numbers: a plain literal would be compiled for once more
_ZERO: Any
_NONE: Any
_FIRED: Any
_ZERO, _NONE, _FIRED = np.int64(0), np.int64(-1), np.int64(2)


@compiled(error_model="numpy")
def run_leaps(
    code: Any, room: Any, futures: Any, stream: Any, first: int, parameters: Any, times: Any, breaks: Any, timed: bool, epsilon: float,
    skipped: int, most: int, y: Any, out: Any, failed: Any, done: Any, counted: Any, signals: Any,
) -> None:  # fmt: skip
    """Trajectories first, first + 1, ... from y [n, s], which is moved, into out [n, T - skipped, s]; `breaks` are where laws jump.

    `futures`: unit processes, one a channel. `times` ascend; the first `skipped` are not written. `failed` [n]: 0, or 1 + the channel whose
    propensity cannot be, in the state y. `done` [n]: came to the last time, in at most so many steps. `counted` [n, 4]: leaps, exact
    steps, rejected leaps, firings.
    """
    for n in range(len(out)):
        s, p = begin_stream(stream, first + n, 0), parameters[n % len(parameters)]
        t, record, piece, exact, bad, steps = 0.0, 0, 0, _ZERO, -1, 0
        for r in range(len(room.means)):
            futures.used[r] = 0
        while bad < 0:
            record = put_records(y[n], t, np.inf, times, record, skipped, out[n])
            while piece < len(breaks) and breaks[piece] <= t:
                piece += 1
            if record == len(times) or steps == most or signals[0] != 0:
                break
            steps += 1
            stop, now = next_stop(t, 0.0, np.inf, times, record, breaks, piece, timed)
            bad, t, exact = _advance(s, code, room, futures, y[n], p, t, now, stop, timed, epsilon, exact, counted[n])
        failed[n] = bad + 1
        done[n] = record == len(times)
        signals[1] += 1


@compiled(error_model="numpy")
def _advance(
    s: Any, code: Any, room: Any, q: Any, y: Any, p: Any, t: float, now: float, stop: float, timed: bool, epsilon: float, exact: int,
    counted: Any,
) -> Any:  # fmt: skip
    """One leap or one exact step, to `stop` at most: (-1 or the channel that failed, new time, exact steps to come)."""
    tables, values = code.tables, room.values
    call(code.slopes, now, y, p, values, code.slopes_context)  # type: ignore[call-arg]
    total, bad = _total(values, len(room.means))
    if bad >= 0 or (total == 0.0 and not timed):
        return bad, stop, exact
    tau = stop - t
    if exact == 0:
        _mark(tables, values, y, room.critical)
        tau = longest_leap(tables, values, y, room.critical, epsilon, 1.0, room.work)
        if tau * total < _LEAST_FIRINGS:
            exact = _EXACT_STEPS
    if exact == 0:
        done = _leap(s, code, room, q, y, p, t, now, stop, tau, total, counted)
        return (-1, done, 0) if done >= 0.0 else (-1, t, _EXACT_STEPS)
    if timed:
        stop = min(stop, t + tau)
        call(code.rates, t + 0.5 * (stop - t), y, p, values, code.rates_context)
    bad, t = _exact(s, tables, values, y, q, t, stop)
    counted[1] += 1
    counted[3] += 1 if t < stop else 0
    return bad, t, exact - 1


@compiled(error_model="numpy")
def _leap(
    s: Any, code: Any, room: Any, q: Any, y: Any, p: Any, t: float, now: float, stop: float, tau: float, total: float, counted: Any
) -> float:  # fmt: skip
    """A leap of tau at most, halved until it keeps all states above zero: the new time, or -1 where exact steps are cheaper."""
    tables, values, critical = code.tables, room.values, room.critical
    chosen, wait = _NONE, np.inf
    for r in range(len(critical)):
        if critical[r] and values[r] > 0.0:
            ahead = next_point(s, q, r) / values[r]
            if ahead < wait:
                chosen, wait = r, ahead
    while True:
        step = min(tau, stop - t, wait)
        fires = chosen if step == wait else _NONE
        latest = stop if now == t else np.nextafter(stop, 0.0)
        good = expected(code, now, step, latest, y, p, values, critical, False, room.means, room.work)
        if good and _drawn(s, tables, room, q, y, fires):
            break
        counted[2] += 1
        tau = 0.5 * step
        if tau * total < _LEAST_FIRINGS:
            return -1.0
    for r in range(len(critical)):
        if r == fires:
            drop(q, r, _FIRED)
        elif not critical[r]:
            drop(q, r, room.pieces[r])
        elif values[r] > 0.0:
            pass_by(q, r, values[r] * step)
    for i in range(len(y)):
        y[i] = room.new[i]
    for r in range(len(critical)):
        counted[3] += room.fired[r]
    counted[0] += 1
    return stop if step == stop - t else t + step


@compiled(error_model="numpy")
def _drawn(s: Any, tables: Any, room: Any, q: Any, y: Any, fires: int) -> bool:
    """Draw a leap into `room.new`; False where it would go below zero. What was drawn stays known."""
    new, fired = room.new, room.fired
    for i in range(len(y)):
        new[i] = y[i]
    for r in range(len(fired)):
        fired[r] = 1.0 if r == fires else 0.0
        if not room.critical[r]:
            fired[r], room.pieces[r] = cover(s, q, r, room.means[r])
        if fired[r] > 0.0:
            for j in range(tables.starts[r], tables.starts[r + 1]):
                new[tables.states[j]] += fired[r] * tables.amounts[j]
    for i in range(len(new)):
        if new[i] < 0.0:
            return False
    return True


@compiled(error_model="numpy")
def _exact(s: Any, tables: Any, values: Any, y: Any, q: Any, t: float, stop: float) -> Any:
    """One step of the modified next reaction method (Anderson 2007): (-1 or the channel that lacks molecules, new time <= stop)."""
    channels = len(tables.starts) - 1
    chosen, wait = _NONE, np.inf
    for r in range(channels):
        if values[r] > 0.0:
            ahead = next_point(s, q, r) / values[r]
            if ahead < wait:
                chosen, wait = r, ahead
    step = min(wait, stop - t)
    for r in range(channels):
        if values[r] > 0.0 and not (r == chosen and wait == step):
            pass_by(q, r, values[r] * step)
    if wait != step:
        return -1, stop
    drop(q, chosen, _FIRED)
    for j in range(tables.starts[chosen], tables.starts[chosen + 1]):
        if y[tables.states[j]] + tables.amounts[j] < 0.0:
            return chosen, t + step
    for j in range(tables.starts[chosen], tables.starts[chosen + 1]):
        y[tables.states[j]] += tables.amounts[j]
    return -1, t + step


@compiled(error_model="numpy")
def _total(values: Any, channels: int) -> Any:
    """(sum of propensities, -1 or the channel whose propensity is negative or no number)."""
    total = 0.0
    for r in range(channels):
        if not (0.0 <= values[r] < np.inf):
            return total, r
        total += values[r]
    return total, -1


@compiled(error_model="numpy")
def _mark(tables: Any, values: Any, y: Any, critical: Any) -> None:
    """Critical: what could exhaust one of its reactants within a few firings; also what rests until there are some."""
    for r in range(len(critical)):
        critical[r] = False
        for j in range(tables.starts[r], tables.starts[r + 1]):
            if tables.amounts[j] < 0.0 and math.floor(y[tables.states[j]] / -tables.amounts[j]) < _CRITICAL:
                critical[r] = True
