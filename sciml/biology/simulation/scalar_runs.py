"""Trajectories in double precision: whatever the lanes cannot do, with events, time and rate rules.

Between stops a trajectory runs in compiled loops. It stops where something linear in time changes (`conditions`), where an event that waits
is due, and where a trigger changed; there the events are executed as in deterministic runs. Events that do no more than to set states to
what other states say are executed in the loop.
"""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.compiled import made_once
from sciml.biology.kernels.jumps import Jumps
from sciml.biology.simulation.conditions import Conditions, after, conditions_of
from sciml.biology.simulation.draws import begin_stream
from sciml.biology.simulation.events import EventFunctions, Events, event_functions
from sciml.biology.simulation.molecules import whole_after
from sciml.biology.simulation.scalar_table import EVERY, TRIGGERS, scalar_table, size, tree_size
from sciml.biology.simulation.time_breaks import curved_breaks
from sciml.errors import DataError

__all__ = ["ScalarRuns"]

_MOST_BREAKS = 1_000_000


class ScalarRuns:
    """The tables of a jump process and what runs them. `rounds`: what an event leaves is rounded to whole molecules, not refused;
    `begin`: the time from which all times here count, for what is said."""

    def __init__(self, jumps: Jumps, times: np.ndarray, stream: int, rounds: bool, begin: float = 0.0) -> None:
        self.jumps, self.times, self.stream, self.rounds, self.begin = jumps, times, stream, rounds, begin
        self.table = scalar_table(jumps)
        self.nodes = tree_size(len(jumps.channels))
        self.events: EventFunctions | None = made_once(jumps.system, "events", event_functions) if jumps.events else None
        self.timed = jumps.timed or bool(jumps.flows)
        self.conditions: Conditions | None = None
        self.look = False
        if self.timed or self.events:
            self.conditions = made_once(jumps.system, "conditions", conditions_of)
            self.look = self._triggers_drift()
        self.looks_again = bool(jumps.graph.leaves([e.trigger for e in jumps.events], "time")) or self.timed
        self._breaks: dict[bytes, list[float]] = {}

    kinds = frozenset(("scalar64",))

    def run(
        self, first: int, start: np.ndarray, rows: np.ndarray, skipped: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray
    ) -> int:
        """Trajectories `first`, `first + 1`, ... from `start` with parameters `rows`, one each or one for all; records from `skipped` on
        go to `out` [n, T, s]. Returns the number of jumps. Raises DataError for a propensity that is negative or no number and for a
        reaction that lacks what it takes."""
        left = np.zeros((len(out), out.shape[2] + 2))
        left[:, 2:] = start
        return self.go_on(first, left, rows, skipped, out, done, signals)

    def go_on(
        self, first: int, left: np.ndarray, rows: np.ndarray, skipped: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray
    ) -> int:
        """As `run` from `left` [n, s + 2]: time (NaN: there is nothing to do), next record, state."""
        rows = np.ascontiguousarray(rows)  # compiled laws read a row at its address
        if self.conditions is None:
            return self._plain(first, left, rows, skipped, out, done, signals)
        jumps = 0
        for k in np.flatnonzero(~np.isnan(left[:, 0])):
            if signals[0]:
                break
            trajectory = _Trajectory(self, first + int(k), left[k], rows[k if len(rows) > 1 else 0], skipped, out[k], signals)
            if trajectory.run():
                done[k] = 1
                signals[1] += 1
            jumps += int(trajectory.place[2])
        return jumps

    def _plain(
        self, first: int, left: np.ndarray, rows: np.ndarray, skipped: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray
    ) -> int:
        from sciml.biology.simulation.scalar_loops import DONE, STOPPED, run_plain

        place, clock = np.zeros(3, dtype=np.int64), np.zeros(4)
        ended = run_plain(
            self.table, self.nodes, np.uint64(self.stream), first, left, rows, self.times, skipped, out, done, place, clock, signals
        )
        if ended not in (DONE, STOPPED):
            k = int(place[0])
            raise self.failure(ended, int(place[1]), first + k, clock[0], left[k, 2:], rows[k if len(rows) > 1 else 0])
        return int(place[2])

    def failure(self, ended: int, channel: int, trajectory: int, t: float, y: np.ndarray, p: np.ndarray) -> DataError:
        """What went wrong, with reaction, state and time."""
        from sciml.biology.simulation.scalar_loops import BROKEN, LACKING

        jumps, name = self.jumps, self.jumps.system.network.id
        where = f"at time {self.begin + t:.6g} of trajectory {trajectory}"
        state = ", ".join(f"{id} = {v:.10g}" for id, v in list(zip(jumps.system.states, y, strict=True))[:12])
        if ended not in (BROKEN, LACKING):
            return DataError(f"{name}: the rate rules cannot be followed beyond {where}: {state}")
        reactions = " and ".join(repr(n) for n in jumps.channels[channel].names)
        if ended == LACKING:
            twice = any(least > 1 for _, least in jumps.channels[channel].needs)
            hint = "; discrete_mass_action=True takes k S^2 as k S (S - 1)" if twice else ""
            return DataError(f"{name}: reaction {reactions} {where}: its law is above zero, but what it takes is not there ({state}){hint}")
        node = jumps.channels[channel].node
        value = float(jumps.graph.evaluate([node], states=list(y), params=list(p), time=t)[0])
        return DataError(f"{name}: reaction {reactions} {where}: its propensity is {value:g}, expected a finite number >= 0 ({state})")

    def breaks(self, y: np.ndarray, p: np.ndarray) -> list[float]:
        """Times up to the last record at which a comparison or rounding of time changes."""
        key = p.tobytes()
        if key not in self._breaks:
            nodes = [*(c.node for c in self.jumps.channels), *(e.trigger for e in self.jumps.events)]
            curved = curved_breaks(self.jumps.graph, nodes, p, float(self.times[-1]))
            self._breaks[key] = sorted({*self._computed_breaks(y, p), *curved.tolist()})
        return self._breaks[key]

    def _computed_breaks(self, y: np.ndarray, p: np.ndarray) -> list[float]:
        c = self.conditions
        if c is None or c.clock is None:
            return []
        extended = np.zeros(max(c.parameters, len(p)))
        own = len(self.jumps.system.parameters)
        extended[:own] = p[:own]
        found: list[float] = []
        t = 0.0
        while len(found) < _MOST_BREAKS:
            if c.modes is not None:
                extended[own : own + c.count] = c.modes(after(t), y, extended)
            t = c.next_change(t, y, extended)
            if t > self.times[-1]:
                return found
            found.append(t)
        raise DataError(f"{self.jumps.system.network.id}: more than {_MOST_BREAKS} changes in time before {self.times[-1]:g}")

    def _triggers_drift(self) -> bool:
        """Whether a trigger may change between jumps other than at the break points."""
        g, c = self.jumps.graph, self.conditions
        moving = {state for state, _ in self.jumps.flows}
        watched = set(c.watched_triggers) if c is not None else set()
        for index, event in enumerate(self.jumps.events):
            if g.leaves([event.trigger], "state") & moving:
                return True
            if not g.leaves([event.trigger], "time"):
                continue
            if not g.leaves([event.trigger], "state"):
                if index in watched:
                    return True
                continue
            compared = [n for n in g.reach([event.trigger]) if g.ops[n] in ("lt", "leq", "eq", "neq")]
            if any(g.leaves([n], "time") and g.leaves([n], "state") for n in compared):
                return True
        return False


class _Trajectory:
    """One trajectory with stops."""

    def __init__(
        self, runs: ScalarRuns, index: int, left: np.ndarray, p: np.ndarray, skipped: int, out: np.ndarray, signals: np.ndarray
    ) -> None:
        self.runs, self.index, self.p, self.skipped, self.out, self.signals = runs, index, p, skipped, out, signals
        self.y = left[2:].copy()
        self.raw = self.p[: len(runs.jumps.system.parameters)]
        table = runs.table
        self.w, self.tree = np.empty(size(table, EVERY)), np.zeros(runs.nodes)
        self.triggers = table[table[TRIGGERS] : table[TRIGGERS + 1]]
        self.before = np.zeros(size(table, TRIGGERS))
        self.place = np.array([int(left[1]), -1, 0], dtype=np.int64)
        self.clock = np.array([left[0], np.inf, 0.0, 0.0])
        self.stream = begin_stream(np.uint64(runs.stream), index, 1)
        self.events = Events(runs.events, int(runs.stream), index) if runs.events else None
        self.inverse = 1.0 / runs.jumps.molecules

    def run(self) -> bool:
        """To the last record; False where the user stopped it."""
        from sciml.biology.simulation.scalar_loops import DONE, REACHED, STOPPED, TRIGGERED

        runs = self.runs
        stops = [t for t in runs.breaks(self.y * self.inverse, self.p) if t > self.clock[0]]
        last = runs.times[-1]
        self._records_at(self.clock[0])
        while True:
            t = self.clock[0]
            while stops and stops[0] <= t:
                stops.pop(0)
            due = self.events.due if self.events else np.inf
            until = min(stops[0] if stops else np.inf, due, last)
            self._prepare(t, until)
            ended = self._advance(until)
            if ended == DONE or (ended == REACHED and self._records_at(until)):
                return True
            if ended == STOPPED:
                return False
            if ended not in (REACHED, TRIGGERED):
                raise runs.failure(ended, int(self.place[1]), self.index, self.clock[0], self.y, self.p)

    def _advance(self, until: float) -> int:
        from sciml.biology.simulation.scalar_flow import PAIR, flow
        from sciml.biology.simulation.scalar_loops import TRIGGERED, jump

        runs = self.runs
        common = (runs.table, self.w, self.tree, self.y, self.p, self.stream, self.before, self.place, self.clock, until, runs.times)
        if until <= self.clock[0]:
            ended = 0
        elif runs.timed or runs.look:
            ended = int(flow(PAIR, *common, self.skipped, self.out, self.signals, runs.look))
        else:
            ended = int(jump(*common, self.skipped, self.out, self.signals))
            if self.events:  # those that happened in the loop were seen there
                self.events.now = ((self.before != 0) & (self.before == self.before)).astype(float)
        if ended == TRIGGERED:
            self._look(self.clock[0])
        return ended

    def _records_at(self, t: float) -> bool:
        """Events at a stop, then records at that very time, then what holds just after; whether that was the last record."""
        times, place = self.runs.times, self.place
        self._look(t)
        while place[0] < len(times) and times[place[0]] <= t:
            if place[0] >= self.skipped:
                self.out[place[0] - self.skipped] = self.y
            place[0] += 1
        if self.runs.looks_again:  # what turns true just after t, as `time > 5` does
            self._look(after(t))
        return bool(place[0] == len(times))

    def _look(self, t: float) -> None:
        """Let the events happen at time t."""
        if self.events is None:
            return
        y = self.y * self.inverse
        if self.events.happen(t, y, self.raw):
            self.y[:] = whole_after(self.runs.jumps, (y * self.runs.jumps.molecules)[None], t, self.runs.rounds)[0]

    def _prepare(self, t: float, until: float) -> None:
        """Everything computed anew just after t."""
        from sciml.biology.simulation.scalar_loops import BROKEN, begin

        self.clock[2] = after(t)
        self.clock[3] = max(self.clock[2], until - 1e-15 * until) if np.isfinite(until) else np.inf
        self.clock[1] = min(self.clock[1], 0.1 * (until - t)) if until > t else self.clock[1]
        bad = begin(self.runs.table, self.w, self.tree, self.clock[2], self.y, self.p)
        if bad >= 0:
            raise self.runs.failure(BROKEN, bad, self.index, t, self.y, self.p)
        self.before[:] = self.w[self.triggers]
