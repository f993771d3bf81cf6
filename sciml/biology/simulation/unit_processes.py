"""Poisson processes of rate 1, one for each channel, drawn piece by piece: what is known of one is never drawn again.

Channel r fires K_r = Y_r(int a_r dt) times, Y_r a unit Poisson process (Kurtz 1972). Of its future as much is kept as was drawn: pieces of
(length, number of points), a piece of length 0 being one point. Drawing inside a piece is binomial, beyond the last Poisson, so that a leap
that was rejected conditions all that follows (Anderson, J. Chem. Phys. 128 (2008) 054103).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sciml.biology.simulation.draws import binomial, exponential, poisson, uniform
from sciml.compiling import compiled

__all__ = ["Processes", "cover", "drop", "next_point", "pass_by", "processes"]

_MOST_PIECES = 96
_ZERO, _ONE = np.int64(0), np.int64(1)


class Processes(NamedTuple):
    """What is known of the futures: `length`, `points` [R, most], of which the first `used` [R] count."""

    length: np.ndarray
    points: np.ndarray
    used: np.ndarray


def processes(channels: int) -> Processes:
    """Processes of which nothing is known."""
    shape = (channels, _MOST_PIECES)
    return Processes(np.zeros(shape), np.zeros(shape), np.zeros(channels, dtype=np.int64))


@compiled(error_model="numpy")
def cover(s: Any, q: Any, r: int, ahead: float) -> Any:
    """(points within `ahead` from now, number of pieces that cover it): cuts the piece in which it ends, or draws a new one."""
    total, position = 0.0, 0.0
    if ahead <= 0.0:
        return total, _ZERO
    for k in range(q.used[r]):
        if position + q.length[r, k] <= ahead:
            position += q.length[r, k]
            total += q.points[r, k]
            continue
        inside = ahead - position
        if inside <= 0.0:
            return total, k
        share = binomial(s, q.points[r, k], inside / q.length[r, k])
        _open(q, r, k)
        q.length[r, k + 1] -= inside
        q.points[r, k + 1] -= share
        q.length[r, k], q.points[r, k] = inside, share
        return total + share, k + 1
    if ahead > position:
        k = q.used[r]
        q.length[r, k], q.points[r, k] = ahead - position, poisson(s, ahead - position)
        q.used[r] = k + 1
        total += q.points[r, k]
    return total, q.used[r]


@compiled(error_model="numpy")
def next_point(s: Any, q: Any, r: int) -> float:
    """How far the next point is; afterwards piece 0 leads up to it and piece 1 is the point."""
    gap = 0.0
    while q.used[r] > 0 and q.points[r, 0] == 0.0:
        gap += q.length[r, 0]
        drop(q, r, _ONE)
    if q.used[r] == 0:
        gap += exponential(s)
        q.length[r, 0], q.points[r, 0] = 0.0, 1.0
        q.used[r] = 1
    elif q.length[r, 0] > 0.0 or q.points[r, 0] > 1.0:
        # the first of n points that lie evenly in a piece
        first = -q.length[r, 0] * math.expm1(math.log(uniform(s)) / q.points[r, 0])
        gap += first
        q.length[r, 0] -= first
        q.points[r, 0] -= 1.0
        _open(q, r, _ZERO)
        q.length[r, 0], q.points[r, 0] = 0.0, 1.0
    _open(q, r, _ZERO)
    q.length[r, 0], q.points[r, 0] = gap, 0.0
    return gap


@compiled(error_model="numpy")
def pass_by(q: Any, r: int, ahead: float) -> None:
    """Go ahead within piece 0, which holds no point."""
    q.length[r, 0] = max(q.length[r, 0] - ahead, 0.0)


@compiled(error_model="numpy")
def drop(q: Any, r: int, count: int) -> None:
    """Go ahead past the first pieces."""
    left = q.used[r] - count
    for k in range(left):
        q.length[r, k], q.points[r, k] = q.length[r, k + count], q.points[r, k + count]
    q.used[r] = left


@compiled(error_model="numpy")
def _open(q: Any, r: int, at: int) -> None:
    """Make room for one piece more; the piece that was there is at + 1 and stays in its place as well."""
    if q.used[r] + 1 >= q.length.shape[1]:
        raise RuntimeError("tau-leaping: a channel has too many pieces of its future in memory")
    for k in range(q.used[r], at, -1):
        q.length[r, k], q.points[r, k] = q.length[r, k - 1], q.points[r, k - 1]
    q.used[r] += 1
