"""The flow of probability over very many jumps: powers of the matrix exponential where states are few, and laws that only decay.

S_k = exp(A h 2^k) and c_k [n], what each state loses to outside meanwhile, are non-negative, and columns of S_k and c_k sum to 1: they are
scaled to do so after each squaring. A squaring errs by at most rho = (n + 4) eps relative to each entry. Such an error moves no
probability between closed classes, and S_k shrinks it by 1 - mu_k, mu_k = sum_i min_j S_ij over a class (Doeblin), or by the share that
stays among states that no class holds. So it counts at most G_k = min(2 G_{k+1} + 1, 1 / mu_k) times, and rounding stays below
rho sum_k G_k (to first order, what is lost aside), however long the time is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciml.biology.simulation.state_space import StateSpace, Uniformised, closed_classes
from sciml.errors import ConvergenceError

__all__ = ["Moved", "Powers", "decayed"]

_EPS = float(np.finfo(float).eps)
_FIRST = 11  # squarings before powers are kept: what takes fewer jumps than 2^11 is uniformised
_LEAST = 1e-150  # smaller entries are dropped: no product of two others is too small for a float
_STILL = 1e-14  # columns that differ by less than this have come to the same law
_MOST = 80  # powers that are kept


@dataclass(frozen=True)
class Moved:
    """`p` [n] after a step, probability `lost` meanwhile, time `spent` [n] in each state (roughly), `rounding`: bound of p's error."""

    p: np.ndarray
    lost: float
    spent: np.ndarray
    rounding: float


@dataclass(frozen=True)
class _Power:
    time: float
    matrix: np.ndarray
    lost: np.ndarray
    apart: float  # how far columns of a class are from the same law


class Powers:
    """exp(A t) p on a set of states as it is now, for any t."""

    def __init__(self, space: StateSpace, engine: Uniformised) -> None:
        self._engine, self._leaving = engine, space.leaving()
        self._classes = closed_classes(space.generator())
        self._powers: list[_Power] = []
        self._shrinks: list[float] = []

    def step(self, p: np.ndarray, time: float) -> Moved:
        """The law after `time`."""
        self._square_until(time)
        left, lost, spent, used = time, 0.0, np.zeros(len(p)), 0.0
        for power in reversed(self._powers):
            if power.time > left:
                continue
            after, used = power.matrix @ p, 1.0
            lost, spent, left = lost + float(power.lost @ p), spent + 0.5 * power.time * (p + after), left - power.time
            p = after
            if power.apart <= _STILL:
                moved, gone = decayed(p, self._classes, self._leaving, left)
                return Moved(moved, lost + gone, spent + moved * left, self._bound(1.0) + power.apart)
        before, done = self._engine.products, self._engine.step(p, left)
        rounding = (self._engine.products - before) * self._engine.rounding_per_product + self._bound(used)
        return Moved(done[0], lost + float(self._leaving @ done[1]), spent + done[1], rounding)

    def _square_until(self, time: float) -> None:
        """Have powers up to the time, or to where they no longer change a law."""
        if not self._powers:
            first = 1.0 / self._engine.rate
            matrix, spent = self._engine.step(np.eye(len(self._leaving)), first)
            power = self._scaled(first, matrix, self._leaving @ spent)
            for _ in range(_FIRST):
                power = self._squared(power)
            self._powers.append(power)
        while 2 * self._powers[-1].time <= time and self._powers[-1].apart > _STILL:
            if len(self._powers) == _MOST:
                raise ConvergenceError(
                    f"state projection: the law of {len(self._leaving)} states still moves after time {self._powers[-1].time:.3g}, "
                    f"2^{_MOST + _FIRST} of their fastest jumps; found a time of {time:.3g}, expected less"
                )
            self._powers.append(self._squared(self._powers[-1]))

    def _squared(self, power: _Power) -> _Power:
        return self._scaled(2 * power.time, power.matrix @ power.matrix, power.lost + power.lost @ power.matrix)

    def _scaled(self, time: float, matrix: np.ndarray, lost: np.ndarray) -> _Power:
        matrix[matrix < _LEAST] = 0.0
        total = matrix.sum(axis=0) + lost
        matrix, lost = matrix / total, lost / total
        passing = np.ones(len(lost), dtype=bool)
        shrinks, apart = 0.0, 0.0
        for inside in self._classes:
            passing[inside] = False
            block = matrix[np.ix_(inside, inside)]
            sums = block.sum(axis=0)
            shrinks = max(shrinks, 1.0 - float(block.min(axis=1).sum()))
            apart = max(apart, 1.0 - float((block / np.where(sums > 0, sums, 1.0)).min(axis=1).sum()))
        staying = float(matrix[np.ix_(passing, passing)].sum(axis=0).max(initial=0.0))
        self._shrinks.append(max(shrinks, staying))
        return _Power(time, matrix, lost, max(apart, staying))

    def _bound(self, uses: float) -> float:
        """Of rounding in a step that uses the last power so often."""
        total = 0.0
        for shrinks in reversed(self._shrinks):
            total += uses
            uses = min(2 * uses + 1, 1.0 / max(1.0 - shrinks, _EPS)) if uses else 0.0
        return min(total * (len(self._leaving) + 4) * _EPS, 1.0)


def decayed(p: np.ndarray, classes: list[np.ndarray], leaving: np.ndarray, time: float) -> tuple[np.ndarray, float]:
    """(p after `time`, what was lost) where p within each closed class only decays: by exp(-leaving . p / sum p x time)."""
    after, lost = p.copy(), 0.0
    for inside in classes:
        mass = float(p[inside].sum())
        if mass > 0:
            exponent = -float(leaving[inside] @ p[inside]) / mass * time
            after[inside] *= np.exp(exponent)
            lost -= mass * float(np.expm1(exponent))
    return after, lost
