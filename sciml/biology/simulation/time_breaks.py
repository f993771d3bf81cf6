"""Times at which laws that name time jump: pulses, steps, recorded inputs. Methods with steps of their own end a step there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sciml.biology.kernels.compiled import made_once
from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.system import System
from sciml.biology.simulation.conditions import after, conditions_of
from sciml.errors import ConfigError

__all__ = ["curved_breaks", "smooth_in_time", "time_breaks"]

_JUMPS = frozenset(("lt", "leq", "eq", "neq", "floor", "ceil", "quotient", "rem"))
_MOST = 100_000
_LOOKS = 20_001


def time_breaks(system: System, start: np.ndarray, parameters: np.ndarray, until: float) -> np.ndarray:
    """[K]: all times in (0, until) at which a comparison or rounding of time changes in a law, for parameters [m].

    They must be linear in time and free of the state, as in `time > 100` or `rem(time, 24) < 8`; ConfigError names a law that is otherwise.
    """
    _refuse(system)
    conditions = made_once(system, "conditions", conditions_of)
    if conditions.clock is None:
        return np.zeros(0)
    m = len(parameters)
    p = np.concatenate([parameters, np.zeros(conditions.count)])
    found: list[float] = []
    t = 0.0
    while True:
        if conditions.modes is not None:
            p[m:] = conditions.modes(after(t), start, p)
        t = conditions.next_change(t, start, p)
        if t >= until:
            break
        found.append(t)
        if len(found) > _MOST:
            raise ConfigError(f"{system.network.id}: its laws jump more than {_MOST} times before {until:g}")
    return np.array(found)


def smooth_in_time(graph: Graph, nodes: Sequence[int]) -> list[int]:
    """Which of these nodes (by position) move with time between the times at which comparisons and roundings of it change."""
    found = []
    for position, node in enumerate(nodes):
        stack, seen = [node], {node}
        while stack:
            n = stack.pop()
            if graph.ops[n] == "time":
                found.append(position)
                break
            if graph.ops[n] not in _JUMPS:
                stack.extend(a for a in graph.args[n] if a not in seen)
                seen.update(graph.args[n])
    return found


def _refuse(system: System) -> None:
    graph = system.graph
    for reaction, rate in zip(system.network.reactions, system.rates, strict=True):
        for n in graph.reach([rate]):
            if graph.ops[n] not in _JUMPS or not graph.leaves([n], "time"):
                continue
            args = graph.args[n]
            guard = graph.op("sub", *args) if graph.ops[n] in ("lt", "leq", "eq", "neq") else args[0]
            slope = partials(graph, [guard], "time")[0].get(0)
            if graph.leaves([guard], "state") or (slope is not None and graph.leaves([slope], "time")):
                raise ConfigError(
                    f"{system.network.id}: reaction {reaction.id!r} compares time in a way that is not linear in time or not free of the "
                    "state; simulate_ssa takes it"
                )


def curved_breaks(graph: Graph, nodes: Sequence[int], parameters: np.ndarray, until: float) -> np.ndarray:
    """[K]: times in (0, until) at which a comparison in these nodes changes that depends on time alone, but is not linear in it.

    Looked for at 20,000 points and refined by halving; what is true for less than until / 20,000 may be missed.
    """
    guards = []
    for n in graph.reach(nodes):
        if (
            graph.ops[n] in ("lt", "leq", "eq", "neq")
            and graph.leaves([n], "time")
            and not (graph.leaves([n], "state") or graph.leaves([n], "lag"))
        ):
            guard = graph.op("sub", *graph.args[n])
            slope = partials(graph, [guard], "time")[0].get(0)
            if slope is not None and graph.leaves([slope], "time"):
                guards.append(guard)
    looks, found = np.linspace(0.0, until, _LOOKS), []
    for guard in guards:
        high = np.broadcast_to(graph.evaluate([guard], params=list(parameters), time=looks)[0] > 0, looks.shape)
        at = np.flatnonzero(high[1:] != high[:-1])
        left, right, was = looks[at], looks[at + 1], high[at]
        for _ in range(60):
            middle = 0.5 * (left + right)
            same = (np.broadcast_to(graph.evaluate([guard], params=list(parameters), time=middle)[0], middle.shape) > 0) == was
            left, right = np.where(same, middle, left), np.where(same, right, middle)
        found.append(right)
    times = np.unique(np.concatenate(found)) if found else np.zeros(0)
    return times[(times > 0) & (times < until)]
