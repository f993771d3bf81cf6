"""Exact runs with events at times that are known: between two of them nothing but reactions happens, so that the lanes take all
trajectories of a block from one to the next, and there the assignments are computed for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.lanes import LaneProgram, lane_program
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.lane_runs import LaneRuns
from sciml.biology.simulation.molecules import Molecules, whole_after
from sciml.biology.simulation.timed_events import Kick, timed_kicks
from sciml.errors import ConfigError
from sciml.seeding import derive

__all__ = ["Stages", "stages_of"]


@dataclass(frozen=True)
class Stage:
    """From one event to the next. `times` count from `begin`, its end among them; they are the records `first`, ..., `last` - 1."""

    begin: float
    times: np.ndarray
    first: int
    last: int
    kick: Kick | None


@dataclass(frozen=True)
class Stages:
    """`between`: the process without events, where states that only they change are parameters. `kinds`: the arithmetics that were used."""

    molecules: Molecules
    between: Jumps
    program: LaneProgram
    stages: tuple[Stage, ...]
    stream: int
    rounds: bool
    kinds: set[str] = field(default_factory=set)

    def run(
        self, first: int, start: np.ndarray, rows: np.ndarray, skipped: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray
    ) -> None:
        """As `LaneRuns.run`; where the user stops it in a stage before the last, none of the trajectories is done."""
        jumps, before = self.molecules.jumps, int(signals[1])
        real = np.flatnonzero(~np.array(jumps.counted))
        model = JumpModel(replace(self.molecules, parameters=rows))
        y = np.array(np.broadcast_to(start, (len(out), out.shape[2])), dtype=float)
        for number, stage in enumerate(self.stages):
            states, ended = self._through(number, first, y, rows, skipped, signals)
            part = slice(max(stage.first - skipped, 0), max(stage.last - skipped, 0))
            out[:, part] = states[:, : part.stop - part.start]
            out[:, part, real] = y[:, None, real]
            if stage.kick is None:
                done[:] = ended
                return
            if not ended.all():
                return
            signals[1] = before
            y[:, jumps.counted] = states[:, -1, jumps.counted]
            y = whole_after(jumps, stage.kick.applied(model, y), stage.kick.time, self.rounds)
        done[:] = 1
        signals[1] = before + len(out)

    def _through(
        self, number: int, first: int, y: np.ndarray, rows: np.ndarray, skipped: int, signals: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(states [n, T, s] at the times of a stage from record `skipped` on, which are done [n]) from states y at its beginning."""
        stage = self.stages[number]
        within = min(max(skipped - stage.first, 0), stage.last - stage.first)
        states = np.empty((len(y), len(stage.times) - within, y.shape[1]), dtype=np.int64)
        ended = np.zeros(len(y), dtype=np.uint8)
        if len(self.between.extra) > len(self.molecules.jumps.extra):
            real = [s for s, whole in enumerate(self.molecules.jumps.counted) if not whole]
            rows = np.concatenate([np.broadcast_to(rows, (len(y), rows.shape[1])), y[:, real]], axis=1)
        lanes = LaneRuns(self.between, self.program, stage.times, derive(self.stream, "stage", number), self.rounds, stage.begin)
        lanes.run(first, y, rows, within, states, ended, signals)
        self.kinds.update(lanes.kinds)
        return states, ended


def stages_of(molecules: Molecules, times: np.ndarray, stream: int, rounds: bool) -> Stages | None:
    """The stages of a run to the last of `times`; None where its events are not all known before, or lanes are not for it.

    Where trajectories differ in their parameters, triggers may name none: a trajectory must not depend on what others are run with it.
    """
    jumps = molecules.jumps
    system = jumps.system
    if not jumps.events or jumps.flows or jumps.timed:
        return None
    if not all(system.timed(e) and e.delay is None and e.priority is None for e in system.events):
        return None
    named = [system.parameters[p] for p in system.graph.leaves([e.trigger for e in system.events], "param")]
    if molecules.raw.ndim > 1 and not all(label.startswith("#") for label in named):  # numbers of the formulas are the same in all
        return None
    between = _between(jumps)
    program = lane_program(between)
    if program is None:
        return None
    try:
        kicks = timed_kicks(JumpModel(molecules), float(times[-1]))
    except ConfigError:  # those that tie, and those that are looked for: one trajectory after the other
        return None
    return Stages(molecules, between, program, _stages(kicks, times), stream, rounds)


def _between(jumps: Jumps) -> Jumps:
    """The process between events, with the states that only they change behind its parameters."""
    graph, real = jumps.graph, [s for s, whole in enumerate(jumps.counted) if not whole]
    count = len(jumps.system.parameters) + len(jumps.extra)
    change = {graph.leaf("state", s): graph.leaf("param", count + j) for j, s in enumerate(real)}
    nodes = graph.substitute([c.node for c in jumps.channels], change)
    channels = tuple(replace(c, node=node) for c, node in zip(jumps.channels, nodes, strict=True))
    extra = jumps.extra + (0.0,) * len(real)
    return replace(jumps, channels=channels, events=(), counted=(True,) * len(jumps.counted), extra=extra)


def _stages(kicks: list[Kick], times: np.ndarray) -> tuple[Stage, ...]:
    found: list[Stage] = []
    begin, first = 0.0, 0
    for kick in kicks:
        last = int(np.searchsorted(times, kick.time, side="right" if kick.late else "left"))
        found.append(Stage(begin, np.append(times[first:last], kick.time) - begin, first, last, kick))
        begin, first = kick.time, last
    if first < len(times):
        found.append(Stage(begin, times[first:] - begin, first, len(times), None))
    return tuple(found)
