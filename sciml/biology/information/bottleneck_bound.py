"""The largest gain of any cluster over all posteriors about at most three relevant states, bounded by branch and bound.

Written with v = log of q over its largest entry, the gain is log C = L(v) - beta S(v): L = log sum_x c_x exp(beta w_x . v) is convex and
S = log sum exp v is convex too, with second derivatives below diag(q). On a box of v, L and S lie below the multilinear interpolations of
their corners, S by at most sum_i q_i h_i^2 / 8; so log C <= its largest corner + beta sum_i q_i h_i^2 / 8. With boxes of equal size in
s = exp(v / 2) that is beta times the squared size over 2, whatever beta and q are. A box that reaches down to s = 0: L does not fall with
v_i and S rises by at most s^2 over it, so its upper corner plus beta s^2 bounds it.
"""

from __future__ import annotations

import itertools

import numpy as np

from sciml.biology.information.bottleneck_loop import Law, log_gain

__all__ = ["MOST_STATES", "GainBound"]

MOST_STATES = 3
_ROOT = {1: 256, 2: 24}  # boxes a side at the start, by dimension
_MOST_BOXES = 20_000
_LEVELS = 40


class GainBound:
    """Bounds max_q C(q) of a law with at most `MOST_STATES` relevant states; what does not depend on beta is computed once."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._dims = law.w.shape[1] - 1
        self._low, self._high = law.w.min(axis=0), law.w.max(axis=0)
        side = _ROOT.get(self._dims, 1)
        cells = np.array(list(itertools.product(range(side), repeat=self._dims)), dtype=float).reshape(side**self._dims, self._dims)
        sectors = np.repeat(np.arange(self._dims + 1), len(cells))
        low = np.tile(cells / side, (self._dims + 1, 1))
        self._root = self._inside(sectors, low, low + 1.0 / side)
        self._corners = self._divergence_at(*self._root)

    def largest(self, beta: float, log_shares: np.ndarray, tolerance: float) -> tuple[float, float, np.ndarray]:
        """(a bound on max log C, the largest log C seen, the posterior [Y] there); the first two within `tolerance` where boxes suffice.

        `log_shares` [X]: C(q) = sum_x exp(log_shares_x - beta KL(w_x || q)).
        """
        sectors, low, high = self._root
        corners = self._corners
        settled, best, where = -np.inf, -np.inf, self._law.p_y
        for _ in range(_LEVELS):
            values = log_gain(beta, log_shares, corners.reshape(len(log_shares), -1)).reshape(len(sectors), -1)
            top = int(values.max(axis=1).argmax())
            if values[top].max() > best:
                best = float(values[top].max())
                where = self._posteriors(
                    sectors[top : top + 1], self._corner(low[top : top + 1], high[top : top + 1], int(values[top].argmax()))
                )[0]
            bounds = values.max(axis=1) + beta * _excess(low, high).sum(axis=1)
            open_ = bounds > best + tolerance
            settled = max(settled, float(bounds[~open_].max(initial=-np.inf)))
            if not open_.any():
                return max(settled, best), best, where
            if open_.sum() * 2**self._dims > _MOST_BOXES:
                break
            sectors, low, high = self._inside(*_split(sectors[open_], low[open_], high[open_]))
            if not len(sectors):
                return max(settled, best), best, where
            corners = self._divergence_at(sectors, low, high)
        return max(settled, float(bounds.max()), best), best, where

    def _inside(self, sectors: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The boxes that meet the smallest box around the rows of p(y|x): the best posterior is a mean of rows."""
        bottom, top = 1.0 / (1.0 + (high**2).sum(axis=1)), 1.0 / (1.0 + (low**2).sum(axis=1))
        keep = np.ones(len(sectors), dtype=bool)
        for sector in range(self._dims + 1):
            mine = sectors == sector
            others = np.delete(np.arange(self._dims + 1), sector)
            keep[mine] &= (top[mine] >= self._low[sector] - 1e-12) & (bottom[mine] <= self._high[sector] + 1e-12)
            for i, y in enumerate(others):
                rest_low = (low[mine] ** 2).sum(axis=1) - low[mine, i] ** 2
                rest_high = (high[mine] ** 2).sum(axis=1) - high[mine, i] ** 2
                keep[mine] &= high[mine, i] ** 2 / (1.0 + rest_low + high[mine, i] ** 2) >= self._low[y] - 1e-12
                keep[mine] &= low[mine, i] ** 2 / (1.0 + rest_high + low[mine, i] ** 2) <= self._high[y] + 1e-12
        return sectors[keep], low[keep], high[keep]

    def _corner(self, low: np.ndarray, high: np.ndarray, which: int) -> np.ndarray:
        """Corner number `which` of each box; along a side that begins at 0 both corners are the upper one."""
        upper = (which >> np.arange(self._dims)) & 1 == 1
        return np.where(upper | (low == 0.0), high, low)

    def _divergence_at(self, sectors: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """KL(w_x || q) [X, boxes, corners]."""
        corners = [self._posteriors(sectors, self._corner(low, high, which)) for which in range(2**self._dims)]
        posteriors = np.stack(corners, axis=1).reshape(-1, self._dims + 1)
        return self._law.divergence(posteriors).reshape(len(self._law.p), len(sectors), -1)

    def _posteriors(self, sectors: np.ndarray, roots: np.ndarray) -> np.ndarray:
        """q [boxes, Y] at s = sqrt(q / q_largest): the sector says which entry is the largest."""
        full = np.ones((len(sectors), self._dims + 1))
        for sector in range(self._dims + 1):
            mine = np.flatnonzero(sectors == sector)
            full[np.ix_(mine, np.delete(np.arange(self._dims + 1), sector))] = roots[mine] ** 2
        return np.asarray(full / full.sum(axis=1, keepdims=True))


def _excess(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """q_i h_i^2 / 8 [boxes, dims] with q_i <= s_high^2 and h = 2 log(s_high / s_low); s_high^2 where the side begins at 0."""
    with np.errstate(divide="ignore"):
        inner = 0.5 * (high * np.log(high / low)) ** 2
    return np.where(low == 0.0, high**2, inner)


def _split(sectors: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each box in halves along every side."""
    middle = 0.5 * (low + high)
    dims = low.shape[1]
    lows, highs = [], []
    for which in range(2**dims):
        upper = (which >> np.arange(dims)) & 1 == 1
        lows.append(np.where(upper, middle, low))
        highs.append(np.where(upper, high, middle))
    return np.tile(sectors, 2**dims), np.concatenate(lows), np.concatenate(highs)
