"""Profile likelihood: how far a parameter can go before the best that all others can do is worse by the quantile of chi-square.

The interval at level p holds all values with 2 (L_max - L(value)) <= q, q the p-quantile of chi-square with one degree of freedom, where
L(value) is the maximum over all other parameters. Raue et al., Bioinformatics 25 (2009) 1923. Priors count in L.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.fitting.minimum import Evaluated, minimise
from sciml.errors import ConvergenceError, DataError

__all__ = ["BetterError", "Side", "profile_side", "quantile_root"]

_BETTER = 1e-3  # of minus the log-likelihood: a profile that is lower by more has found a better fit
_CLOSE = 5e-3  # of the root of twice the drop
_MOST = 40


class BetterError(Exception):
    """A profile came below the minimum it started from; `x` is the better point."""

    def __init__(self, x: np.ndarray) -> None:
        super().__init__("a better point")
        self.x = x


@dataclass(frozen=True)
class Side:
    """One side of a profile on the parameter's scale: its `end`, whether that is only the bound, and the (point, drop) pairs on the way."""

    end: float
    bounded: bool
    points: tuple[tuple[float, float], ...]


def quantile_root(level: float) -> float:
    """The root of the chi-square quantile: where the root of twice the drop of the log-likelihood ends an interval."""
    from scipy.stats import chi2

    return math.sqrt(float(chi2.ppf(level, 1)))


def profile_side(
    evaluate: Callable[[np.ndarray], Evaluated],
    best: np.ndarray,
    value: float,
    information: np.ndarray,
    k: int,
    bounds: tuple[np.ndarray, np.ndarray],
    *,
    upwards: bool,
    root: float,
) -> Side:
    """Walk parameter k from the minimum `best` [K] (its `value` and `information`) until the drop is reached, or its bound.

    Steps are as long as the last slope of the root of the drop says; the others are optimised again from where they were, moved along the
    direction in which the information says that they follow.
    """
    walk = _Walk(evaluate, best, value, information, k, bounds)
    end = float(bounds[1 if upwards else 0][k])
    sign = 1.0 if upwards else -1.0
    first = root / math.sqrt(max(_pinned(information, k), 1e-300))
    width = abs(end - best[k]) if math.isfinite(end) else max(1.0, abs(best[k]))
    inner, inner_r, step = float(best[k]), 0.0, min(first, 0.25 * width)
    outer: float | None = None
    outer_r = math.inf
    for _ in range(_MOST):
        if outer is None:
            target = inner + sign * step
            target = end if sign * (end - target) <= 0 else target
        else:  # between: by the line through both ends, kept off them
            share = (root - inner_r) / (outer_r - inner_r) if math.isfinite(outer_r) else 0.5
            target = inner + min(max(share, 0.05), 0.95) * (outer - inner)
        r = walk.root_of_drop(target)
        if abs(r - root) < _CLOSE:
            return walk.side(target, False)
        if r > root:
            outer, outer_r = target, r
        else:
            slope = (r - inner_r) / abs(target - inner) if target != inner else 0.0
            step = abs(target - inner)
            step = min(max(1.02 * (root - r) / slope, 0.3 * step), 4.0 * step) if slope > 0 else 4.0 * step
            inner, inner_r = target, r
            if target == end:
                return walk.side(end, True)
        if outer is not None and abs(outer - inner) <= 1e-9 * max(1.0, abs(outer)):
            break
    return walk.side(inner, outer is None)


def _pinned(information: np.ndarray, k: int) -> float:
    """The information on parameter k when all others are free: 1 / (information^-1)[k, k]; 0 where there is none."""
    others = np.arange(len(information)) != k
    moved = information[k, others] @ np.linalg.pinv(information[np.ix_(others, others)], hermitian=True) @ information[others, k]
    return max(float(information[k, k] - moved), 0.0)


class _Walk:
    """Points visited, and the minimum over the other parameters at a new one."""

    def __init__(self, evaluate: Callable[[np.ndarray], Evaluated], best: Any, value: float, information: Any, k: int, bounds: Any) -> None:
        self.evaluate, self.value, self.k, self.bounds = evaluate, value, k, bounds
        self.others = np.arange(len(best)) != k
        self.x = np.array(best, dtype=float)
        self.information = information
        self.points: list[tuple[float, float]] = []

    def root_of_drop(self, target: float) -> float:
        """The root of twice the drop of the log-likelihood at `target`; infinite where there is no value."""
        others, k = self.others, self.k
        begin = self.x.copy()
        begin[k] = target
        if others.any():
            inner = self.information[np.ix_(others, others)]
            follow = -np.linalg.pinv(inner, hermitian=True) @ self.information[others, k]
            lower, upper = (b[others] for b in self.bounds)
            moved = np.clip(begin[others] + follow * (target - self.x[k]), lower, upper)
            begin[others] = moved
        last: list[np.ndarray] = [self.information]

        def restricted(at: np.ndarray) -> Evaluated:
            x = begin.copy()
            x[others] = at
            value, gradient, information = self.evaluate(x)
            last[0] = information
            return value, gradient[others], information[np.ix_(others, others)]

        try:
            if others.any():
                found = minimise(restricted, begin[others], lower, upper, tolerance=1e-6)
                value, begin[others] = found.value, found.x
            else:
                value, _, last[0] = self.evaluate(begin)
        except (DataError, ConvergenceError):
            return math.inf
        if value < self.value - _BETTER:
            raise BetterError(begin)
        drop = max(value - self.value, 0.0)
        self.x, self.information = begin, last[0]
        self.points.append((target, -drop))
        return math.sqrt(2.0 * drop)

    def side(self, end: float, bounded: bool) -> Side:
        return Side(end, bounded, tuple(self.points))
