"""Probability carried over times on a set of states that grows while it loses more than it may."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from sciml.biology.simulation.state_space import StateSpace, Uniformised

__all__ = ["Flow", "flow"]

_log = logging.getLogger("sciml.biology.simulation")
_LONGEST = 4000.0  # expected jumps of a uniformised step
_FIRST = 100.0
_MOST_LAYERS = 64


@dataclass(frozen=True)
class Flow:
    """`p` [T, n] at sorted times on the final states, `rounding` [T] bounds what rounding did, `stopped`: "tolerance" or "max_states"."""

    p: np.ndarray
    rounding: np.ndarray
    stopped: str


def flow(space: StateSpace, start: np.ndarray, times: np.ndarray, tolerance: float) -> Flow:
    """The law at `times` (sorted) from `start` (p of the first states of the space, at time 0).

    Until time t no more than tolerance x t / last time is lost: a step that would lose more is taken back, and the set grows around the
    states from which it was lost. At `space.max_states` it grows no more, and what is lost is lost.
    """
    p = np.zeros(len(space))
    p[: len(start)] = start
    now, rounding, layers, length = 0.0, 0.0, 1, _FIRST
    engine = Uniformised(space)
    rows, bounds = [], []
    for time in times:
        while now < time:
            step = min(time - now, length / engine.rate if engine.rate else np.inf)
            moved, integral = engine.step(p, step)
            end = now + step
            allowed = tolerance * end / times[-1]
            if 1.0 - moved.sum() - rounding > allowed and not space.full:
                if space.grow(_sources(space, integral, allowed - (1.0 - p.sum())), layers):
                    p = np.concatenate([p, np.zeros(len(space) - len(p))])
                    rounding += engine.products * engine.rounding_per_product
                    engine = Uniformised(space)
                    layers = min(2 * layers, _MOST_LAYERS)
                    continue
            p, now = moved, end if end < time else time
            layers, length = max(layers // 2, 1), min(2 * length, _LONGEST)
        rows.append(p)
        bounds.append(rounding + engine.products * engine.rounding_per_product)
    if space.full:
        _log.warning("state projection: stopped growing at %d states with %.3g of the probability lost", len(space), 1.0 - p.sum())
    table = np.zeros((len(times), len(space)))
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return Flow(table, np.array(bounds), "max_states" if space.full else "tolerance")


def _sources(space: StateSpace, integral: np.ndarray, allowed: float) -> np.ndarray:
    """States from which the most was lost: without what is left of them a step would keep within half of what is allowed."""
    lost = space.leaving() * integral
    order = np.argsort(-lost, kind="stable")
    remaining = lost.sum() - np.cumsum(lost[order])
    count = int(np.count_nonzero(remaining > 0.5 * max(allowed, 0.0))) + 1
    chosen = order[:count]
    return np.sort(chosen[lost[chosen] > 0])
