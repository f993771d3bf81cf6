"""Where a model is not smooth: comparisons and roundings in its formulas, and the triggers of its events.

Between two changes every comparison and rounding that the right-hand side uses is a number in p, so what is integrated is smooth. A change
is found in one of two ways. What is linear in time (`time > 1000`, `rem(time, 24) < 8`) is solved for its next change, which is a break
point whatever the step. All else is looked at inside every step (`crossings`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.native import Native, native
from sciml.biology.kernels.system import System

__all__ = ["Conditions", "after", "conditions_of", "next_time"]

_COMPARED = frozenset(("lt", "leq", "eq", "neq"))
_ROUNDED = frozenset(("floor", "ceil", "quotient"))
_BENT = frozenset(("abs", "min", "max"))


@dataclass(frozen=True)
class Conditions:
    """`smooth`: the derivatives with modes in the place of what jumps. `modes`: values of the modes now, [K] after the parameters in p.

    `watched`: values of all modes and then of triggers, then guards, for `crossings`; `shown` says which of the watched values are modes
    (number, index of the mode) or triggers (number, event). `clock`: (guard, its slope) pairs of what is linear in time; `whole` says which
    of these guards change at every whole number, the others change at zero. `curved`: comparisons of time alone that are not linear in it.
    """

    smooth: tuple[int, ...]
    parameters: int
    modes: Native | None
    count: int
    watched: Native | None
    watched_modes: tuple[int, ...]
    watched_triggers: tuple[int, ...]
    clock: Native | None
    whole: np.ndarray
    curved: tuple[int, ...]

    def next_change(self, t: float, y: np.ndarray, p: np.ndarray) -> float:
        """The next time after t at which something that is linear in time changes; infinity for none."""
        if self.clock is None:
            return np.inf
        with np.errstate(all="ignore"):
            return min(next_time(t, after(t), self.clock(t, y, p), self.whole), self._not_yet(self.clock, t, y, p))

    def _not_yet(self, clock: Native, t: float, y: np.ndarray, p: np.ndarray) -> float:
        """The time at which what changes at t is seen to have changed, where rounding in its formula hides it just after t; else infinity.

        1 + 0.01 time > 1.02 is false until some 1e-14 after time 2, where the sum is larger by its last bit.
        """
        guards, slopes = clock(t, y, p).reshape(-1, 2).T
        target = np.where(self.whole, np.round(guards), 0.0)
        near = (slopes != 0) & (np.abs(guards - target) <= 1e-10 * t * np.abs(slopes))
        if not near.any():
            return np.inf

        def changed(time: float) -> bool:
            now = clock(time, y, p)[0::2]
            return bool(((now - target) * slopes > 0)[near].all())

        later = next((later for k in range(20) if changed(later := t + 2e-15 * t * 2.0**k)), np.inf)
        return np.inf if changed(after(t)) else later

    def first_change(self, t: float, h: float, state: Callable[[float], np.ndarray], p: np.ndarray, marks: np.ndarray) -> float | None:
        """As `crossings.crossed`, slowly: the first time in (t, t + h] at which a watched value is not as in `marks`; None for none."""
        watched = self.watched
        if watched is None or not len(marks):
            return None

        def differs(time: float) -> bool:
            y = state(time)
            return bool((watched(time, y, p)[: len(marks)] != marks).any())

        low = t
        for point in range(1, 11):
            high = t + h * point / 10
            if differs(high):
                while high - low > 4.5e-16 * max(abs(high), h):
                    middle = 0.5 * (low + high)
                    low, high = (low, middle) if differs(middle) else (middle, high)
                return high
            low = high
        return None


def after(t: float) -> float:
    """The time just after t: a few last bits later, so that rounding in a formula does not count."""
    return t + 1e-15 * t if t > 0 else 1e-300


def next_time(t: float, later: float, clock: Any, whole: Any) -> float:
    """The first time above `later` at which a guard is zero, or a whole number where `whole` [K] says so; infinity for none.

    `clock` [2 K] are guards and their slopes at time t. It is compiled for a GPU too.
    """
    soonest = np.inf
    for i in range(whole.size):
        guard, slope = clock[2 * i], clock[2 * i + 1]
        for neighbour in range(-1, 2):
            target = np.floor(guard + 0.5) + neighbour if whole[i] else 0.0
            time = t - (guard - target) / slope if slope != 0.0 else np.inf
            if later < time < soonest:
                soonest = time
    return soonest


@dataclass
class _Mode:
    live: int
    guard: int
    rounds: bool
    inside: bool  # it stands in what decides another


class _Freezer:
    """Puts modes in the place of what jumps, arguments first.

    What has a corner (`abs`, `min`, `max`) is put so too where it stands in a condition:
    `abs(x - 5) < 1e-3` changes twice beside the corner, so what decides must be smooth on either side of it.
    """

    def __init__(self, graph: Graph, parameters: int) -> None:
        self.graph, self.parameters = graph, parameters
        self.modes: list[_Mode] = []
        self.new: dict[int, int] = {}
        self._moving: dict[int, bool] = {}
        self._inside: set[int] = set()

    def freeze(self, nodes: Sequence[int]) -> list[int]:
        g = self.graph
        order = g.reach(nodes)
        self._inside |= set(g.reach(a for n in order if g.ops[n] in _COMPARED | _ROUNDED | {"rem"} for a in g.args[n]))
        for n in order:
            if n in self.new:
                continue
            op, args = g.ops[n], tuple(self.new[a] for a in g.args[n])
            self._moving[n] = op in ("state", "time", "lag") or any(self._moving[a] for a in g.args[n])
            if op in _COMPARED and self._moving[n]:
                self.new[n] = self._mode(n, g.op("sub", *args), rounds=False)
            elif op in _ROUNDED and self._moving[n]:
                self.new[n] = self._mode(n, g.op("div", *args) if op == "quotient" else args[0], rounds=True)
            elif op == "rem" and self._moving[n]:
                whole = self._mode(g.op("quotient", *g.args[n]), g.op("div", *args), rounds=True)
                self.new[n] = g.op("sub", args[0], g.op("mul", args[1], whole))
            elif op in _BENT and self._moving[n] and n in self._inside:
                self.new[n] = self._corner(n, op, args)
            else:
                self.new[n] = n if args == g.args[n] else g.op(op, *args)
        return [self.new[n] for n in nodes]

    def _mode(self, live: int, guard: int, *, rounds: bool) -> int:
        for index, mode in enumerate(self.modes):
            if mode.live == live:
                return self.graph.leaf("param", self.parameters + index)
        self.modes.append(_Mode(live, guard, rounds, live in self._inside))
        return self.graph.leaf("param", self.parameters + len(self.modes) - 1)

    def _corner(self, n: int, op: str, args: tuple[int, ...]) -> int:
        """abs, min and max as a choice between two smooth parts."""
        g = self.graph
        first, second = (g.args[n][0], g.const(0.0)) if op == "abs" else g.args[n]
        live = g.op("leq", first, second) if op != "max" else g.op("leq", second, first)
        self._inside.add(live)
        if op == "abs":
            return g.op("select", self._mode(live, args[0], rounds=False), g.op("neg", args[0]), args[0])
        return g.op("select", self._mode(live, g.op("sub", *args), rounds=False), *args)


def _felt(graph: Graph, node: int) -> bool:
    """Whether a node depends on the state, now or in the past."""
    return bool(graph.leaves([node], "state") or graph.leaves([node], "lag"))


def _linear_in_time(graph: Graph, guard: int) -> int | None:
    """The slope (a node) of what depends on time alone and is linear in it; None for anything else."""
    if _felt(graph, guard):
        return None
    slope = partials(graph, [guard], "time")[0].get(0)
    if slope is None or graph.leaves([slope], "time"):
        return None
    return slope


def conditions_of(system: System) -> Conditions:
    """What may jump in the derivatives and the triggers of a system."""
    g = system.graph
    freezer = _Freezer(g, len(system.parameters))
    smooth = freezer.freeze(system.derivatives)
    freezer.freeze([node for lag in system.lags for node in lag])
    used = len(freezer.modes)  # only these are in the right-hand side and in what is remembered; the others belong to triggers
    triggers = [event.trigger for event in system.events]
    freezer.freeze(triggers)
    total = len(system.parameters) + len(freezer.modes)
    clock: list[int] = []
    rounds: list[bool] = []
    watched, guards = [], []
    curved: list[int] = []
    for index, mode in enumerate(freezer.modes):
        slope = _linear_in_time(g, mode.guard)
        if slope is None and not _felt(g, mode.live):
            curved.append(mode.live)
        if slope is not None:
            clock += [mode.guard, slope]
            rounds.append(mode.rounds)
        elif any(g.leaves([mode.guard], kind) for kind in ("state", "lag", "time")):
            if index < used or mode.inside:
                watched.append(index)
            guards.append(_guard(g, mode, len(system.parameters) + index))
    seen = [i for i, t in enumerate(triggers) if _felt(g, t) or _clocks(g, freezer, t)]
    looked_at = [*(freezer.modes[i].live for i in watched), *(triggers[i] for i in seen), *guards]
    return Conditions(
        smooth=tuple(smooth),
        parameters=total,
        modes=native(g, [mode.live for mode in freezer.modes], total) if freezer.modes else None,
        count=len(freezer.modes),
        watched=native(g, looked_at, total) if watched or seen else None,
        watched_modes=tuple(watched),
        watched_triggers=tuple(seen),
        clock=native(g, clock, total) if clock else None,
        whole=np.array(rounds, dtype=bool),
        curved=tuple(curved),
    )


def _clocks(graph: Graph, freezer: _Freezer, trigger: int) -> bool:
    """Whether a trigger in time has a part that is not linear in time, so that it must be watched."""
    inside = set(graph.reach([trigger]))
    return any(mode.live in inside and _linear_in_time(graph, mode.guard) is None for mode in freezer.modes)


def _guard(graph: Graph, mode: _Mode, parameter: int) -> int:
    """Positive where a rounding keeps its value; of a comparison the difference."""
    if not mode.rounds:
        return mode.guard
    middle = graph.op("sub", mode.guard, graph.leaf("param", parameter))
    return graph.op("sub", graph.const(0.5), graph.op("abs", graph.op("sub", middle, graph.const(0.5))))
