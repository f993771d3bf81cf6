"""Events that fire at times known before the run: for methods that go from one stop to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciml.biology.kernels.system import EventNodes
from sciml.biology.simulation.conditions import after
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.time_breaks import time_breaks
from sciml.errors import ConfigError

__all__ = ["Kick", "timed_kicks"]

_LOOKS = 20_001


@dataclass(frozen=True)
class Kick:
    """An event at a time, or just after it (`late`, as for `time > 5`)."""

    time: float
    event: EventNodes
    late: bool = False

    def applied(self, model: JumpModel, y: np.ndarray) -> np.ndarray:
        """States [n, s] in molecules after the event, all assignments made from those before it."""
        graph, columns = model.jumps.graph, list(model.molecules.parameters.T)
        new = y.copy()
        nodes = [node for _, node, _ in self.event.assignments]
        values = graph.evaluate(nodes, states=list(y.T), params=columns, time=self.time)
        for (state, _, _), value in zip(self.event.assignments, values, strict=True):
            new[:, state] = value
        for state, _, volume in self.event.assignments:
            if volume is not None:
                new[:, state] *= graph.evaluate([volume], states=list(new.T), params=columns, time=self.time)[0]
        return new


def timed_kicks(model: JumpModel, until: float) -> list[Kick]:
    """The events that fire in [0, until], in order. Their triggers depend on time and parameters alone (`jump_model` refuses others).

    Raises ConfigError where cells differ in when, or where two fire at once and it matters which of them comes first.
    """
    events, graph = model.jumps.events, model.jumps.graph
    if not events:
        return []
    named = sorted(model.jumps.system.graph.leaves([e.trigger for e in model.jumps.system.events], "param"))
    raw = np.atleast_2d(model.molecules.raw)
    raw = raw[np.unique(raw[:, named], axis=0, return_index=True)[1]] if named else raw[:1]
    start = model.molecules.start[0] / model.jumps.molecules
    times = np.unique(np.concatenate([time_breaks(model.jumps.system, start, row, np.nextafter(until, np.inf)) for row in raw]))
    columns = list(model.molecules.parameters.T)

    def holds(event: EventNodes, t: float) -> bool:
        found = np.unique(graph.evaluate([event.trigger], params=columns, time=t)[0] != 0)
        if len(found) > 1:
            raise ConfigError(f"{model.name}: event {event.id!r} fires at different times in different cells; simulate_ssa takes it")
        return bool(found[0])

    _require_known(model, events, times, until)
    kicks: list[Kick] = []
    before = {event.id: event.initial_value for event in events}
    for t, late in ((t, late) for t in (0.0, *times.tolist()) for late in (False, True)):
        now = {event.id: holds(event, after(t) if late else t) for event in events}
        firing = [event for event in events if now[event.id] and not before[event.id]]
        _require_any_order(model, firing)
        kicks += [Kick(t, event, late) for event in firing]
        before = now
    return kicks


def _require_any_order(model: JumpModel, firing: list[EventNodes]) -> None:
    """Refuse events at one time of which one sets what another sets or reads."""
    sets = [{state for state, _, _ in event.assignments} for event in firing]
    for event, own in zip(firing, sets, strict=True):
        nodes = [node for _, *pair in event.assignments for node in pair if node is not None]
        touched = own | model.jumps.graph.leaves(nodes, "state")
        for other, theirs in zip(firing, sets, strict=True):
            if other is not event and touched & theirs:
                raise ConfigError(f"{model.name}: events {event.id!r} and {other.id!r} fire at once; simulate_ssa takes them in turn")


def _require_known(model: JumpModel, events: tuple[EventNodes, ...], times: np.ndarray, until: float) -> None:
    """Refuse triggers that change elsewhere than at the times found: those that are not linear in time."""
    graph, columns = model.jumps.graph, list(model.molecules.parameters[0])
    looks = np.linspace(0.0, until, _LOOKS)
    part = np.searchsorted(times, looks, side="left")
    inside = ~np.isin(looks, [0.0, *times])
    for event in events:
        holds = np.broadcast_to(graph.evaluate([event.trigger], params=columns, time=looks)[0] != 0, looks.shape)
        same = part[1:] == part[:-1]
        if (same & inside[1:] & inside[:-1] & (holds[1:] != holds[:-1])).any():
            raise ConfigError(f"{model.name}: when event {event.id!r} fires is not linear in time; simulate_ode finds it")
