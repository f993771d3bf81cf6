"""The information bottleneck of a discrete joint law: the curve, held from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sciml.arguments import Seed, checked, shown
from sciml.biology.information.bottleneck_bound import MOST_STATES, GainBound
from sciml.biology.information.bottleneck_loop import Law, Mixture, Starts, levelled, solve
from sciml.biology.information.bottleneck_result import BottleneckCurve, Bracket, checked_betas
from sciml.errors import DataError
from sciml.seeding import numpy_generator

__all__ = ["bottleneck_curve", "joint_law"]

_LEAST, _MOST = 50, 200  # points of a curve whose betas are placed here
_WIDTH = 5e-4  # of the bracket, in bits and of the bound, at which no more points are placed
_TOLERANCE = 4e-6  # nats of I(T;Y) - I(T;X) / beta that a missing cluster may promise; less near the onset
_SMALL = 3e-3  # bits below which the width is not held against the bound
_NEVER = 1e-17  # what is less likely than this never occurs
_BITS = 1.0 / np.log(2.0)


@checked
def bottleneck_curve(p_xy: Any, betas: Any = None, *, seed: Seed = 0) -> BottleneckCurve:
    """max I(T;Y) over encoders p(t|x) of given I(T;X), as the points that minimise I(T;X) - beta I(T;Y), with a bracket of the curve.

    `p_xy` [n_x, n_y]: the joint law of X, which is encoded, and Y, which matters; it sums to 1. `betas` [B]: standard ones, from 0 to inf
    (the minimal sufficient statistic), answered in the order asked; None places at least 50 where the bracket is widest, the end
    included, until it is narrower than 5e-4 bits and 5e-4 of the bound.

    For each beta the problem is convex in the law of T's posteriors about Y: clusters are moved and weighted to the optimum, and a missing
    one is looked for among at least 100 starts, the best of which go uphill, until none helps. The largest gain that any
    cluster could still have bounds the optimum from above (weak duality); with at most three y that gain is bounded over all posteriors
    by branch and bound and the curve is `certified`, otherwise it is the best of the starts. The same seed gives the same bits.

    Raises DataError for what is no joint law, ConfigError for betas below 0. Source: Tishby, Pereira and Bialek 1999; Witsenhausen and
    Wyner 1975 for the dual; Wu et al. 2019 for the onset.
    """
    joint = joint_law(p_xy)
    wanted = None if betas is None else checked_betas(betas)
    problem = _Problem(joint, seed)
    points = problem.placed() if wanted is None else problem.at(wanted)
    return problem.curve(points)


@dataclass(frozen=True)
class _Point:
    """An optimum in bits: F = beta I(T;Y) - I(T;X) is at most `supremum`; `mixture` None: the end of the curve."""

    beta: float
    i_x: float
    i_y: float
    supremum: float
    mixture: Mixture | None


class _Problem:
    """A joint law with empty and equal rows taken out, and what all betas share."""

    def __init__(self, joint: np.ndarray, seed: int) -> None:
        self.joint = joint
        p = joint.sum(axis=1)
        self.rows = np.flatnonzero(p > _NEVER)
        columns = joint.sum(axis=0) > _NEVER
        w = joint[np.ix_(self.rows, columns)]
        w = w / w.sum(axis=1, keepdims=True)
        _, first, self.merged = np.unique(np.round(w, 11), axis=0, return_index=True, return_inverse=True)
        self.merged = self.merged.ravel()
        mass = np.bincount(self.merged, weights=p[self.rows])
        self.law = Law.of(mass / mass.sum(), w[first])
        self.h_x = _entropy(p[self.rows] / p[self.rows].sum())
        self.i_x_end = _entropy(self.law.p)
        self.i_xy = float(self.law.p @ self.law.divergence(self.law.p_y[None])[:, 0]) * _BITS
        self.starts = Starts(self.law, numpy_generator(seed, "bottleneck"))
        self.certifier = GainBound(self.law) if self.law.w.shape[1] <= MOST_STATES else None
        self.onset_local = self._local_onset()
        self.onset = self._onset()

    def at(self, betas: np.ndarray) -> list[_Point]:
        """Optima at given betas, in their order; made from the highest beta down, each from the clusters of the one before."""
        found: dict[float, _Point] = {}
        clusters = self._rows(float(betas[np.isfinite(betas)].max(initial=1.0)))
        for beta in sorted(set(betas.tolist()), reverse=True):
            found[beta] = self.solved(beta, clusters)
            mixture = found[beta].mixture
            if mixture is not None and len(mixture.weights) > 1:
                clusters = mixture.weights, mixture.posteriors
        return [found[beta] for beta in betas.tolist()]

    def _tolerance(self, beta: float) -> float:
        """What a missing cluster may promise, in the units of the gain."""
        return _TOLERANCE * beta * min(max(beta / self.onset - 1.0, 0.02), 1.0)

    def _rows(self, beta: float) -> tuple[np.ndarray, np.ndarray]:
        """Clusters to begin with: every x its own, or as many as beta may tell apart on a curve of posteriors, about sqrt(beta)."""
        some = slice(None, None, max(1, int(len(self.law.p) / (25.0 * np.sqrt(max(beta, 4.0))))) if np.isfinite(beta) else 1)
        return self.law.p[some] / self.law.p[some].sum(), self.law.w[some]

    def solved(self, beta: float, clusters: tuple[np.ndarray, np.ndarray]) -> _Point:
        """The optimum at one beta."""
        if beta == np.inf:
            return self._end()
        nothing = Mixture.of(self.law, beta, np.ones(1), self.law.p_y[None])
        if beta <= self.onset:
            return self._point(nothing)
        before, tolerance = np.inf, self._tolerance(beta)
        while True:
            found, gain = solve(self.law, beta, clusters, self.starts, tolerance)
            if nothing.objective <= found.objective:
                return self._point(nothing)
            if self.certifier is None:
                return self._point(found, gain)
            proved, seen, missing = self.certifier.largest(beta, found.log_shares(self.law), tolerance)
            if seen < 2.0 * tolerance or found.objective > before - 0.1 * tolerance:
                return self._point(found, proved)
            before = found.objective
            clusters = np.append(0.9 * found.weights, 0.1), np.concatenate([found.posteriors, missing[None]])

    def _point(self, found: Mixture, gain: float | None = None) -> _Point:
        """The point of a mixture; `gain`: what `_gain` would find."""
        law, beta = self.law, found.beta
        if beta <= 1.0:
            return _Point(beta, 0.0, 0.0, 0.0, found)
        i_x, i_y = (0.0, 0.0) if len(found.weights) == 1 else _informations(law, found.encoder(law))
        gain = max(self._gain(found) if gain is None else gain, 0.0)
        lost = gain - found.objective  # no mixture's -G is above it
        if gain > self._tolerance(beta):
            level = levelled(law, found, self.starts)
            lost = min(lost, max(self._gain(level), 0.0) - level.objective)
        supremum = (beta * self.i_xy / _BITS + lost) * _BITS
        return _Point(beta, i_x, i_y, max(supremum, beta * i_y - i_x, 0.0), found)

    def _gain(self, found: Mixture) -> float:
        """The largest log gain that any cluster still has, proved or the best of the starts."""
        if self.certifier:
            return self.certifier.largest(found.beta, found.log_shares(self.law), self._tolerance(found.beta))[0]
        return self.starts.best(self.law, found)[1]

    def _end(self) -> _Point:
        return _Point(np.inf, self.i_x_end, self.i_xy, np.inf, None)

    def _local_onset(self) -> float:
        law = self.law
        scaled = law.w * np.sqrt(law.p)[:, None] / np.sqrt(law.p_y)
        singular = np.linalg.svd(scaled, compute_uv=False)
        return float(max(1.0, singular[1] ** -2)) if len(singular) > 1 and singular[1] > 1e-9 else float("inf")

    def _onset(self) -> float:
        """The least beta with F > 0: min KL(r || p) / KL(r W || p_y) over laws r of X, reached from below the local onset (Dinkelbach)."""
        law, beta = self.law, self.onset_local
        if beta == np.inf:
            return beta
        for _ in range(50):
            trial = beta * (1.0 - 1e-6)
            nothing = Mixture.of(law, trial, np.ones(1), law.p_y[None])
            found, gain = self.starts.best(law, nothing, cycles=10)
            if gain <= 1e-9:
                break
            terms = nothing.log_shares(law)[:, None] - trial * law.divergence(found)
            r = np.exp(terms - terms.max(axis=0))
            r /= r.sum(axis=0)
            cost = np.sum(r * np.log(np.maximum(r, 1e-300) / law.p[:, None]), axis=0)
            q = r.T @ law.w
            beta = min(trial, float((cost / np.sum(q * np.log(np.maximum(q, 1e-300) / law.p_y), axis=1)).min()))
        return max(beta, 1.0)

    def placed(self) -> list[_Point]:
        """Points by ascending beta, placed where the bracket is widest, at the slope of the chord there (the sandwich algorithm)."""
        if not self.i_xy > 1e-12:
            return self.at(np.geomspace(1.0, 100.0, _LEAST))
        points = [self.solved(self.onset, self._rows(1.0)), self._end()]
        closed: set[tuple[float, float]] = set()
        while len(points) < _MOST:
            gaps = list(pairwise(points))
            scores = [0.0 if (a.beta, b.beta) in closed else self._score(a, b) for a, b in gaps]
            if max(scores) <= 1.0 and len(points) >= _LEAST:
                break
            a, b = gaps[int(np.argmax(scores))]
            beta = (b.i_x - a.i_x) / (b.i_y - a.i_y) if b.i_y > a.i_y else a.beta
            if max(scores) <= 1e-6 or not a.beta * (1 + 1e-9) < beta < b.beta * (1 - 1e-9):
                closed.add((a.beta, b.beta))
                a, b = max(gaps, key=lambda gap: min(gap[1].beta, 4.0 * gap[0].beta) / gap[0].beta)
                beta = np.sqrt(a.beta * min(b.beta, 4.0 * a.beta))
            near = (b, a) if beta < 4.0 * a.beta else (b,)
            nearest = next((p.mixture for p in near if p.mixture is not None and len(p.mixture.weights) > 1), None)
            points.append(self.solved(float(beta), self._rows(beta) if nearest is None else (nearest.weights, nearest.posteriors)))
            points.sort(key=lambda point: point.beta)
        return points

    def _score(self, a: _Point, b: _Point) -> float:
        """How far the curve can rise above the chord between neighbours that are optimal, in units of what is allowed."""
        above, beyond = 1.0 / a.beta, 1.0 / b.beta
        offset = a.i_y - a.i_x * above
        end = b.i_y - b.i_x * beyond
        if above - beyond < 1e-12:
            return 0.0
        at = min(max((end - offset) / (above - beyond), a.i_x), b.i_x)
        high = min(offset + above * at, end + beyond * at)
        low = np.interp(at, [a.i_x, b.i_x], [a.i_y, b.i_y]) if b.i_x > a.i_x else max(a.i_y, b.i_y)
        score = (high - low) / min(1.0, max(high, _SMALL))
        if a.i_x == 0.0 and b.i_y > _SMALL:  # and where the curve leaves the origin
            score = max(score, 1.0 - b.i_y / b.i_x * a.beta)
        return float(score) / _WIDTH

    def curve(self, points: list[_Point]) -> BottleneckCurve:
        """The result: encoders of the rows as given, the bracket, the onset."""
        beta, i_x, i_y, supremum = (np.array([getattr(point, name) for point in points]) for name in ("beta", "i_x", "i_y", "supremum"))
        bracket = Bracket.of(beta, i_x, i_y, supremum, (self.i_x_end, self.i_xy), self.h_x)
        certified = self.certifier is not None
        notes = [] if certified else [f"p(y|x) has {self.law.w.shape[1]} relevant states; bounds are proved for at most {MOST_STATES}"]
        return BottleneckCurve(
            beta, i_x, i_y, bracket.low(i_x), bracket.high(i_x), bracket.gap(), certified, tuple(self._encoder(point) for point in points),
            supremum, self.h_x, self.i_xy, self.i_x_end, self.onset, self.onset_local, tuple(notes),
        )  # fmt: skip

    def _encoder(self, point: _Point) -> np.ndarray:
        """p(t|x) [n_x, T] for the rows as given; an x that never occurs has p(t)."""
        made = np.eye(len(self.law.p)) if point.mixture is None else point.mixture.encoder(self.law)
        encoder = np.tile(self.law.p @ made, (len(self.joint), 1))
        encoder[self.rows] = made[self.merged]
        return encoder


def _informations(law: Law, encoder: np.ndarray) -> tuple[float, float]:
    """(I(T;X), I(T;Y)) in bits."""
    share = law.p @ encoder
    i_x = float(np.sum(law.p[:, None] * encoder * np.log(np.maximum(encoder, 1e-300) / np.maximum(share, 1e-300))))
    joint = (encoder * law.p[:, None]).T @ law.w
    i_y = float(np.sum(joint * np.log(np.maximum(joint, 1e-300) / np.maximum(np.outer(share, law.p_y), 1e-300))))
    return max(i_x, 0.0) * _BITS, max(min(i_y, i_x), 0.0) * _BITS


def _entropy(p: np.ndarray) -> float:
    return float(max(-np.sum(p * np.log(np.maximum(p, 1e-300))), 0.0)) * _BITS


def joint_law(p_xy: Any) -> np.ndarray:
    """A joint law [n_x, n_y] as float64, exactly normalised. Raises DataError with the entry that is wrong."""
    try:
        joint = np.asarray(p_xy, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"p_xy: found {shown(p_xy)}, expected numbers [n_x, n_y]: p(x, y)") from error
    if joint.ndim != 2 or 0 in joint.shape:
        raise DataError(f"p_xy: found an array of shape {joint.shape}, expected [n_x, n_y]: p(x, y), rows are x")
    if (wrong := np.argwhere(~(np.isfinite(joint) & (joint >= 0)))).size:
        x, y = wrong[0]
        raise DataError(f"p_xy: row {x}, column {y}: found {joint[x, y]:g}, expected a probability >= 0")
    total = float(joint.sum())
    if abs(total - 1.0) > 1e-6:
        hint = "; every row sums to 1: that is p(y|x), multiply it by p(x)" if np.allclose(joint.sum(axis=1), 1.0) else ""
        raise DataError(f"p_xy: found entries that sum to {total:.9g}, expected 1 (a joint law){hint}")
    return joint / total
