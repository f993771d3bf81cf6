"""Events by the rules of SBML level 3 version 2, section 4.11: for deterministic and for stochastic runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sciml.biology.kernels.native import Native, native
from sciml.biology.kernels.system import System
from sciml.errors import DataError
from sciml.seeding import derive, numpy_generator

__all__ = ["EventFunctions", "Events", "event_functions"]


@dataclass(frozen=True)
class EventFunctions:
    """The formulas of a system's events, compiled. `values[e]`, `volumes[e]`: one number per assignment of event e (a volume of 1 where the
    assignment is no concentration); `delays[e]` and `priorities[e]` are None where the event has none."""

    system: System
    triggers: Native
    delays: tuple[Native | None, ...]
    priorities: tuple[Native | None, ...]
    values: tuple[Native, ...]
    volumes: tuple[Native | None, ...]


def event_functions(system: System, parameters: int | None = None) -> EventFunctions:
    """Compile the events of a system; lags follow `parameters` numbers in p (default: the system's own)."""
    g, events = system.graph, system.events
    count = len(system.parameters) if parameters is None else parameters
    one = g.const(1.0)

    def optional(node: int | None) -> Native | None:
        return None if node is None else native(g, [node], count)

    return EventFunctions(
        system,
        triggers=native(g, [e.trigger for e in events], count),
        delays=tuple(optional(e.delay) for e in events),
        priorities=tuple(optional(e.priority) for e in events),
        values=tuple(native(g, [node for _, node, _ in e.assignments], count) for e in events),
        volumes=tuple(
            native(g, [one if volume is None else volume for _, _, volume in e.assignments], count)
            if any(volume is not None for _, _, volume in e.assignments)
            else None
            for e in events
        ),
    )


@dataclass
class _Pending:
    event: int
    time: float
    values: np.ndarray | None


class Events:
    """The events of one run: which triggers were true, and what waits to be executed.

    `now` are the values of the triggers [E] as 0.0 and 1.0. Call `happen` at the start and whenever a trigger may have changed or the time
    `due` has come. Ties are drawn from the stream of the seed, and of `trajectory` where there are many.
    """

    def __init__(self, functions: EventFunctions, seed: int = 0, trajectory: int | None = None) -> None:
        self.functions, self.seed, self.trajectory = functions, seed, trajectory
        self.events = functions.system.events
        self.now = np.array([float(e.initial_value) for e in self.events])
        self.executed = np.zeros(len(self.events), dtype=np.int64)
        self._pending: list[_Pending] = []

    @cached_property
    def _choice(self) -> np.random.Generator:
        seed = self.seed if self.trajectory is None else derive(self.seed, self.trajectory)
        return numpy_generator(seed, "events that tie")

    @property
    def due(self) -> float:
        """When the next event that waits will be executed; infinity for none."""
        return min((p.time for p in self._pending), default=np.inf)

    def happen(self, t: float, y: np.ndarray, p: np.ndarray) -> bool:
        """Execute at time t all that is due, one at a time, triggers looked at again after each. Changes y; returns whether it did.

        Of several the one with the highest priority comes first, priorities computed at that moment; those that tie, and those that have
        none, come in random order, after those that have one. Raises DataError where a delay is negative or events never come to an end.
        """
        changed = False
        for _ in range(100_000):
            self._look(t, y, p)
            waiting = [item for item in self._pending if item.time <= t]
            if not waiting:
                return changed
            chosen = waiting[0] if len(waiting) == 1 else self._first(waiting, t, y, p)
            self._pending.remove(chosen)
            self._execute(chosen, t, y, p)
            changed = True
        names = ", ".join(repr(self.events[i].id) for i in np.argsort(-self.executed)[:2])
        raise DataError(f"{self.functions.system.network.id}: at time {t:g} the events {names} trigger each other without end")

    def _look(self, t: float, y: np.ndarray, p: np.ndarray) -> None:
        """Triggers that turned true are put into the queue; those that turned false take back what is not persistent."""
        found = self.functions.triggers(t, y, p)
        values = ((found != 0) & (found == found)).astype(float)  # no number is not true
        before, self.now = self.now, values
        for e in np.flatnonzero(values != before):
            if values[e]:
                self._pending.append(self._triggered(int(e), t, y, p))
            elif not self.events[e].persistent:
                self._pending = [item for item in self._pending if item.event != e]

    def _triggered(self, e: int, t: float, y: np.ndarray, p: np.ndarray) -> _Pending:
        delay = self.functions.delays[e]
        wait = 0.0 if delay is None else float(delay(t, y, p)[0])
        if not wait >= 0:
            name = self.functions.system.network.id
            raise DataError(f"{name}: event {self.events[e].id!r}: its delay is {wait:g} at time {t:g}, expected a time >= 0")
        values = self.functions.values[e](t, y, p) if self.events[e].values_at_trigger else None
        return _Pending(e, t + wait, values)

    def _first(self, waiting: list[_Pending], t: float, y: np.ndarray, p: np.ndarray) -> _Pending:
        ranks = []
        for item in waiting:
            priority = self.functions.priorities[item.event]
            ranks.append(-np.inf if priority is None else np.nan_to_num(float(priority(t, y, p)[0]), nan=-np.inf))
        best = [item for item, rank in zip(waiting, ranks, strict=True) if rank == max(ranks)]
        return best[int(self._choice.integers(len(best)))] if len(best) > 1 else best[0]

    def _execute(self, item: _Pending, t: float, y: np.ndarray, p: np.ndarray) -> None:
        """Make the assignments; concentrations become amounts by the volumes after them."""
        e = item.event
        values = self.functions.values[e](t, y, p) if item.values is None else item.values
        volumes = self.functions.volumes[e]
        assignments = self.events[e].assignments
        for (state, _, volume), value in zip(assignments, values, strict=True):
            if volume is None:
                y[state] = value
        if volumes is not None:
            sizes = volumes(t, y, p)
            for (state, _, volume), value, size in zip(assignments, values, sizes, strict=True):
                if volume is not None:
                    y[state] = value * size
        self.executed[e] += 1
