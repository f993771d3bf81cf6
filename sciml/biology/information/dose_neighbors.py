"""Information between doses and a response from nearest neighbours: no density is fitted, few columns."""

from __future__ import annotations

import numpy as np

from sciml.biology.information.doses import dosed, why_not_dosed
from sciml.biology.information.intervals import Z95, disjoint_halves
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.biology.information.scores import normal_scores
from sciml.seeding import numpy_generator

__all__ = ["DoseNeighbors", "mixed_neighbors_nats"]

# d + v may round to just below the k-th neighbour itself, which must be counted.
_REACH = 1 + 1e-9


class DoseNeighbors:
    """Ross (PLoS ONE 9 (2014) e87357, eq. 2), k = 4, on normal scores; equal responses are put in random order, so ties do no harm."""

    name = "dose_neighbors"
    k = 4

    def refuses(self, pair: Pair) -> str:
        """One side must be discrete, the other have numbers."""
        return why_not_dosed(pair)

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        cells = dosed(pair)
        if not cells.responses.shape[1]:
            return 0.0
        scores = normal_scores(cells.responses, numpy_generator(seed, "ties"))
        return mixed_neighbors_nats(cells.codes, scores, self.k) / np.log(2)

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits, with the spread between disjoint halves and, to either side, half of what the estimate still moves with N."""
        bits = self.point(pair, seed)
        halves = disjoint_halves(pair, self.point, seed)
        moved = bits - halves.mean
        error = float(np.hypot(halves.standard_error, 0.5 * moved))
        return Estimate(
            bits, error, bits - Z95 * error, bits + Z95 * error, f"{self.name} (k = {self.k}, normal scores)",
            "10 divisions into disjoint halves", f"none; {moved:+.4f} bit from N/2 to N, half of it is in the interval", dosed(pair).notes,
        )  # fmt: skip


def mixed_neighbors_nats(codes: np.ndarray, scores: np.ndarray, k: int = 4) -> float:
    """psi(N) + <psi(k) - psi(N_x) - psi(m)>, in nats; `codes` [n], `scores` [n, d] without ties.

    N_x: cells of the dose of cell i; m: cells as near to i as the k-th of its own dose (for a dose of k cells or fewer, its farthest).
    """
    from scipy.special import digamma

    n = len(codes)
    total = n * digamma(n)
    for code in range(int(codes.max()) + 1):
        own = scores[codes == code]
        nearest = min(k, len(own) - 1)
        near = _counts(scores, own, _radii(own, nearest) * _REACH) - 1
        total += len(own) * (digamma(nearest) - digamma(len(own))) - digamma(near).sum()
    return float(total / n)


def _radii(points: np.ndarray, k: int) -> np.ndarray:
    """[n]: distance of each point to its k-th neighbour, by the largest difference of a column."""
    n, d = points.shape
    if d > 1:
        from scipy.spatial import cKDTree

        return np.asarray(cKDTree(points).query(points, k + 1, p=np.inf)[0])[:, k]
    order = np.argsort(points[:, 0])
    line = np.concatenate([np.full(k, -np.inf), points[order, 0], np.full(k, np.inf)])
    at = line[k : n + k]
    # The k nearest are j to the left and k - j to the right, for the j whose farther end is the nearest.
    reach = np.min([np.maximum(at - line[k - j : n + k - j], line[2 * k - j : n + 2 * k - j] - at) for j in range(k + 1)], axis=0)
    found = np.empty(n)
    found[order] = reach
    return found


def _counts(points: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """[m]: how many points lie within the radius of each centre, itself included."""
    if points.shape[1] == 1:
        line, at = np.sort(points[:, 0]), centres[:, 0]
        return np.searchsorted(line, at + radii, side="right") - np.searchsorted(line, at - radii, side="left")
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(points).query_ball_point(centres, radii, p=np.inf, return_length=True))
