"""A network as a jump process with its start, as the methods beside exact simulation need it: changes as a matrix, rates of many states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.jumps import Jumps, compile_jumps
from sciml.biology.network import Network
from sciml.errors import ConfigError, DataError

__all__ = ["JumpModel", "jump_model"]


@dataclass(frozen=True)
class JumpModel:
    """`start` [s] or [n, s] in molecules, `parameters` [m] or [n, m] of `jumps.graph`, `jumps` with its channels."""

    jumps: Jumps
    start: np.ndarray
    parameters: np.ndarray

    @cached_property
    def changes(self) -> np.ndarray:
        """int64 [R, s]: molecules that one firing of each channel adds."""
        table = np.zeros((len(self.jumps.channels), len(self.jumps.molecules)), dtype=np.int64)
        for row, channel in zip(table, self.jumps.channels, strict=True):
            for state, by in channel.change:
                row[state] = by
        return table

    @property
    def nodes(self) -> list[int]:
        """A node per channel: its propensity, zero where it lacks what it takes."""
        graph, found = self.jumps.graph, []
        for channel in self.jumps.channels:
            node = channel.node
            for state, taken in channel.needs:
                enough = graph.op("leq", graph.const(float(taken)), graph.leaf("state", state))
                node = graph.op("select", enough, node, graph.const(0.0))
            found.append(node)
        return found

    def rates(self, states: np.ndarray, parameters: np.ndarray | None = None) -> np.ndarray:
        """[n, R]: propensities in states [n, s]; a law that is negative there is a DataError with its reaction."""
        p = self.parameters if parameters is None else parameters
        columns = self.jumps.graph.evaluate(self.nodes, states=list(np.asarray(states, dtype=float).T), params=list(p))
        found = np.stack([np.broadcast_to(c, len(states)) for c in columns], axis=1) if columns else np.zeros((len(states), 0))
        bad = ~(np.isfinite(found) & (found >= 0))
        if bad.any():
            i, r = np.argwhere(bad)[0]
            where = ", ".join(f"{id} = {v:g}" for id, v in zip(self.jumps.system.states, states[i], strict=True))
            names = ", ".join(repr(n) for n in self.jumps.channels[r].names)
            raise DataError(
                f"{self.jumps.system.network.id}: the propensity of {names} is {found[i, r]!r} at {where}, expected a number >= 0"
            )
        return np.asarray(found)

    def described(self) -> dict[str, Any]:
        """What a law of counts needs to say what its states mean."""
        own = self.parameters[..., : len(self.jumps.system.parameters)]
        return {"system": self.jumps.system, "parameters": own, "molecules": self.jumps.molecules, "notes": self.jumps.notes}


def jump_model(
    network: Network, method: str, parameters: Mapping[str, Any] | None = None, *, timed: bool = False, single: bool = False
) -> JumpModel:
    """The jump process of a network. What `method` cannot do is refused: events, rate rules and, unless `timed`, laws that name time.

    `single`: parameters are one number each, not arrays.
    """
    system = system_of(network)
    y, p = system.begin(parameters)
    if single and y.ndim > 1:
        raise ConfigError(f"{method}: parameters: found a batch, expected one number each")
    jumps = compile_jumps(system, p, y, {}, 1.0)
    faults = [f"event {e.id!r}" for e in jumps.events] + [f"the rate rule of {system.states[s]!r}" for s, _ in jumps.flows]
    if not timed:
        faults += [f"time in the law of {', '.join(c.names)}" for c in jumps.channels if jumps.graph.leaves([c.node], "time")]
    if faults:
        raise ConfigError(f"{network.id}: {method} does not know {'; '.join(faults)}; simulate_ssa does")
    start = np.rint(y * jumps.molecules)
    return JumpModel(jumps, start, jumps.parameters(p))
