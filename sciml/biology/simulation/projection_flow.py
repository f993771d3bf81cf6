"""Probability carried over times on a set of states that grows while it loses more than it may."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from sciml.biology.simulation.projection_powers import Moved, Powers, decayed
from sciml.biology.simulation.state_space import StateSpace, Uniformised, closed_classes
from sciml.errors import ConvergenceError

__all__ = ["Flow", "flow"]

_log = logging.getLogger(__name__)
_LONGEST = 4000.0  # expected jumps of a uniformised step
_FIRST = 100.0
_MOST_LAYERS = 1 << 20
_MANY = 20_000.0  # expected jumps beyond which a small set takes powers, and a large one looks whether its law still moves
_SMALL = 1000  # states whose powers are kept: 8 MB each
_PATIENCE, _MOST_WORK = 1e10, 1e11  # multiplications, about a minute and some minutes: before it is asked what is to come, and of all


@dataclass(frozen=True)
class Flow:
    """`p` [T, n] at sorted times on the final states, `rounding` [T] bounds what rounding did, `stopped`: "tolerance" or "max_states"."""

    p: np.ndarray
    rounding: np.ndarray
    stopped: str


def flow(space: StateSpace, start: np.ndarray, times: np.ndarray, tolerance: float) -> Flow:
    """The law at `times` (sorted) from `start` (p of the first states of the space, at time 0).

    Until time t no more than tolerance x t / last time is lost: a step that would lose more is taken back, and the set grows around the
    states from which it was lost. At `space.max_states` it grows no more, and what is lost is lost. Up to 1,000 states take any time;
    more go on by uniformised steps until their law only decays. Raises ConvergenceError where that takes too long.
    """
    walk = _Walk(space, start, tolerance, float(times[-1]))
    rows, bounds = [], []
    for time in times:
        walk.to(float(time))
        rows.append(walk.p)
        bounds.append(min(walk.rounding, 1.0))
    if space.full:
        _log.warning("state projection: stopped growing at %d states with %.3g of the probability lost", len(space), walk.lost)
    table = np.zeros((len(times), len(space)))
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return Flow(table, np.array(bounds), "max_states" if space.full else "tolerance")


class _Walk:
    """The law `p` at time `now`, on its way to `last`."""

    def __init__(self, space: StateSpace, start: np.ndarray, tolerance: float, last: float) -> None:
        self.space, self.tolerance, self.last = space, tolerance, last
        self.p = start
        self.now = self.lost = self.rounding = self.work = 0.0
        self.layers, self.length = 1, _FIRST
        self._fit()

    def to(self, time: float) -> None:
        """Go on until `time`."""
        left = time - self.now
        while left > 0:
            step, moved = self._moved(left)
            allowed = self.tolerance * ((self.now + step) / self.last) - self.lost
            if moved.lost > allowed and self._grown(moved, allowed):
                continue
            self.p, self.lost, self.rounding = moved.p, self.lost + moved.lost, self.rounding + moved.rounding
            left -= step
            self.now = time - left
            self.layers, self.length = max(self.layers // 2, 1), min(2 * self.length, _LONGEST)

    def _moved(self, left: float) -> tuple[float, Moved]:
        """(a step, what it does)."""
        far = self.length >= _LONGEST and left > _MANY / self.engine.rate if self.engine.rate else False
        if far and len(self.space) <= _SMALL:
            return left, self.powers.step(self.p, left)
        step = min(left, self.length / self.engine.rate if self.engine.rate else np.inf)
        before = self.engine.products
        after, spent = self.engine.step(self.p, step)
        products = self.engine.products - before
        moved = Moved(after, float(self.leaving @ spent), spent, products * self.engine.rounding_per_product)
        self.work += products * self.engine.size
        if far:
            still = self._stilled(moved, step, left)
            if still:
                return left, still
            if self.work > _PATIENCE and self.work + left / step * products * self.engine.size > _MOST_WORK:
                raise ConvergenceError(
                    f"state projection: the law of {len(self.space)} states still moves at time {self.now:.3g} of {self.last:.3g} "
                    f"after {self.engine.products:,} products, expected at most {_SMALL} states (max_states) or an earlier time"
                )
        return step, moved

    def _stilled(self, moved: Moved, step: float, left: float) -> Moved | None:
        """The law after `left` where it did nothing but decay over a step, to rounding.

        What it did beside it does at most once more in each further step: the flow shrinks differences.
        """
        same, _ = decayed(self.p, self.classes, self.leaving, step)
        movement = float(np.abs(moved.p - same).sum())
        if movement > moved.rounding:
            return None
        after, lost = decayed(self.p, self.classes, self.leaving, left)
        return Moved(after, lost, 0.5 * left * (self.p + after), min(left / step * (movement + moved.rounding), 1.0))

    def _grown(self, moved: Moved, allowed: float) -> bool:
        """Whether the set could grow around the states that a step left."""
        if self.space.full or not self.space.grow(_sources(self.space, moved.spent, allowed), self.layers):
            return False
        self.layers = min(2 * self.layers, _MOST_LAYERS)
        self._fit()
        return True

    def _fit(self) -> None:
        """Make everything anew for the set as it is now."""
        self.p = np.concatenate([self.p, np.zeros(len(self.space) - len(self.p))])
        self.engine, self.leaving = Uniformised(self.space), self.space.leaving()
        self.powers = Powers(self.space, self.engine)
        self.classes = closed_classes(self.space.generator()) if len(self.space) > _SMALL else []


def _sources(space: StateSpace, spent: np.ndarray, allowed: float) -> np.ndarray:
    """States from which the most was lost: without what is left of them a step would keep within half of what is allowed."""
    lost = space.leaving() * spent
    order = np.argsort(-lost, kind="stable")
    remaining = lost.sum() - np.cumsum(lost[order])
    count = int(np.count_nonzero(remaining > 0.5 * max(allowed, 0.0))) + 1
    chosen = order[:count]
    return np.sort(chosen[lost[chosen] > 0])
