"""A deterministic run: many sets of numbers in one compiled loop, or one set from event to event."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Self

import numpy as np

from sciml.biology.kernels.system import System
from sciml.biology.simulation import step_control as steps
from sciml.biology.simulation.conditions import after
from sciml.biology.simulation.crossings import search
from sciml.biology.simulation.equations import Equations
from sciml.biology.simulation.events import Events
from sciml.biology.simulation.faults import explained
from sciml.biology.simulation.time_breaks import curved_breaks
from sciml.devices import thread_limit
from sciml.errors import SciMLError

__all__ = ["Run"]

_log = logging.getLogger(__name__)
_MOST_STEPS = 1_000_000
_FLOOR = 1e-10  # of a state's own scale: what is small for it
_ROUGH, _ROUGH_FLOOR = 1e-3, 1e-5
_GROWN = 1e6  # times all that was there at the start: growth that multiplies errors too
_ROWS_PER_THREAD = 32
_QUICK, _QUICK_CHANGES = 1e-9, 50  # so many changes each within this part of the run: a state that slides along a condition
_MANY = 10  # states from which on a multistep method is faster
_SHARE = 5e-3  # of the run: the longest step where laws name time
_LONGEST_WINDOW = 17  # doublings of that part


@dataclass(kw_only=True)
class Run:
    """The options of a call, and its two ways: many sets in one loop, or one set from change to change.

    Errors of a state are held below rtol |y| + `absolute` + `floor` times the state's own scale.
    """

    system: System
    equations: Equations
    grid: np.ndarray
    rtol: float
    absolute: np.ndarray
    floor: float = _FLOOR
    method: str = "auto"
    seed: int = 0
    given: Mapping[str, Any] | None = None
    lags: list[np.ndarray] = field(default_factory=list)
    most: int = _MOST_STEPS

    def measure(self, states: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> None:
        """Give `scale` [B, n], the sizes at the start, where they are 0 the largest size of each state in a rough run.

        What is not 0 at the start keeps its size, which grows with it in the run: an error that is small beside what it will grow to would
        grow too. So does what outgrows all that is there at the start. A rough run that fails counts as far as it came.
        """
        own = scale.copy()
        self.run_roughly(states, numbers, scale)
        grown = scale > _GROWN * own.max(axis=1, keepdims=True, initial=0.0)
        np.copyto(scale, own, where=(states != 0) | grown)

    def run_roughly(self, states: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> None:
        """Raise `scale` to the largest size of each state in a rough run."""
        try:
            self.rough().all(states, numbers, scale)
        except SciMLError as error:
            _log.debug("the rough run ended early: %s", error)

    def plain(self) -> Run:
        """The same run by the ordinary methods."""
        return Run(**{option.name: getattr(self, option.name) for option in fields(Run)})

    def rough(self) -> Self:
        """The same run, not exact, to its end only."""
        return replace(self, grid=self.grid[-1:], rtol=max(self.rtol, _ROUGH), floor=_ROUGH_FLOOR, lags=[])

    def all(self, states: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """[B, T, n] for all sets of start and parameters, and what it took."""
        count, n = states.shape
        out = np.empty((count, len(self.grid), n))
        real, whole = self.controls(count)
        numbers = np.concatenate([numbers, np.zeros((count, self.equations.conditions.count + len(self.system.lags)))], axis=1)
        if self.equations.smooth:
            real[:, steps.STOP], whole[:, steps.TO_THE_END] = self.grid[-1], 1
            y = states.copy()
            out[:, self.grid == 0] = states[:, None]
            whole[:, steps.NEXT] = np.searchsorted(self.grid, 0.0, side="right")
            self.advance(y, numbers, np.zeros(0), out, scale, real, whole)
        else:
            for b in range(count):
                self.eventful(
                    states[b : b + 1].copy(), numbers[b : b + 1], out[b : b + 1], scale[b : b + 1], real[b : b + 1], whole[b : b + 1]
                )
        return out, self.statistics(whole)

    def statistics(self, whole: np.ndarray) -> dict[str, Any]:
        """What some sets took."""
        names = {"steps": steps.STEPS, "rejected": steps.REJECTED, "evaluations": steps.CALLS}
        return {name: int(whole[:, place].sum()) for name, place in names.items()}

    def controls(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The two rows of numbers that control each set's run."""
        real, whole = np.zeros((count, steps.REALS)), np.zeros((count, steps.WHOLES), dtype=np.int64)
        real[:, steps.RTOL], real[:, steps.FLOOR], real[:, steps.LAST_ERROR] = self.rtol, self.floor, 1e-4
        # a smooth law of time may begin after a long rest, which no step that has grown would feel
        real[:, steps.LONGEST] = _SHARE * self.grid.max(initial=0.0) if self.equations.timed else np.inf
        whole[:, steps.MOST] = self.most
        whole[:, steps.SWITCH], whole[:, steps.STIFFLY] = self.method == "auto", self.method == "stiff"
        return real, whole

    def advance(self, y: Any, p: Any, marks: Any, out: Any, scale: Any, real: Any, whole: Any) -> None:
        """All rows from where each is to its stop, explicitly or, once it was stiff, by a stiff method; raises where the last one fails."""
        stiff = whole[:, steps.STIFFLY] == 1
        arrays = (y, p, out, scale, real, whole)
        if not stiff.all():
            self.call(self.explicitly, marks, arrays, ~stiff)
            stiff |= whole[:, steps.STATUS] == steps.STIFF
            whole[stiff, steps.STIFFLY] = 1
            stiff &= whole[:, steps.STATUS] == steps.STIFF
        methods = self.stiff_methods()
        while stiff.any() and (method := next(methods, None)):
            self.call(method, marks, arrays, stiff)
            stiff &= whole[:, steps.STATUS] == steps.FAILED
            real[stiff, steps.H] = 0.0
        self.require_success(y, p, real, whole)

    def require_success(self, y: Any, p: Any, real: Any, whole: Any) -> None:
        """Raise where a row came to no end."""
        bad = np.flatnonzero((whole[:, steps.STATUS] == steps.FAILED) | (whole[:, steps.STATUS] == steps.LIMIT))
        if len(bad):
            b = int(bad[0])
            worst = int(whole[b, steps.WORST])
            raise explained(self.system, self.equations.conditions.smooth, real[b, steps.T], y[b], p[b], worst)

    def call(self, integrate: Any, marks: np.ndarray, arrays: tuple[Any, ...], rows: np.ndarray) -> None:
        """`integrate` on some rows of the arrays, which it changes; on several threads where there are many."""
        chosen = arrays if rows.all() else tuple(a[rows] for a in arrays)
        y, p, out, scale, real, whole = chosen
        watched = self.equations.conditions.watched
        looked = len(marks) > 0 and watched is not None
        whole[:, steps.WATCHED] = watched.results if looked and watched else 0
        conditions = (search().address, watched.address, watched.context) if looked and watched else (0, 0, self.equations.rhs.context)

        def part(some: slice) -> None:
            state = (y[some], p[some], marks, self.grid, out[some], self.absolute, scale[some], real[some], whole[some])
            integrate(*conditions, *state)

        count = len(y) // _ROWS_PER_THREAD
        if count > 1 and (count := min(thread_limit(), count)) > 1:  # asking for the limit takes longer than one run
            edges = np.linspace(0, len(y), count + 1).astype(int)
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(part, [slice(a, b) for a, b in itertools.pairwise(edges)]))
        else:
            part(slice(None))
        if chosen is not arrays:
            for whole_array, some_rows in zip(arrays, chosen, strict=True):
                whole_array[rows] = some_rows

    def explicitly(self, *state: Any) -> None:
        """By steps of order 5(4); compiled, or read from the cache, when first needed."""
        from sciml.biology.simulation.explicit import explicit

        rhs = self.equations.rhs
        explicit(rhs.address, rhs.context, *state)

    def stiff_methods(self) -> Iterator[Callable[..., None]]:
        """The multistep method where many states change and no condition is searched for; for what it fails at, Rosenbrock's.

        Each is compiled, or read from the cache, only where it is needed.
        """
        rhs, (jacobian, places) = self.equations.rhs, self.equations.jacobian
        tables = (rhs.address, rhs.context, jacobian.address, jacobian.context, *places.arrays)
        if len(self.equations.states) >= _MANY and self.equations.conditions.watched is None:
            from sciml.biology.simulation.multistep import multistep

            yield partial(multistep, *tables)
        from sciml.biology.simulation.rosenbrock import rosenbrock

        yield partial(rosenbrock, *tables)

    def eventful(self, y: np.ndarray, p: np.ndarray, out: np.ndarray, scale: Any, real: Any, whole: Any) -> None:
        """One set: from one event, break point or changed condition to the next. y [1, n], p [1, m + modes], out [1, T, n]."""
        conditions, end, t = self.equations.conditions, float(self.grid[-1]), 0.0
        events = Events(self.equations.events, self.seed) if self.equations.events else None
        quick, window, last = 0, 0.0, -np.inf
        modes = slice(conditions.parameters - conditions.count, conditions.parameters)
        self.begin(y[0], p[0])
        while True:
            self.look_back(t, y[0], p[0])
            changed = self.happen(events, t, y[0], p[0])
            self.hand_out(t, y, out, whole)
            changed |= self.happen(events, after(t), y[0], p[0])
            if t >= end:
                return
            before = p[0, modes].copy()
            if conditions.modes is not None:
                p[0, modes] = conditions.modes(after(t), y[0], p[0])
            if changed or (before != p[0, modes]).any():
                self.jumped(t)
            np.maximum(scale, np.abs(y), out=scale)
            stop = min(end, conditions.next_change(t, y[0], p[0]), events.due if events else np.inf, self.next_break(t, y[0], p[0]))
            marks = np.concatenate(
                [p[0, modes][list(conditions.watched_modes)], events.now[list(conditions.watched_triggers)] if events else []]
            )
            quick = quick + 1 if t - last <= 4 * max(_QUICK * end, window) else 0
            window, last = 0.0, t
            if quick > _QUICK_CHANGES:  # slides along a condition: it is looked at again only after a short time
                window = _QUICK * end * 2.0 ** min(quick - _QUICK_CHANGES, _LONGEST_WINDOW)
                marks, stop = marks[:0], min(stop, t + window)
            real[0, steps.STOP], real[0, steps.T] = stop, t
            if changed or whole[0, steps.STATUS] == steps.CROSSED or stop < end:
                real[0, steps.H] = 0.0
            self.advance(y, p, marks, out, scale, real, whole)
            t = float(real[0, steps.T])

    def begin(self, y: np.ndarray, p: np.ndarray) -> None:
        """Before the first step of one set: look for what changes in time beyond what is solved for."""
        conditions = self.equations.conditions
        self.curved = curved_breaks(self.system.graph, conditions.curved, p, float(self.grid[-1])) if conditions.curved else np.zeros(0)

    def look_back(self, t: float, y: np.ndarray, p: np.ndarray) -> None:
        """Bring what a model remembers into p."""

    def next_break(self, t: float, y: np.ndarray, p: np.ndarray) -> float:
        """The next time at which a curved condition of time changes, or something from the past is felt."""
        close = 1e-12 * float(self.grid[-1])  # of a change that was already found within a step
        ahead = self.curved[np.searchsorted(self.curved, t + close, side="right") :]
        return float(ahead[0]) if len(ahead) else np.inf

    def jumped(self, t: float) -> None:
        """The state was changed at time t, or how it moves."""

    def happen(self, events: Events | None, t: float, y: np.ndarray, p: np.ndarray) -> bool:
        """Execute what is due; returns whether y was changed."""
        if events is None or not events.happen(t, y, p):
            return False
        y[:] = self.system.settle(t, y, p)
        return True

    def hand_out(self, t: float, y: np.ndarray, out: np.ndarray, whole: np.ndarray) -> None:
        """The state at exactly this time."""
        while whole[0, steps.NEXT] < len(self.grid) and self.grid[whole[0, steps.NEXT]] <= t:
            out[0, whole[0, steps.NEXT]] = y[0]
            whole[0, steps.NEXT] += 1
