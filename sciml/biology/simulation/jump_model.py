"""A network as a jump process with its start, as the methods beside exact simulation need it: changes as a matrix, rates of many states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypedDict, Unpack

import numpy as np

from sciml.biology.expressions import Expression
from sciml.biology.formula import as_expression, infix
from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.lowering import Lowering
from sciml.biology.kernels.system import System
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.molecules import Molecules, in_molecules
from sciml.errors import ConfigError, DataError

__all__ = ["CountingOptions", "JumpModel", "jump_model", "observed"]


class CountingOptions(TypedDict, total=False):
    """How amounts become molecules; as in `simulate_ssa`."""

    initial: Literal["round", "stochastic"] | None
    substance: Literal["item", "mole"] | None
    split_reversible: bool
    discrete_mass_action: bool


@dataclass(frozen=True)
class JumpModel:
    """The jump process of a network with its start and parameters, one row for all trajectories or one each."""

    molecules: Molecules

    @property
    def jumps(self) -> Jumps:
        """Channels, their graph."""
        return self.molecules.jumps

    @property
    def name(self) -> str:
        """The network's id."""
        return self.jumps.system.network.id

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
        """A node per channel: its propensity."""
        return [channel.node for channel in self.jumps.channels]

    @property
    def macroscopic(self) -> list[int]:
        """A node per channel with X^m for X (X - 1) ... where mass action is declared: the limit of many molecules."""
        graph = self.jumps.graph
        declared = {r.id for r in self.jumps.system.network.reactions if r.mass_action}
        change = {}
        for n, (op, args) in enumerate(zip(graph.ops, graph.args, strict=True)):
            if op == "sub" and graph.ops[args[0]] == "state" and (graph.constant(args[1]) or 0.0) >= 1.0:
                change[n] = args[0]
        return [graph.substitute([c.node], change)[0] if declared.issuperset(c.names) else c.node for c in self.jumps.channels]

    def rates(self, states: np.ndarray) -> np.ndarray:
        """[n, R]: propensities in states [n, s] with the first row of parameters; one that is negative is a DataError with its reaction."""
        columns = self.jumps.graph.evaluate(
            self.nodes, states=list(np.asarray(states, dtype=float).T), params=list(self.molecules.parameters[0])
        )
        found = np.stack([np.broadcast_to(c, len(states)) for c in columns], axis=1) if columns else np.zeros((len(states), 0))
        bad = ~(np.isfinite(found) & (found >= 0))
        bad |= (found > 0) & ((states[:, None, :] + self.changes) < 0).any(axis=2)
        if bad.any():
            i, r = np.argwhere(bad)[0]
            raise self.refused(int(r), states[i], float(found[i, r]))
        return np.asarray(found)

    def rates_unchecked(self, state: np.ndarray, trajectory: int) -> np.ndarray:
        """[R]: propensities in one state of one trajectory, whatever they are."""
        rows = self.molecules.parameters
        found = self.jumps.graph.evaluate(self.nodes, states=list(state), params=list(rows[trajectory % len(rows)]))
        return np.array([float(v) for v in found])

    def in_molecules(self, node: int) -> int:
        """A node of the system as a node of `jumps.graph`, whose states are molecules."""
        graph, unit = self.jumps.graph, self.jumps.molecules

        def leaf(kind: str, index: int) -> int:
            found = graph.leaf(kind, index)
            return found if kind != "state" else graph.times(found, graph.const(1.0 / unit[index]))

        return self.jumps.system.graph.copy_into(graph, [node], leaf)[0]

    def sparse_changes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(starts [R + 1], states, molecules as float): channel r changes states[starts[r]:starts[r + 1]]."""
        pairs = [channel.change for channel in self.jumps.channels]
        starts = np.cumsum([0, *(len(p) for p in pairs)]).astype(np.int64)
        flat = np.array([x for p in pairs for x in p], dtype=np.int64).reshape(-1, 2)
        return starts, flat[:, 0].copy(), flat[:, 1].astype(float)

    def rows(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(starts, parameters) of trajectories first, first + 1, ...: one row for all of them, or one each."""
        m = self.molecules
        start, p = (a[first : first + count] if len(a) > 1 else a for a in (m.start, m.parameters))
        return np.ascontiguousarray(start, dtype=float), np.ascontiguousarray(p, dtype=float)

    def refused(self, channel: int, state: np.ndarray, rate: float) -> DataError:
        """The error for a propensity that cannot be: negative, no number, or positive where molecules are lacking."""
        where = ", ".join(f"{id} = {v:g}" for id, v in zip(self.jumps.system.states, state, strict=True))
        names = ", ".join(repr(n) for n in self.jumps.channels[channel].names)
        wanted = "0, since it takes more than there is" if rate > 0 else "a number >= 0"
        return DataError(f"{self.name}: the propensity of {names} is {rate:g} at {where}, expected {wanted}")

    def described(self) -> dict[str, Any]:
        """What a law of counts needs to say what its states mean."""
        m = self.molecules
        raw = m.raw if m.raw.ndim == 1 else m.raw[0]
        return {"system": self.jumps.system, "parameters": raw, "molecules": self.jumps.molecules, "notes": m.notes}


def jump_model(
    network: Network,
    method: str,
    *,
    n: int = 1,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    timed: bool = False,
    single: bool = False,
    real: bool = False,
    stops: bool = False,
    signed: bool = False,
    **counting: Unpack[CountingOptions],
) -> JumpModel:
    """The jump process of a network. What `method` cannot do is refused: events, rate rules and, unless `timed`, laws that name time.

    `single`: one start, not one drawn by chance. `real`: amounts are real numbers, so the start need not be whole. `stops`: the method
    stops for events at known times, without delay and priority. `signed`: real starts may lie below zero, as a Langevin run leaves them.
    """
    if single and counting.get("initial") == "stochastic":
        raise ConfigError(f"initial: {method} begins at one state; found 'stochastic', expected None or 'round'")
    real = real and counting.get("initial") is None
    found = in_molecules(network, n, seed, parameters=parameters, whole=not real, signed=signed, **counting)
    jumps = found.jumps
    known = [stops and jumps.system.timed(e) and e.delay is None and e.priority is None for e in jumps.system.events]
    faults = [f"event {e.id!r}" for e, fine in zip(jumps.events, known, strict=True) if not fine]
    faults += [f"the rate rule of {jumps.system.states[s]!r}" for s, _ in jumps.flows]
    if not timed:
        faults += [f"time in the law of {', '.join(c.names)}" for c in jumps.channels if jumps.graph.leaves([c.node], "time")]
    if faults:
        raise ConfigError(f"{network.id}: {method} does not know {'; '.join(faults)}; simulate_ssa does")
    return JumpModel(found)


def observed(system: System, quantity: str | Expression) -> int:
    """The node of a formula on ids of the model, in the system's graph. Raises ConfigError for an unknown id."""
    expression = as_expression(quantity)

    def resolve(id: str) -> int:
        if id not in system.values:
            raise ConfigError(f"{infix(expression)}: {id!r} is no symbol of {system.network.id!r}{nearest(id, system.values)}")
        return system.values[id]

    def refused(*_: Any) -> int:
        raise ConfigError(f"{infix(expression)}: rateOf and delay are not known here")

    functions = {f.id: f for f in system.network.functions}
    lowering = Lowering(system.graph, functions, resolve=resolve, rate_of=refused, delayed=refused, number=system.graph.const)
    return lowering.lower(expression)
