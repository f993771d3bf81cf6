"""The loops of path weights: a true trajectory, and filters that see a part of it and sum over what they do not see."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sciml.biology.kernels.native import call
from sciml.biology.simulation.draws import begin_stream, exponential, uniform
from sciml.compiling import compiled

__all__ = ["FINE", "LOST", "View", "follow"]

FINE, BROKEN, LOST = 0, 1, 2  # or a propensity that cannot be, or a change that no particle could make
_LARGE = 1e200


class View(NamedTuple):
    """For the loops: the channels that matter to an observation, numbered anew from 0.

    `address`, `context`: the function that writes their propensities. Channel c changes states[starts[c]:starts[c + 1]] by `amounts`, and
    is seen as group role[c] (-1: not at all). Group g is made by members[first[g]:first[g + 1]]. `seen` [channels of the joint view]: the
    group as which this view sees each of them. `own` [G]: of the joint view, which view (1 dose, 2 read-out) sees group g, and `same` [G]
    as which of its groups.
    """

    address: int
    context: np.ndarray
    starts: np.ndarray
    states: np.ndarray
    amounts: np.ndarray
    role: np.ndarray
    first: np.ndarray
    members: np.ndarray
    seen: np.ndarray
    own: np.ndarray
    same: np.ndarray


@compiled(error_model="numpy")
def _sums(view: Any, t: float, y: Any, p: Any, rates: Any) -> Any:
    """Propensities into `rates`; (sum of the unseen, sum of the seen), NaN for what cannot be."""
    call(view.address, t, y, p, rates, view.context)  # type: ignore[call-arg]
    unseen, seen = 0.0, 0.0
    for c in range(len(view.role)):
        if not (0.0 <= rates[c] < np.inf):
            return np.nan, np.nan
        if view.role[c] < 0:
            unseen += rates[c]
        else:
            seen += rates[c]
    return unseen, seen


@compiled(error_model="numpy")
def _fire(view: Any, c: int, y: Any) -> bool:
    """Apply a channel; False where the molecules that it takes are not there."""
    good = True
    for j in range(view.starts[c], view.starts[c + 1]):
        y[view.states[j]] += view.amounts[j]
        good = good and y[view.states[j]] >= 0.0
    return good


@compiled(error_model="numpy")
def _unseen(view: Any, rates: Any, total: float, s: Any) -> int:
    """An unseen channel, by its propensity."""
    while True:
        target = uniform(s) * total
        for c in range(len(view.role)):
            if view.role[c] < 0 and rates[c] > 0.0:
                target -= rates[c]
                if target < 0.0:
                    return c


@compiled(error_model="numpy")
def _member(view: Any, g: int, rates: Any, total: float, s: Any) -> int:
    """A channel of a group, by its propensity."""
    begin, end = view.first[g], view.first[g + 1]
    if end - begin == 1:
        return view.members[begin]
    while True:
        target = uniform(s) * total
        for j in range(begin, end):
            if rates[view.members[j]] > 0.0:
                target -= rates[view.members[j]]
                if target < 0.0:
                    return view.members[j]


@compiled(error_model="numpy")
def _of_group(view: Any, g: int, rates: Any) -> float:
    total = 0.0
    for j in range(view.first[g], view.first[g + 1]):
        total += rates[view.members[j]]
    return total


@compiled(error_model="numpy")
def _drawn(view: Any, y: Any, p: Any, rates: Any, s: Any, t: float, end: float, events: Any, numbers: Any, areas: Any) -> Any:
    """The true trajectory to `end`: (FINE or BROKEN, number of seen events, events [E, 2] of time and channel, a longer one if need be).

    Adds firings and integrated propensities of the groups to `numbers`, `areas` [G].
    """
    count, groups = 0, len(numbers)
    while True:
        unseen, seen = _sums(view, t, y, p, rates)
        if seen != seen:
            return BROKEN, count, events
        total = unseen + seen
        step = exponential(s) / total if total > 0.0 else np.inf
        last = t + step >= end
        if last:
            step = end - t
        for g in range(groups):
            areas[g] += step * _of_group(view, g, rates)
        if last:
            return FINE, count, events
        t += step
        target, c = uniform(s) * total, -1
        for k in range(len(rates)):
            if rates[k] > 0.0:
                c = k
                target -= rates[k]
                if target < 0.0:
                    break
        if not _fire(view, c, y):
            return BROKEN, count, events
        if view.role[c] >= 0:
            if count == len(events):
                longer = np.empty((2 * count, 2))
                longer[:count] = events
                events = longer
            events[count, 0], events[count, 1] = t, c
            count += 1
            if groups:
                numbers[view.role[c]] += 1.0


@compiled(error_model="numpy")
def _moved(view: Any, ys: Any, weights: Any, seen: Any, p: Any, rates: Any, s: Any, t0: float, end: float, events: Any, count: int) -> bool:
    """All particles of a filter from t0 to `end` past the events; adds to their log `weights` [M], and leaves the propensities of the
    groups there in `seen` [M, G]. False for a propensity that cannot be."""
    for m in range(len(weights)):
        if weights[m] == -np.inf:
            continue
        y, t, log, product, k = ys[m], t0, 0.0, 1.0, 0
        hidden, watched = _sums(view, t, y, p, rates)
        left = exponential(s) if hidden > 0.0 else 1.0
        while True:
            while k < count and view.seen[int(events[k, 1])] < 0:
                k += 1
            stop = events[k, 0] if k < count else end
            while hidden * (stop - t) > left:
                step = left / hidden
                log -= watched * step
                t += step
                if not _fire(view, _unseen(view, rates, hidden, s), y):
                    return False
                hidden, watched = _sums(view, t, y, p, rates)
                left = exponential(s)
            left -= hidden * (stop - t)
            log -= watched * (stop - t)
            t = stop
            if k == count or not watched >= 0.0:
                break
            g = view.seen[int(events[k, 1])]
            total = _of_group(view, g, rates)
            product *= total
            if not 1.0 / _LARGE < product < _LARGE:
                log += math.log(product) if product > 0.0 else -np.inf
                product = 1.0
            if total <= 0.0:
                break
            if not _fire(view, _member(view, g, rates, total, s), y):
                return False
            hidden, watched = _sums(view, t, y, p, rates)
            k += 1
        if watched != watched:
            return False
        weights[m] += log + math.log(product)
        for g in range(seen.shape[1]):
            seen[m, g] = _of_group(view, g, rates)
    return True


@compiled(error_model="numpy")
def _weighed(weights: Any, seen: Any, mean: Any, ys: Any, room: Any, s: Any, base: float) -> Any:
    """(log of the mean weight with `base`, base for the next piece); `mean` [G]: of the propensities of the groups.

    Particles are drawn again, by systematic resampling, once their weights are worth less than half of them (Rosenbluth and Rosenbluth;
    Reinhardt, Tkacik and ten Wolde, PRX 13 (2023) 041017, section III).
    """
    most = weights.max()
    if most == -np.inf:
        return -np.inf, -np.inf
    count, total, squares = len(weights), 0.0, 0.0
    mean[:] = 0.0
    for m in range(count):
        w = math.exp(weights[m] - most)
        total += w
        squares += w * w
        for g in range(len(mean)):
            if w > 0.0:
                mean[g] += w * seen[m, g]
    for g in range(len(mean)):
        mean[g] /= total
    found = base + most + math.log(total / count)
    if count == 1 or 2.0 * total * total > count * squares:
        return found, base
    room[:count] = ys[:count]
    chosen, sum_, at = 0, math.exp(weights[0] - most), uniform(s)
    for m in range(count):
        wanted = (m + at) * total / count
        while sum_ < wanted and chosen < count - 1:
            chosen += 1
            sum_ += math.exp(weights[chosen] - most)
        ys[m] = room[chosen]
    weights[:] = 0.0
    return found, found


@compiled(error_model="numpy")
def follow(
    views: Any, particles: Any, replicas: Any, stream: Any, first: int, start: Any, p: Any, before: float, grid: Any, out: Any, signals: Any
) -> Any:  # fmt: skip
    """Trajectories first, first + 1, ...: the information of the two traces up to the times `grid` [K], in nats, into out [n, K, 3].

    Each begins at `start` a time `before` earlier; filters know its state at time 0. Views are joint, dose and read-out, with so many
    `particles` [3] and independent `replicas` [3] of each. out[..., 0]: ln p(s, x) - ln p(s) - ln p(x) of the filters; [..., 1]: what makes
    up for the log of a mean being below the mean of the log, (L1 - L2)^2 / 4 of two replicas; [..., 2]: a martingale of mean zero that
    follows the chance in the first one, from propensities that the filters held when each piece of the grid began.
    Returns (FINE or what went wrong, trajectory).
    """
    joint = views[0]
    groups, channels, size = len(joint.first) - 1, len(joint.role), len(start)
    filters, most, widest = replicas.sum(), particles.max(), 1
    kind = np.empty(filters, dtype=np.int64)
    f = 0
    for v in range(3):
        widest = max(widest, len(views[v].first) - 1)
        for _ in range(replicas[v]):
            kind[f] = v
            f += 1
    ys, weights, seen = np.empty((filters, most, size)), np.empty((filters, most)), np.empty((most, widest))
    room, rates, events = np.empty((most, size)), np.empty(channels), np.empty((1024, 2))
    mean, base, level = np.empty((filters, widest)), np.empty(filters), np.empty(filters)
    numbers, areas, none = np.empty(groups), np.empty(groups), np.empty(0)
    held = np.empty((3, widest))
    for k in range(len(out)):
        if signals[0] != 0:
            return FINE, first + k
        s, y = begin_stream(stream, first + k, 0), start.copy()
        fault, count, events = _drawn(joint, y, p, rates, s, 0.0, before, events, none, none)
        if fault != FINE:
            return fault, first + k
        weights[:], base[:], control, t = 0.0, 0.0, 0.0, 0.0
        streams = np.empty((filters, 4), dtype=np.uint64)
        for f in range(filters):
            view = views[kind[f]]
            streams[f] = begin_stream(stream, first + k, f + 1)
            ys[f] = y
            _sums(view, 0.0, y, p, rates)
            for g in range(len(view.first) - 1):
                mean[f, g] = _of_group(view, g, rates)
        for piece in range(len(grid)):
            numbers[:], areas[:], held[:] = 0.0, 0.0, 0.0
            for f in range(filters):
                held[kind[f]] += mean[f] / replicas[kind[f]]
            fault, count, events = _drawn(joint, y, p, rates, s, t, grid[piece], events, numbers, areas)
            if fault != FINE:
                return fault, first + k
            for g in range(groups):
                known, guessed = held[0, g], held[joint.own[g], joint.same[g]]
                if known > 0.0 and guessed > 0.0:
                    control += math.log(known / guessed) * (numbers[g] - areas[g])
            for f in range(filters):
                view, m, g = views[kind[f]], particles[kind[f]], len(views[kind[f]].first) - 1
                if not _moved(view, ys[f, :m], weights[f, :m], seen[:m, :g], p, rates, streams[f], t, grid[piece], events, count):
                    return BROKEN, first + k
                level[f], base[f] = _weighed(weights[f, :m], seen[:m, :g], mean[f, :g], ys[f], room, streams[f], base[f])
                if level[f] == -np.inf:
                    return LOST, first + k
            density, missing, f = 0.0, 0.0, 0
            for v in range(3):
                sign = 1.0 if v == 0 else -1.0
                density += sign * level[f : f + replicas[v]].mean()
                if replicas[v] == 2:
                    missing += sign * 0.25 * (level[f] - level[f + 1]) ** 2
                f += replicas[v]
            out[k, piece, 0], out[k, piece, 1], out[k, piece, 2] = density, missing, control
            t = grid[piece]
        signals[1] += 1
    return FINE, first + len(out)
