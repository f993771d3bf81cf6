"""The loop of the double kernel where propensities change between jumps: with time itself, or with what rate rules move.

The hazard H(t) = int a dt is integrated together with the rate rules by Dormand and Prince's 5(4) pair; the next reaction comes where H
reaches an exponential number, found on the pair's own interpolant of order 4 (Shampine 1986). Errors are held to 1e-9 of H and of the
moving values in each step. Comparisons with time are break points, so that nothing jumps inside a step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import RK45

from sciml.biology.simulation.draws import exponential
from sciml.biology.simulation.row_walk import walk
from sciml.biology.simulation.scalar_loops import BROKEN, LACKING, REACHED, STOPPED, TRIGGERED, begin, draw, fire, renew, turned
from sciml.biology.simulation.scalar_table import CHANNELS, DRIFTING, MOVING, RATES
from sciml.compiling import compiled

__all__ = ["PAIR", "STUCK", "flow"]

STUCK = 6


class Pair(NamedTuple):
    """Coefficients of the pair: stages `a` [7, 7], their places `c`, the error `e`, the interpolant `p` [7, 4]."""

    a: np.ndarray
    c: np.ndarray
    e: np.ndarray
    p: np.ndarray


_STAGES = np.zeros((7, 7))
_STAGES[:6, :5], _STAGES[6, :6] = RK45.A, RK45.B
PAIR = Pair(_STAGES, np.append(RK45.C, 1.0), np.array(RK45.E), np.array(RK45.P))
_TOLERANCE = 1e-9
_LOOKS = 10  # looks at triggers inside a step


@compiled(error_model="numpy")
def _slopes(table: Any, w: Any, t: float, y: Any, p: Any, out: Any) -> int:
    """d/dt of the moving states and of H; returns -1 or the channel that is negative or no number."""
    walk(table, table[DRIFTING], table[DRIFTING + 1], w, t, y, p)
    count = table[MOVING + 1] - table[MOVING]
    for j in range(count):
        out[j] = w[table[table[RATES] + j]]
    total = 0.0
    for c in range(table[CHANNELS + 1] - table[CHANNELS]):
        a = w[table[table[CHANNELS] + c]]
        if not (0.0 <= a < np.inf):
            return c
        total += a
    out[count] = total
    return -1


@compiled(error_model="numpy")
def _between(pair: Any, z: Any, slopes: Any, h: float, theta: float, out: Any) -> None:
    """The interpolant at t + theta h."""
    for j in range(len(z)):
        sum_of = 0.0
        for i in range(7):
            sum_of += slopes[i, j] * (((pair.p[i, 3] * theta + pair.p[i, 2]) * theta + pair.p[i, 1]) * theta + pair.p[i, 0])
        out[j] = z[j] + h * theta * sum_of


@compiled(error_model="numpy")
def _place(table: Any, z: Any, y: Any) -> None:
    for j in range(table[MOVING + 1] - table[MOVING]):
        y[table[table[MOVING] + j]] = z[j]


@compiled(error_model="numpy")
def _step(
    pair: Any,
    table: Any,
    w: Any,
    t: float,
    h: float,
    low: float,
    high: float,
    z: Any,
    peak: Any,
    slopes: Any,
    new: Any,
    y: Any,
    p: Any,
    place: Any,
) -> float:
    """One step: its error in units of the tolerance (infinity where a stage is no number); `new` are the values at its end."""
    count = len(z)
    for i in range(7):
        for j in range(count):
            sum_of = 0.0
            for k in range(i):
                sum_of += pair.a[i, k] * slopes[k, j]
            new[j] = z[j] + h * sum_of
        _place(table, new, y)
        bad = _slopes(table, w, min(max(t + pair.c[i] * h, low), high), y, p, slopes[i])
        if bad >= 0:
            place[1] = bad
            return np.inf
    error = 0.0
    for j in range(count):
        sum_of = 0.0
        for i in range(7):
            sum_of += pair.e[i] * slopes[i, j]
        error = max(error, abs(h * sum_of) / (_TOLERANCE * max(peak[j], abs(z[j]), abs(new[j]))))
    return error if error == error else np.inf


@compiled(error_model="numpy")
def _reached(pair: Any, z: Any, slopes: Any, h: float, goal: float, out: Any) -> float:
    """theta at which H, the last value, reaches the goal; H does not fall."""
    low, high, last = 0.0, 1.0, len(z) - 1
    for _ in range(60):
        middle = 0.5 * (low + high)
        _between(pair, z, slopes, h, middle, out)
        if out[last] < goal:
            low = middle
        else:
            high = middle
    return high


@compiled(error_model="numpy")
def _turns(
    pair: Any,
    table: Any,
    w: Any,
    t: float,
    h: float,
    end: float,
    z: Any,
    slopes: Any,
    new: Any,
    y: Any,
    p: Any,
    before: Any,
    low: float,
    high: float,
) -> float:
    """The first theta <= end at which a trigger is seen to have changed, 2 where none has."""
    seen = 0.0
    for look in range(1, _LOOKS + 1):
        theta = end * look / _LOOKS
        _between(pair, z, slopes, h, theta, new)
        _place(table, new, y)
        walk(table, table[DRIFTING], table[DRIFTING + 1], w, min(max(t + theta * h, low), high), y, p)
        if turned(table, w, before):
            for _ in range(52):
                middle = 0.5 * (seen + theta)
                _between(pair, z, slopes, h, middle, new)
                _place(table, new, y)
                walk(table, table[DRIFTING], table[DRIFTING + 1], w, min(max(t + middle * h, low), high), y, p)
                if turned(table, w, before):
                    theta = middle
                else:
                    seen = middle
            return theta
        seen = theta
    return 2.0


@compiled(error_model="numpy")
def flow(
    pair: Any, table: Any, w: Any, tree: Any, y: Any, p: Any, s: Any, before: Any, place: Any, clock: Any, until: float, times: Any,
    skipped: int, out: Any, signals: Any, look: bool,
) -> int:  # fmt: skip
    """From clock[0] to `until` (finite), or to a trigger that changed; as `scalar_loops.jump`. `look`: triggers change between jumps too.

    clock[1] is the step, clock[2] just after the start and clock[3] just before `until`: where formulas are computed.
    """
    t, r, last, count = clock[0], place[0], len(times), table[MOVING + 1] - table[MOVING] + 1
    low, high = clock[2], clock[3]
    z, new, slopes, peak = np.zeros(count), np.zeros(count), np.zeros((7, count)), np.full(count, 1e-3)
    for j in range(count - 1):
        z[j] = y[table[table[MOVING] + j]]
        peak[j] = 1e-3 * abs(z[j]) + 1e-300
    goal, h, rounds, longest = exponential(s), clock[1], 0, 2e-3 * times[last - 1]  # so that no rest hides what begins after it
    result = REACHED
    while t < until:
        rounds += 1
        if rounds % 1024 == 0 and signals[0] != 0:
            result = STOPPED
            break
        size = min(h, until - t, longest)
        error = _step(pair, table, w, t, size, low, high, z, peak, slopes, new, y, p, place)
        if error > 1.0:
            h = size * max(0.1, 0.9 * error**-0.2) if error < np.inf else 0.1 * size
            if h <= 1e-14 * max(t, 1e-300):
                result = BROKEN if error == np.inf else STUCK
                break
            continue
        grown = size * min(5.0, 0.9 * max(error, 1e-10) ** -0.2)
        h = max(h, grown) if size < h else grown
        fired = new[count - 1] >= goal
        end = _reached(pair, z, slopes, size, goal, new) if fired else 1.0
        if look:
            theta = _turns(pair, table, w, t, size, end, z, slopes, new, y, p, before, low, high)
            if theta <= 1.0:
                result, end, fired = TRIGGERED, theta, False
        now = until if end == 1.0 and size == until - t else t + end * size
        while r < last and times[r] < now:
            if r >= skipped:
                _between(pair, z, slopes, size, min(1.0, (times[r] - t) / size), new)
                _place(table, new, y)
                for j in range(len(y)):
                    out[r - skipped, j] = y[j]
            r += 1
        _between(pair, z, slopes, size, end, new)
        for j in range(count - 1):
            z[j] = new[j]
            peak[j] = max(peak[j], 1e-3 * abs(z[j]))
        z[count - 1] = new[count - 1]
        t = now
        _place(table, z, y)
        if fired:
            bad = begin(table, w, tree, min(max(t, low), high), y, p)
            c = draw(tree, s) if bad < 0 and tree[1] > 0.0 else -1
            if c < 0:
                place[1], result = bad, BROKEN
                break
            if not fire(table, c, y):
                place[1], result = c, LACKING
                break
            place[2] += 1
            renew(table, c, w, tree, min(max(t, low), high), y, p)
            if turned(table, w, before):
                result = TRIGGERED
            goal, z[count - 1] = exponential(s), 0.0
        if result != REACHED:
            break
    clock[0], clock[1], place[0] = t, h, r
    return result
