"""The largest gain of any cluster over all posteriors about at most three relevant states, bounded by branch and bound.

Written with v = log of q over its largest entry, the gain is log C = L(v) - beta S(v): L = log sum_x c_x exp(beta w_x . v) is convex and
S = log sum exp v is convex too, with second derivatives below diag(q). On a box of v, L and S lie below the multilinear interpolations of
their corners, S by at most sum_i q_i h_i^2 / 8; so log C <= its largest corner + beta sum_i q_i h_i^2 / 8. With boxes of equal size in
s = exp(v / 2) that is beta times the squared size over 2, whatever beta and q are. A box that reaches down to s = 0: L does not fall with
v_i and S rises by at most s^2 over it, so its upper corner plus beta s^2 bounds it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sciml.biology.information.bottleneck_loop import Law, log_sum_exp

__all__ = ["MOST_STATES", "GainBound"]

MOST_STATES = 3
_ROOT = {1: 256, 2: 24}  # boxes a side at the start, by dimension
_MOST_BOXES = 20_000
_LEVELS = 25
_CHUNK = 60_000  # terms of the gain that stay in the cache


class GainBound:
    """Bounds max_q C(q) of a law with at most `MOST_STATES` relevant states; what does not depend on beta is computed once."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._dims = law.w.shape[1] - 1
        self._low, self._high = law.w.min(axis=0), law.w.max(axis=0)
        side = _ROOT.get(self._dims, 1)
        cells = np.array(list(itertools.product(range(side), repeat=self._dims)), dtype=np.int64).reshape(side**self._dims, self._dims)
        sectors = np.repeat(np.arange(self._dims + 1), len(cells))
        self._root = self._inside(_Boxes(sectors, np.tile(cells, (self._dims + 1, 1)), side))

    def largest(self, beta: float, log_shares: np.ndarray, tolerance: float) -> tuple[float, float, np.ndarray]:
        """(a bound on max log C, the largest log C seen, the posterior [Y] there); the first two within `tolerance` where boxes suffice.

        `log_shares` [X]: C(q) = sum_x exp(log_shares_x - beta KL(w_x || q)).
        """
        boxes = self._root
        settled, best, where = -np.inf, -np.inf, self._law.p_y
        for _ in range(_LEVELS):
            posteriors, corners = boxes.corners
            gains = self._gains(beta, log_shares, posteriors)
            top = int(gains.argmax())
            if gains[top] > best:
                best, where = float(gains[top]), posteriors[top]
            bounds = gains[corners].max(axis=1) + beta * boxes.excess
            open_ = bounds > best + tolerance
            settled = max(settled, float(bounds[~open_].max(initial=-np.inf)))
            if not open_.any():
                return max(settled, best), best, where
            if open_.sum() * 2**self._dims > _MOST_BOXES:
                break
            boxes = self._inside(boxes.split(open_))
            if not len(boxes.sectors):
                return max(settled, best), best, where
        return max(settled, float(bounds.max()), best), best, where

    def _gains(self, beta: float, log_shares: np.ndarray, posteriors: np.ndarray) -> np.ndarray:
        """log C [P] of posteriors [P, Y], in pieces."""
        given = np.column_stack([beta * self._law.w, log_shares + beta * self._law.entropy])
        logs = np.column_stack([np.log(posteriors), np.ones(len(posteriors))]).T
        step = max(1, _CHUNK // len(given))
        return np.concatenate([log_sum_exp(given @ logs[:, i : i + step]) for i in range(0, len(posteriors), step)])

    def _inside(self, boxes: _Boxes) -> _Boxes:
        """The boxes that meet the smallest box around the rows of p(y|x): the best posterior is a mean of rows."""
        low, high = boxes.low**2, boxes.high**2
        bottom, top = 1.0 / (1.0 + high.sum(axis=1)), 1.0 / (1.0 + low.sum(axis=1))
        keep = np.ones(len(low), dtype=bool)
        for sector in range(self._dims + 1):
            mine = boxes.sectors == sector
            keep[mine] &= (top[mine] >= self._low[sector] - 1e-12) & (bottom[mine] <= self._high[sector] + 1e-12)
            for i, y in enumerate(np.delete(np.arange(self._dims + 1), sector)):
                rest_low, rest_high = low[mine].sum(axis=1) - low[mine, i], high[mine].sum(axis=1) - high[mine, i]
                keep[mine] &= high[mine, i] / (1.0 + rest_low + high[mine, i]) >= self._low[y] - 1e-12
                keep[mine] &= low[mine, i] / (1.0 + rest_high + low[mine, i]) <= self._high[y] + 1e-12
        return _Boxes(boxes.sectors[keep], boxes.cells[keep], boxes.side)


@dataclass(frozen=True)
class _Boxes:
    """Boxes of s = sqrt(q / q_largest), `side` of them a side, counted from 0 in `cells` [B, dims]; `sectors` [B]: which q is largest."""

    sectors: np.ndarray
    cells: np.ndarray
    side: int

    @property
    def low(self) -> np.ndarray:
        """[B, dims]."""
        return self.cells / self.side

    @property
    def high(self) -> np.ndarray:
        """[B, dims]."""
        return (self.cells + 1) / self.side

    @cached_property
    def excess(self) -> np.ndarray:
        """[B] sum of q_i h_i^2 / 8 with q_i <= s_high^2 and h = 2 log(s_high / s_low); of s_high^2 for a side that begins at 0."""
        inner = 0.5 * (self.high * np.log1p(1 / np.maximum(self.cells, 1))) ** 2
        return np.asarray(np.where(self.cells == 0, self.high**2, inner).sum(axis=1))

    @cached_property
    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """Posteriors [P, dims + 1] at the corners, each once, and which of them [B, 2^dims] are a box's own.

        Along a side that begins at 0 both corners are the upper one.
        """
        dims = self.cells.shape[1]
        upper = (np.arange(2**dims)[:, None] >> np.arange(dims)) & 1  # [2^dims, dims]
        at = np.maximum(self.cells[:, None] + upper, 1)
        code = np.repeat(self.sectors[:, None], 2**dims, axis=1)
        for i in range(dims):
            code = code * (self.side + 1) + at[:, :, i]
        _, first, own = np.unique(code, return_index=True, return_inverse=True)
        roots = at.reshape(code.size, dims)[first] / self.side
        sectors = np.repeat(self.sectors, 2**dims)[first]
        full = np.ones((len(first), dims + 1))
        for sector in range(dims + 1):
            mine = np.flatnonzero(sectors == sector)
            full[np.ix_(mine, np.delete(np.arange(dims + 1), sector))] = roots[mine] ** 2
        return full / full.sum(axis=1, keepdims=True), own.reshape(code.shape)

    def split(self, chosen: np.ndarray) -> _Boxes:
        """The chosen boxes [B], each in halves along every side."""
        dims = self.cells.shape[1]
        upper = (np.arange(2**dims)[:, None] >> np.arange(dims)) & 1
        sectors = np.tile(self.sectors[chosen], 2**dims)
        return _Boxes(sectors, (2 * self.cells[chosen][None] + upper[:, None]).reshape(len(sectors), dims), 2 * self.side)
