"""Information from nearest neighbours: KSG, for two continuous sides of few columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.biology.information.intervals import Z95, Halves, disjoint_halves
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.biology.information.scores import normal_scores
from sciml.compiling import compiled
from sciml.seeding import numpy_generator

__all__ = ["NearestNeighbors", "conditional_nats", "ksg_nats", "neighbors_estimate"]

# v + nextafter(d, 0) may round to v + d and count the k-th neighbour itself; this leaves room and misses nobody else.
_INSIDE = 1 - 1e-9
_BLOCK = 512
_MOST_PAIRS = 40_000  # rows; above, trees replace all pairs


class NearestNeighbors:
    """The first estimator of Kraskov, Stoegbauer and Grassberger (Phys. Rev. E 69 (2004) 066138, eq. 8), k = 4, on normal scores."""

    name = "ksg"
    k = 4

    def refuses(self, pair: Pair) -> str:
        """Discrete sides have no densities; fewer than 4 (k + 1) rows have no neighbourhoods."""
        if pair.x.discrete or pair.y.discrete:
            return "a side is discrete; expected two continuous sides (x_kind, y_kind='continuous' says that numbers are)"
        return "" if len(pair) >= 4 * (self.k + 1) else f"found {len(pair)} rows, expected at least {4 * (self.k + 1)}"

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        generator = numpy_generator(seed, "ties")
        x, y = normal_scores(pair.x.values, generator), normal_scores(pair.y.values, generator)
        return ksg_nats(x, y, self.k) / np.log(2)

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits, with the spread between disjoint halves, and on the side to which the estimate still moves with N what it moved last."""
        bits = self.point(pair, seed)
        halves = disjoint_halves(pair, self.point, seed)
        return neighbors_estimate(bits, halves, self.name, pair)


def neighbors_estimate(bits: float, halves: Halves, name: str, pair: Pair) -> Estimate:
    """An interval of 1.96 standard errors, and on the side to which the estimate moved from N / 2 to N as much again."""
    moved = bits - halves.mean
    # The move is itself uncertain by about half a standard error: only what is beyond that is a trend.
    trend = np.sign(moved) * max(0.0, abs(moved) - 0.5 * halves.standard_error)
    low, high = bits - Z95 * halves.standard_error + min(trend, 0.0), bits + Z95 * halves.standard_error + max(trend, 0.0)
    tied = [f"{s.name}: {s.tied:.0%} of the rows have an equal; their order is random" for s in (pair.x, pair.y) if s.tied > 0.01]
    return Estimate(
        bits, halves.standard_error, low, high, f"{name} (k = 4, normal scores)", "10 divisions into disjoint halves",
        f"none; from N/2 to N the estimate moved by {moved:+.4f} bit, added to the interval where it is beyond the spread", tuple(tied),
    )  # fmt: skip


def ksg_nats(x: np.ndarray, y: np.ndarray, k: int = 4) -> float:
    """psi(k) + psi(n) - <psi(n_x + 1) + psi(n_y + 1)>, in nats, largest-coordinate distances; x [n, dx], y [n, dy] without ties."""
    from scipy.special import digamma

    radius = _radius(np.hstack([x, y]), k) * _INSIDE
    inside = digamma(_counts(x, radius) + 1) + digamma(_counts(y, radius) + 1)
    return float(digamma(k) + digamma(len(x)) - inside.mean())


def conditional_nats(x: np.ndarray, y: np.ndarray, z: np.ndarray, k: int = 4) -> float:
    """psi(k) - <psi(n_xz + 1) + psi(n_yz + 1) - psi(n_z + 1)>, in nats, as in `ksg_nats`, given z [n, dz]."""
    from scipy.special import digamma

    radius = _radius(np.hstack([x, y, z]), k) * _INSIDE
    parts = [digamma(_counts(side, radius) + 1) for side in (np.hstack([x, z]), np.hstack([y, z]), z)]
    return float(digamma(k) - (parts[0] + parts[1] - parts[2]).mean())


def _radius(points: np.ndarray, k: int) -> np.ndarray:
    """[n]: distance of each row to its k-th neighbour."""
    if points.shape[1] > 3 and len(points) <= _MOST_PAIRS:
        found: np.ndarray = _all_radii(np.ascontiguousarray(points.T), k)
        return found
    distances = np.asarray(_tree(points).query(points, k + 1, p=np.inf)[0])
    return distances[:, k]


def _counts(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """[n]: how many other rows lie within `radius` of each."""
    if points.shape[1] == 1:
        values = points[:, 0]
        line = np.sort(values)
        return np.searchsorted(line, values + radius, side="right") - np.searchsorted(line, values - radius, side="left") - 1
    if len(points) <= _MOST_PAIRS:
        found: np.ndarray = _all_counts(np.ascontiguousarray(points.T), radius)
        return found
    return np.asarray(_tree(points).query_ball_point(points, radius, p=np.inf, return_length=True)) - 1


def _tree(points: np.ndarray) -> Any:
    from scipy.spatial import cKDTree

    return cKDTree(points)


@compiled()
def _distances(points: np.ndarray, i: int, start: int, found: np.ndarray) -> int:
    """Fill `found` with the distances of row i to a block of rows from `start`; returns how many."""
    d, n = points.shape
    size = min(len(found), n - start)
    for j in range(size):
        found[j] = abs(points[0, start + j] - points[0, i])
    for c in range(1, d):
        for j in range(size):
            found[j] = max(found[j], abs(points[c, start + j] - points[c, i]))
    return size


@compiled()
def _all_radii(points: np.ndarray, k: int) -> np.ndarray:
    """`points` [d, n]: distance to the k-th neighbour by all pairs, in blocks that stay in the cache."""
    n = points.shape[1]
    radii, block, least = np.empty(n), np.empty(_BLOCK), np.empty(k + 1)
    for i in range(n):
        least[:] = np.inf
        for start in range(0, n, _BLOCK):
            size = _distances(points, i, start, block)
            for j in range(size):
                if block[j] < least[k]:
                    place = k
                    while place > 0 and least[place - 1] > block[j]:
                        least[place] = least[place - 1]
                        place -= 1
                    least[place] = block[j]
        radii[i] = least[k]
    return radii


@compiled()
def _all_counts(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """`points` [d, n]: rows within `radius` of each, itself left out, by all pairs."""
    n = points.shape[1]
    counts, block = np.empty(n, dtype=np.int64), np.empty(_BLOCK)
    for i in range(n):
        inside = 0
        for start in range(0, n, _BLOCK):
            size = _distances(points, i, start, block)
            for j in range(size):
                inside += block[j] <= radius[i]
        counts[i] = inside - 1
    return counts
