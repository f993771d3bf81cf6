"""Why a deterministic run could not go on: the first value that is not finite, or the state that allows no step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sciml.biology.kernels.system import System
from sciml.errors import ConvergenceError, DataError, SciMLError

__all__ = ["explained"]


def explained(system: System, nodes: Sequence[int], t: float, y: np.ndarray, p: np.ndarray, worst: int) -> SciMLError:
    """The error to raise for a run that stopped at time t in state y: DataError for a number that is not finite, else ConvergenceError."""
    name = system.network.id
    g = system.graph
    order = g.reach(nodes)
    lags = list(p[len(p) - len(system.lags) :]) if system.lags else []
    with np.errstate(all="ignore"):
        values = dict(zip(order, g.evaluate(order, states=list(y), params=list(p), time=t, lags=lags), strict=True))
    for n in order:
        if not np.isfinite(values[n]) and g.ops[n] != "const":
            return DataError(
                f"{name}: at time {t:.9g} {_written(system, n, values)}; it stands in the equation of {_users(system, nodes, n)}"
            )
    state = system.states[worst]
    return ConvergenceError(
        f"{name}: the run stopped at time {t:.9g}: {state!r} (now {y[worst]:.6g}, changing by {float(values[nodes[worst]]):.6g} per time) "
        f"allows no step; its equation may have no solution beyond, or rtol may be too small"
    )


def _written(system: System, n: int, values: dict[int, Any]) -> str:
    """A node that is not finite, with its arguments' values and names."""
    g = system.graph
    parts = [f"{_named(system, a)} = {float(values[a]):.6g}" for a in g.args[n]]
    return f"{g.ops[n]}({', '.join(parts)}) is {float(values[n])}" if parts else f"{_named(system, n)} is {float(values[n])}"


def _named(system: System, n: int) -> str:
    g, index = system.graph, int(system.graph.values[n]) if system.graph.values[n] == system.graph.values[n] else 0
    if g.ops[n] == "state":
        return system.states[index]
    if g.ops[n] == "param":
        return system.parameters[index].lstrip("#") if index < len(system.parameters) else "a condition"
    if g.ops[n] == "time":
        return "time"
    if g.ops[n] == "const":
        return f"{g.values[n]:g}"
    known = [id for id, node in system.values.items() if node == n]
    return known[0] if known else f"{g.ops[n]}(...)"


def _users(system: System, nodes: Sequence[int], n: int) -> str:
    g = system.graph
    states = [system.states[i] for i, node in enumerate(nodes) if n in set(g.reach([node]))]
    reactions = [r.id for r, node in zip(system.network.reactions, system.rates, strict=True) if n in set(g.reach([node]))]
    return ", ".join(map(repr, states[:3])) + (f" (reaction {reactions[0]!r})" if reactions else "")
