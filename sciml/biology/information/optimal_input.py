"""The input law that fills a channel, by a primal-dual interior point, with a bracket of the optimum that holds in floating point.

Maximise I(p) = sum_x p_x D_x, D_x = D(W_x || pW), over p >= 0, sum p = 1, c.p <= B. For any law of outputs and any price k >= 0 the maximum
is at most max_x (D_x - k (c_x - B)), and at least I(p) (Kuhn-Tucker; Blahut, IEEE Trans. Inf. Theory 18 (1972) 460). Newton's steps with a
predictor and a corrector (Mehrotra, SIAM J. Optim. 2 (1992) 575) close the bracket in some ten steps, Blahut-Arimoto's in thousands.

What is left of the budget is one more variable beside p: an input that gives nothing (a row of zeros in W) and counts as cost alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.special import xlogy

__all__ = ["Optimum", "best_input"]

Array = np.ndarray
_EPS = float(np.finfo(float).eps)
_STEPS = 200
_NEAR = 0.995  # of the way to the boundary


@dataclass(frozen=True)
class Optimum:
    """All in nats: `value` = I(p), `lower` <= maximum <= `upper`, the `price` of a unit of cost, and the number of Newton `steps`."""

    p: Array
    value: float
    lower: float
    upper: float
    price: float
    steps: int

    @property
    def gap(self) -> float:
        """upper - lower."""
        return self.upper - self.lower


def best_input(w: Array, tolerance: float, cost: Array | None = None, budget: float = 1.0) -> Optimum:
    """The optimum of channel `w` [n, m] (rows sum to 1, no column is empty), its gap <= `tolerance` (nats) or the best that was reached.

    `cost` [n]: between 0 and 1, both taken by an input; 0 < `budget` < 1.
    """
    channel = _Channel.of(w, cost, budget)
    least = 0.05 * tolerance / len(channel.w)  # a smaller product p z gains nothing, and rounding spoils Newton's equations
    p = channel.start(budget)
    best = channel.judge(p, 0.0, 0)
    if best.gap <= tolerance:
        return best
    y = np.array([best.upper + best.gap, best.gap])[: len(channel.walls)]
    z = np.maximum(channel.slack(p, y), 0.1 * best.gap)
    for step in range(1, _STEPS + 1):
        try:
            p, z, y = channel.newton(p, z, y, least)
        except np.linalg.LinAlgError:
            break
        best = _better(best, channel.judge(p, y[-1], step))
        if best.gap <= tolerance:
            break
    law, value, lower = channel.sparse(p, z)
    return replace(best, p=law, value=value, lower=lower) if best.upper - lower <= max(tolerance, best.gap) else best


def _better(old: Optimum, new: Optimum) -> Optimum:
    """The law of the higher lower bound within both brackets."""
    law, top = max(new, old, key=lambda o: o.lower), min(new, old, key=lambda o: o.upper)
    return replace(law, upper=top.upper, price=top.price, steps=new.steps)


@dataclass(frozen=True)
class _Channel:
    """`w` [v, m] and constraints `walls` [k, v] p = `limits` [k] on all variables: inputs, then what is left of a budget."""

    w: Array
    own: Array  # minus the entropy of each row
    walls: Array
    limits: Array
    inputs: int

    @classmethod
    def of(cls, w: Array, cost: Array | None, budget: float) -> _Channel:
        n, m = w.shape
        walls, limits = np.ones((1, n)), np.ones(1)
        if cost is not None:
            w = np.vstack([w, np.zeros(m)])
            walls, limits = np.array([np.append(walls, 0.0), np.append(cost, 1.0)]), np.array([1.0, budget])
        return cls(w, xlogy(w, w).sum(axis=1), walls, limits, n)

    def start(self, budget: float) -> Array:
        """The uniform law, mixed with the cheapest inputs where it would cost more than half of the budget."""
        p = np.full(self.inputs, 1.0 / self.inputs)
        if len(self.walls) == 1:
            return p
        cost = self.walls[1, :-1]
        share = min(1.0, 0.5 * budget / float(cost.mean()))
        p = share * p + (1 - share) * (cost == 0) / np.count_nonzero(cost == 0)
        return np.append(p, budget - cost @ p)

    def slack(self, p: Array, y: Array) -> Array:
        """How far each variable is from being used at prices `y`: y.walls - D."""
        slack: Array = y @ self.walls - self.own + self.w @ np.log(p @ self.w)
        return slack

    def judge(self, p: Array, price: float, step: int) -> Optimum:
        """The bracket at p and k, wider by what rounding can have done to sums of n and m terms."""
        law, w, own = p[: self.inputs] / p[: self.inputs].sum(), self.w[: self.inputs], self.own[: self.inputs]
        logs = w @ np.log(law @ w)
        gain = own - logs
        value, price, spare = float(law @ gain), max(price, 0.0), 0.0
        wide = self.rounding(float((own + logs).min()))
        if len(self.walls) > 1:
            gain += price * (self.limits[1] - self.walls[1, :-1])
            spare = float(self.limits[1] - self.walls[1, :-1] @ law)
        return Optimum(law, value, value - wide if spare >= 0 else -np.inf, float(gain.max()) + wide, price, step)

    def sparse(self, p: Array, z: Array) -> tuple[Array, float, float]:
        """The law of the inputs whose slack is smaller than their share, its I = H(pW) - p.H(W), and that less rounding."""
        law = np.where(p > z, p, 0.0)[: self.inputs]
        law /= law.sum()
        q = law @ self.w[: self.inputs]
        heard, noise = -float(xlogy(q, q).sum()), -float(law @ self.own[: self.inputs])
        allowed = len(self.walls) == 1 or self.walls[1, :-1] @ law <= self.limits[1]
        return law, heard - noise, heard - noise - self.rounding(-heard - noise) if allowed else -np.inf

    def rounding(self, terms: float) -> float:
        """What sums of so many numbers can be wrong by where they add up to `terms` <= 0 and 1."""
        return (2 * (self.w.shape[0] + self.w.shape[1]) + 16) * _EPS * (1.0 - terms)

    def newton(self, p: Array, z: Array, y: Array, least: float) -> tuple[Array, Array, Array]:
        """One predictor and corrector on: slack = z, walls p = limits, p z = a common value that falls to `least`."""
        q = p @ self.w
        residual = z - self.slack(p, y)
        solve = _solver(self.w, q, z / p)
        pushed = solve(self.walls.T)
        inner = _factor(self.walls @ pushed)
        missing = self.limits - self.walls @ p

        def direction(target: Array) -> tuple[Array, Array, Array]:
            free = solve(residual + target / p)
            dy = dpotrs(inner, self.walls @ free - missing)[0]
            dp = free - pushed @ dy
            return dp, (target - z * dp) / p, dy

        dp, dz, _ = direction(-p * z)
        mean = p @ z
        aim = mean / len(p) * (((p + _reach(p, dp) * dp) @ (z + _reach(z, dz) * dz)) / mean) ** 3
        dp, dz, dy = direction(max(aim, least) - p * z - dp * dz)
        forth, back = min(1.0, _NEAR * _reach(p, dp)), min(1.0, _NEAR * _reach(z, dz))
        return p + forth * dp, z + back * dz, y + back * dy


def _reach(v: Array, dv: Array) -> float:
    """The longest step along dv, at most 2, that keeps v >= 0."""
    return 1.0 / max(0.5, -float((dv / v).min()))


def _solver(w: Array, q: Array, d: Array) -> Callable[[Array], Array]:
    """b -> x with (diag(d) + W diag(1/q) W') x = b [v] or [v, k], through the smaller of the two sides (Woodbury)."""
    n, m = w.shape
    if n <= m:
        factor = _factor((w / q) @ w.T, d)
        return lambda b: dpotrs(factor, b)[0]
    scaled = w / d[:, None]
    factor = _factor(w.T @ scaled, q)

    def solve(b: Array) -> Array:
        x: Array = (b.T / d).T - scaled @ dpotrs(factor, scaled.T @ b)[0]
        return x

    return solve


def _factor(matrix: Array, diagonal: Array | float = 0.0) -> Array:
    """Cholesky factor of matrix + diag(diagonal), the diagonal raised by some eps so that rounding cannot make it indefinite."""
    n = len(matrix)
    matrix.flat[:: n + 1] = matrix.flat[:: n + 1] * (1 + n * _EPS) + diagonal
    factor, failed = dpotrf(matrix, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError
    return factor
