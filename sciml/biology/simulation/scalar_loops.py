"""The loops of the double kernel: one trajectory from stop to stop, by the direct method, propensities from tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.biology.simulation.draws import begin_stream, exponential, uniform
from sciml.biology.simulation.row_walk import walk
from sciml.biology.simulation.scalar_table import (
    ASSIGNED,
    ASSIGNED_AT,
    CHANGED,
    CHANGED_AT,
    CHANNELS,
    EVERY,
    NEEDS,
    NEEDS_AT,
    RENEWED,
    RENEWED_AT,
    TOUCHED,
    TOUCHED_AT,
    TRIGGERS,
)  # fmt: skip
from sciml.compiling import compiled

__all__ = ["BROKEN", "DONE", "LACKING", "REACHED", "STOPPED", "TRIGGERED", "begin", "jump", "run_plain"]

_MOST_EVENTS = 1000  # one after the other at one time
REACHED, TRIGGERED, DONE, BROKEN, LACKING, STOPPED = 0, 1, 2, 3, 4, 5


@compiled(error_model="numpy")
def _at(table: Any, part: int, starts: int, c: int) -> int:
    """Where the list of channel c begins."""
    return table[part] + table[table[starts] + c]


@compiled(error_model="numpy")
def begin(table: Any, w: Any, tree: Any, t: float, y: Any, p: Any) -> int:
    """Compute everything anew; returns -1, or the channel whose propensity is negative or no number."""
    walk(table, table[EVERY], table[EVERY + 1], w, t, y, p)
    half = len(tree) // 2
    tree[:] = 0.0
    for c in range(table[CHANNELS + 1] - table[CHANNELS]):
        a = w[table[table[CHANNELS] + c]]
        if not (0.0 <= a < np.inf):
            return c
        tree[half + c] = a
    for k in range(half - 1, 0, -1):
        tree[k] = tree[2 * k] + tree[2 * k + 1]
    return -1


@compiled(error_model="numpy")
def draw(tree: Any, s: Any) -> int:
    """A channel with probability a_c / a; a draw that rounding puts on one with a = 0 is made again."""
    half = len(tree) // 2
    while True:
        target, k = uniform(s) * tree[1], 1
        while k < half:
            k *= 2
            if target >= tree[k]:
                target -= tree[k]
                k += 1
        if tree[k] > 0.0:
            return k - half


@compiled(error_model="numpy")
def fire(table: Any, c: int, y: Any) -> bool:
    """Apply a channel; False where the molecules that it takes are not there."""
    for k in range(_at(table, NEEDS, NEEDS_AT, c), _at(table, NEEDS, NEEDS_AT, c + 1), 2):
        if y[table[k]] < table[k + 1]:
            return False
    for k in range(_at(table, CHANGED, CHANGED_AT, c), _at(table, CHANGED, CHANGED_AT, c + 1), 2):
        y[table[k]] += table[k + 1]
    return True


@compiled(error_model="numpy")
def renew(table: Any, c: int, w: Any, tree: Any, t: float, y: Any, p: Any) -> int:
    """Compute again what channel c changed; returns -1 or the channel whose propensity is negative or no number."""
    half, bad = len(tree) // 2, -1
    walk(table, _at(table, TOUCHED, TOUCHED_AT, c), _at(table, TOUCHED, TOUCHED_AT, c + 1), w, t, y, p)
    for k in range(_at(table, RENEWED, RENEWED_AT, c), _at(table, RENEWED, RENEWED_AT, c + 1)):
        other = table[k]
        a = w[table[table[CHANNELS] + other]]
        if not (0.0 <= a < np.inf):
            bad = other
        node = half + other
        tree[node] = a
        while node > 1:
            node //= 2
            tree[node] = tree[2 * node] + tree[2 * node + 1]
    return bad


@compiled(error_model="numpy")
def turned(table: Any, w: Any, before: Any) -> bool:
    """Whether a trigger is not what it was."""
    for e in range(table[TRIGGERS + 1] - table[TRIGGERS]):
        if (w[table[table[TRIGGERS] + e]] != 0.0) != (before[e] != 0.0):
            return True
    return False


@compiled(error_model="numpy")
def happened(table: Any, w: Any, tree: Any, before: Any, t: float, y: Any, p: Any) -> bool:
    """Execute plain events whose triggers turned true, until none does; False where that takes more: several at once, what is not whole.

    `before` then says which triggers were seen, y what was executed.
    """
    if table[ASSIGNED + 1] == table[ASSIGNED]:
        return False
    for _ in range(_MOST_EVENTS):
        chosen = -1
        for e in range(len(before)):
            now = w[table[table[TRIGGERS] + e]]
            if now != now or (now != 0.0 and before[e] == 0.0 and chosen >= 0):
                return False
            if now != 0.0 and before[e] == 0.0:
                chosen = e
        if chosen >= 0:
            for k in range(_at(table, ASSIGNED, ASSIGNED_AT, chosen), _at(table, ASSIGNED, ASSIGNED_AT, chosen + 1), 3):
                value = w[table[k + 1]]
                whole = np.rint(value)
                if table[k + 2] != 0 and not (whole >= 0.0 and abs(value - whole) <= 1e-9 * max(1.0, whole)):
                    return False
        for e in range(len(before)):
            before[e] = w[table[table[TRIGGERS] + e]]
        if chosen < 0:
            return True
        for k in range(_at(table, ASSIGNED, ASSIGNED_AT, chosen), _at(table, ASSIGNED, ASSIGNED_AT, chosen + 1), 3):
            value = w[table[k + 1]]
            y[table[k]] = np.rint(value) if table[k + 2] != 0 else value
        if begin(table, w, tree, t, y, p) >= 0:
            return False
        if not turned(table, w, before):
            return True
    return False


@compiled(error_model="numpy")
def jump(
    table: Any, w: Any, tree: Any, y: Any, p: Any, s: Any, before: Any, place: Any, clock: Any, until: float, times: Any, skipped: int,
    out: Any, signals: Any,
) -> int:  # fmt: skip
    """From clock[0] to `until`, or to a trigger that asks for more than `happened` does, where propensities are constant between jumps.

    `place` int64 [3]: next record, channel that failed, number of jumps. Records before `until` go to out [T, S] from number `skipped` on.
    """
    t, r, last = clock[0], place[0], len(times)
    jumps = 0
    result = REACHED
    while True:
        following = t + exponential(s) / tree[1] if tree[1] > 0.0 else np.inf
        limit = min(following, until)
        while r < last and times[r] < limit:
            if r >= skipped:
                for j in range(len(y)):
                    out[r - skipped, j] = y[j]
            r += 1
        if r == last:
            result = DONE
            break
        if following >= until:
            t = until
            break
        t = following
        c = draw(tree, s)
        if not fire(table, c, y):
            place[1], result = c, LACKING
            break
        jumps += 1
        bad = renew(table, c, w, tree, t, y, p)
        if bad >= 0:
            place[1], result = bad, BROKEN
            break
        if turned(table, w, before) and not happened(table, w, tree, before, t, y, p):
            result = TRIGGERED
            break
        if jumps % 4096 == 0 and signals[0] != 0:
            result = STOPPED
            break
    clock[0], place[0] = t, r
    place[2] += jumps
    return result


@compiled(error_model="numpy")
def run_plain(
    table: Any, nodes: int, seed: Any, first: int, left: Any, parameters: Any, times: Any, skipped: int, out: Any, done: Any, place: Any,
    clock: Any, signals: Any,
) -> int:  # fmt: skip
    """Trajectories `first`, `first + 1`, ... of a process without time and events, from `left` [n, S + 2]: time (NaN: nothing to do), next
    record, state. Returns what ended the last one; its time is in clock[0], its state in `left`."""
    w, tree, before = np.empty(table[EVERY + 1] - table[EVERY]), np.zeros(nodes), np.zeros(0)
    result = DONE
    for k in range(len(left)):
        if np.isnan(left[k, 0]):
            continue
        clock[0], place[0] = left[k, 0], np.int64(left[k, 1])
        y, p = left[k, 2:], parameters[k if len(parameters) > 1 else 0]
        bad = begin(table, w, tree, clock[0], y, p)
        place[1], result = bad, BROKEN
        if bad < 0:
            s = begin_stream(seed, first + k, 1)
            result = jump(table, w, tree, y, p, s, before, place, clock, np.inf, times, skipped, out[k], signals)
        if result != DONE:
            place[0] = k
            return result
        done[k] = 1
        signals[1] += 1
    return result
