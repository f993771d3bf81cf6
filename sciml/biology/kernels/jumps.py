"""A network as a jump process: channels with whole changes and propensities in molecules, from the system of equations.

A law is taken literally: propensity = its value at the current amounts times reactions per unit of extent. Declared mass action is
k V N prod_s X_s (X_s - 1) ... (X_s - m_s + 1) / (V_s N)^m_s with N molecules per unit, no 1/m!. A law that can be negative and is a
difference of terms that cannot becomes a forward and a backward reaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from sciml.biology.formula import infix
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.propensities import Signs, difference, fixed_nodes, products, vanishes
from sciml.biology.kernels.system import EventNodes, System
from sciml.biology.network import Reaction, Species
from sciml.errors import DataError

__all__ = ["Channel", "Jumps", "compile_jumps"]

_WITNESSES = 256
_WHOLE = 1e-9


@dataclass(frozen=True)
class Channel:
    """Reactions with one and the same change, {state: whole number} as pairs.

    `node`: propensity per time, in `Jumps.graph`. `needs`: (state, molecules) of what it takes and its law alone does not guard. `signed`:
    nothing proves that the propensity is never negative. `names`: ids of its reactions.
    """

    names: tuple[str, ...]
    change: tuple[tuple[int, int], ...]
    node: int
    needs: tuple[tuple[int, int], ...] = ()
    signed: bool = False


@dataclass(frozen=True)
class Jumps:
    """The jump process of a system. Its y holds molecules where the system's holds amounts: y = `molecules` times the system's.

    Its parameters are the system's, then `extra`. `flows`: (state, node of d y / d t) of what moves between jumps by rate rules.
    `events` are the system's on this graph. `notes`: what was split, converted or is worth knowing.
    """

    system: System
    graph: Graph
    channels: tuple[Channel, ...]
    flows: tuple[tuple[int, int], ...]
    events: tuple[EventNodes, ...]
    molecules: np.ndarray
    counted: tuple[bool, ...]
    extra: tuple[float, ...]
    notes: tuple[str, ...] = field(default=())

    def parameters(self, p: np.ndarray) -> np.ndarray:
        """Parameters [..., m] of the system with the extra ones behind them."""
        return np.concatenate([p, np.broadcast_to(np.array(self.extra, dtype=float), (*p.shape[:-1], len(self.extra)))], axis=-1)

    @property
    def timed(self) -> bool:
        """Whether propensities change between jumps: by time itself or by what rate rules move."""
        nodes = [c.node for c in self.channels]
        moving = {state for state, _ in self.flows}
        return bool(self.graph.leaves(nodes, "time") or self.graph.leaves(nodes, "state") & moving)


def compile_jumps(
    system: System,
    p: np.ndarray,
    y0: np.ndarray,
    molecules: Mapping[str, float],
    per_extent: float,
    *,
    split_reversible: bool = True,
    discrete_mass_action: bool = False,
) -> Jumps:
    """The jump process of a system with parameters p [m] or [n, m] and starts y0 [s] or [n, s] in the model's units.

    `molecules`: per unit of each species' amount. Raises DataError that lists everything that cannot be right in whole molecules.
    """
    build = _Build(system, p, y0, molecules, per_extent)
    options = (split_reversible, discrete_mass_action)
    channels = [c for index in range(len(system.network.reactions)) for c in build.channels(index, *options)]
    if build.faults:
        raise DataError(f"{system.network.id}: cannot be simulated in whole molecules: {'; '.join(build.faults)}")
    return Jumps(
        system=system,
        graph=build.graph,
        channels=tuple(_merged(build.graph, channels)),
        flows=build.flows(),
        events=tuple(build.event(e) for e in system.events),
        molecules=build.molecules,
        counted=tuple(s not in build.real for s in range(len(system.states))),
        extra=tuple(build.extra),
        notes=tuple(build.notes),
    )


class _Build:
    """The graph in molecules and what was found wrong on the way."""

    def __init__(self, system: System, p: np.ndarray, y0: np.ndarray, molecules: Mapping[str, float], per_extent: float) -> None:
        self.system, self.per_extent, self.graph = system, per_extent, Graph()
        elements = system.network.elements
        self.molecules = np.array([molecules.get(id, 1.0) if isinstance(elements[id], Species) else 1.0 for id in system.states])
        ruled = {rule.variable for rule in system.network.rules if rule.kind == "rate"}
        ruled |= {system.states[state] for _, state in system.residuals}
        self.real = frozenset(i for i, id in enumerate(system.states) if id in ruled or not isinstance(elements[id], Species))
        self.place = {id: index for index, id in enumerate(system.states)}
        self.extra: list[float] = []
        self._slots: dict[float, int] = {}
        self.of_species = dict(molecules)
        self.faults: list[str] = self._unfit()
        self.notes: list[str] = []
        self._copied: dict[int, int] = {}
        self._p, self._y0 = np.atleast_2d(p), np.atleast_2d(y0)
        self._columns = list(self._p.T)  # one array a parameter, the extra ones behind
        self._signs: Signs | None = None

    # numbers and nodes

    def number(self, value: float) -> int:
        """A factor that depends on units only: the number 1, or a parameter slot, so that units do not change the structure."""
        if value == 1.0:
            return self.graph.const(1.0)
        if value not in self._slots:
            self._slots[value] = len(self.system.parameters) + len(self.extra)
            self.extra.append(value)
            self._signs = None
        return self.graph.leaf("param", self._slots[value])

    def copied(self, node: int) -> int:
        """A node of the system in molecules."""
        if node not in self._copied:
            self._copied[node] = self.system.graph.copy_into(self.graph, [node], self._leaf)[0]
        return self._copied[node]

    def _leaf(self, kind: str, index: int) -> int:
        leaf = self.graph.leaf(kind, index)
        return leaf if kind != "state" else self.graph.times(leaf, self.number(1.0 / self.molecules[index]))

    def values(self, nodes: Sequence[int]) -> list[np.ndarray]:
        """Nodes that depend on parameters alone, for all parameter sets."""
        known = len(self._columns) - self._p.shape[1]
        self._columns += [np.full(len(self._p), value) for value in self.extra[known:]]
        return self.graph.evaluate(nodes, params=self._columns)

    @property
    def signs(self) -> Signs:
        """Signs for the parameters as they are."""
        if self._signs is None:
            p = np.concatenate([self._p, np.broadcast_to(np.array(self.extra), (len(self._p), len(self.extra)))], axis=1)
            self._signs = Signs(self.graph, p, self.real)
        return self._signs

    # channels

    def channels(self, index: int, split: bool, discrete: bool) -> list[Channel]:
        """The channels of one reaction: none where it changes nothing, two where its law is a difference."""
        reaction = self.system.network.reactions[index]
        change = self._change(reaction, self.system.changes[index])
        if reaction.law is None or reaction.fast or not change:
            return []
        node = self._mass_action(reaction, index) if reaction.mass_action else self._literal(reaction, index, discrete)
        node = self.graph.times(node, self.number(self.per_extent))
        if self.system.graph.leaves([self.system.rates[index]], "lag") or self.graph.leaves([node], "unknown"):
            return []  # refused already
        if self.signs.positive(node):
            return [self._channel(reaction.id, change, node)]
        if reaction.mass_action and self._negative_somewhere(node):
            self.faults.append(f"the rate constant of reaction {reaction.id!r}{_at(reaction)} is negative")
            return []
        if not self._negative_somewhere(node) or not split:
            return [replace(self._channel(reaction.id, change, node), signed=True)]
        parts = difference(self.graph, node, self.signs)
        if parts is None:
            self.faults.append(
                f"the law of reaction {reaction.id!r}{_at(reaction)} can be negative and is no difference of terms that cannot: "
                f"{infix(reaction.law)[:80]}{self._below_zero(reaction)}"
            )
            return []
        backward = tuple((s, -n) for s, n in change)
        found = [self._channel(reaction.id, change, parts[0]), self._channel(f"{reaction.id} (backward)", backward, parts[1])]
        for channel in found:
            if channel.needs:
                species = ", ".join(repr(self.system.states[s]) for s, _ in channel.needs)
                law = f"the law of reaction {reaction.id!r}{_at(reaction)}"
                self.faults.append(
                    f"{law} can be negative, and part of it goes on where {species} is used up: "
                    f"{infix(reaction.law)[:80]}{self._below_zero(reaction)}"
                )
        self.notes.append(f"reaction {reaction.id!r}: its net law is split into a forward and a backward reaction")
        return found

    def _below_zero(self, reaction: Reaction) -> str:
        """Which numbers of its law are negative, as in " (k is -1)"."""
        named = set() if reaction.law is None else reaction.law.symbols()
        columns = zip(self.system.parameters, self._columns, strict=False)  # without the extra ones behind
        found = [f"{id} is {np.min(column):g}" for id, column in columns if id in named and np.min(column) < 0]
        return f" ({', '.join(found)})" if found else ""

    def _channel(self, name: str, change: tuple[tuple[int, int], ...], node: int) -> Channel:
        graph = self.graph
        fixed = fixed_nodes(graph)
        exponents = [graph.args[n][1] for n in graph.reach([node]) if graph.ops[n] == "pow"]
        known = [n for n in exponents if fixed[n]]
        positive = {n: bool((v > 0).all()) for n, v in zip(known, self.values(known), strict=True)}
        needs = []
        for state, by in change:
            taken = -by
            if taken > 0 and not all(vanishes(graph, node, state, count, positive) for count in range(min(taken, 9))):
                needs.append((state, taken))
        return Channel((name,), change, node, tuple(needs))

    def _change(self, reaction: Reaction, change: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
        """Whole molecules that one reaction adds to each state."""
        found = []
        graph = self.system.graph
        for state, node in sorted(change.items()):
            id = self.system.states[state]
            if graph.leaves([node], "state") or graph.leaves([node], "time") or graph.leaves([node], "unknown"):
                self.faults.append(f"the stoichiometry of {id!r} in reaction {reaction.id!r}{_at(reaction)} changes in the course of time")
                continue
            per_event = graph.evaluate([node], params=self._columns)[0] * (self.molecules[state] / self.per_extent)
            whole = np.rint(per_event)
            if not (np.abs(per_event - whole) <= _WHOLE * np.maximum(1, np.abs(whole))).all() or np.ptp(whole) != 0:
                shown = float(np.ravel(per_event)[0])
                self.faults.append(f"reaction {reaction.id!r}{_at(reaction)} changes {id!r} by {shown:g} molecules, not by a whole number")
                continue
            if np.ravel(whole)[0]:
                found.append((state, int(np.ravel(whole)[0])))
        return tuple(found)

    def _mass_action(self, reaction: Reaction, index: int) -> int:
        """k V prod_s X (X - 1) ... (X - m + 1) / (V_s N_s)^m, in extents per time."""
        system, g = self.system, self.graph
        rate, inner = system.rates[index], system.graph
        for p in reversed(reaction.reactants):  # take off what was multiplied on, in the order of `Symbols.law`
            concentration = inner.over(system.amounts[p.species], system.volumes[p.species])
            power = inner.op("pow", concentration, inner.const(_order(p.stoichiometry)))
            left, right = inner.args[rate]
            rate = right if left == power else left
        node = self.copied(rate)
        for p in reaction.reactants:
            order = _order(p.stoichiometry)
            if order != round(order):
                self.faults.append(f"reaction {reaction.id!r}{_at(reaction)} takes {order:g} {p.species!r}, not a whole number")
            unit = self.number(self.of_species.get(p.species, 1.0))
            counts = g.times(self.copied(system.amounts[p.species]), unit) if not self._plain(p.species) else self._count(p.species)
            per = g.over(g.over(g.const(1.0), unit), self.copied(system.volumes[p.species]))
            for m in range(int(order)):
                node = g.times(node, g.times(counts if m == 0 else g.op("sub", counts, g.const(float(m))), per))
        return node

    def _plain(self, species: str) -> bool:
        return species in self.place

    def _count(self, species: str) -> int:
        return self.graph.leaf("state", self.place[species])

    def _literal(self, reaction: Reaction, index: int, discrete: bool) -> int:
        """The law as it stands; a repeated reactant S^m in it is reported, and becomes S (S - 1) ... where that is asked."""
        node, g = self.copied(self.system.rates[index]), self.graph
        for p in reaction.reactants:
            order = _order(p.stoichiometry)
            if order < 2 or order != round(order) or not self._plain(p.species):
                continue
            state, m = self.place[p.species], int(order)
            terms = products(g, node, fixed_nodes(g))
            if terms is None or not all(atoms.count((state, 0)) == m for atoms in terms):
                continue
            start = float(np.ravel(self._y0[:, state])[0] * self.molecules[state])
            falling = float(np.prod([start - k for k in range(m)]))
            power = " ".join([p.species] * m)
            if not discrete:
                size = f"{start**m / falling - 1:.3g} of the rate" if falling > 0 else f"the whole rate (there are {start:g})"
                self.notes.append(
                    f"reaction {reaction.id!r}: its law has {power} as written, not {p.species} ({p.species} - 1)...: at the start the "
                    f"difference is {size}; discrete_mass_action=True converts it"
                )
                continue
            sum_of = g.const(0.0)
            for atoms, coefficient in terms.items():
                kept = list(atoms)
                for _ in range(m):
                    kept.remove((state, 0))
                part = coefficient
                for s, shift in (*kept, *((state, k) for k in range(m))):
                    leaf = g.leaf("state", s)
                    part = g.times(part, leaf if shift == 0 else g.op("sub", leaf, g.const(float(shift))))
                sum_of = g.plus(sum_of, part)
            node = sum_of
            self.notes.append(f"reaction {reaction.id!r}: {power} in its law is converted to {p.species} ({p.species} - 1)...")
        return node

    # what a law can be

    @cached_property
    def _witnesses(self) -> list[np.ndarray]:
        """Whole amounts at which a law's sign is looked at, per state [_WITNESSES]: few, as at the start, and many."""
        random = np.random.default_rng(0)
        found = []
        for state in range(len(self.system.states)):
            start = np.abs(np.resize(self._y0[:, state] * self.molecules[state], _WITNESSES))
            many = np.floor(10.0 ** random.uniform(0, 5, _WITNESSES))
            few = random.integers(0, 4, _WITNESSES).astype(float)
            kind = random.integers(0, 4, _WITNESSES)
            values = np.choose(kind, [few, np.rint(start), np.floor(start * random.uniform(0, 2, _WITNESSES)), many])
            found.append(np.resize(self._y0[:, state], _WITNESSES) if state in self.real else values)
        return found

    def _negative_somewhere(self, node: int) -> bool:
        p = np.concatenate([self._p, np.broadcast_to(np.array(self.extra), (len(self._p), len(self.extra)))], axis=1)
        columns = list(np.resize(p, (_WITNESSES, p.shape[1])).T) if len(p) > 1 else list(p[0])
        times = np.geomspace(1e-6, 1e6, _WITNESSES) if self.graph.leaves([node], "time") else 0.0
        value = self.graph.evaluate([node], states=self._witnesses, params=columns, time=times)[0]
        return bool((value < 0).any())

    def _unfit(self) -> list[str]:
        """What no jump process of whole molecules can be made of."""
        system, faults = self.system, []
        faults += [f"reaction {r.id!r}{_at(r)} is fast" for r in system.network.reactions if r.fast]
        if system.lags:
            faults.append("the model uses delay()")
        if system.residuals:
            faults.append("it has algebraic rules that elimination cannot solve")
        return faults

    # what moves without jumps

    def flows(self) -> tuple[tuple[int, int], ...]:
        """States that rate rules move, with their rates of change."""
        ruled = {rule.variable for rule in self.system.network.rules if rule.kind == "rate"}
        return tuple(
            (i, self.graph.times(self.copied(self.system.derivatives[i]), self.number(float(self.molecules[i]))))
            for i, id in enumerate(self.system.states)
            if id in ruled
        )

    def event(self, event: EventNodes) -> EventNodes:
        """An event on this graph; assigned amounts in molecules."""

        def value(state: int, node: int) -> int:
            return self.graph.times(self.copied(node), self.number(float(self.molecules[state])))

        return replace(
            event,
            trigger=self.copied(event.trigger),
            delay=None if event.delay is None else self.copied(event.delay),
            priority=None if event.priority is None else self.copied(event.priority),
            assignments=tuple((s, value(s, node), None if v is None else self.copied(v)) for s, node, v in event.assignments),
        )


def _merged(graph: Graph, channels: list[Channel]) -> list[Channel]:
    """Reactions that change the same are one channel."""
    found: dict[tuple[Any, ...], Channel] = {}
    for c in channels:
        old = found.get(c.change)
        if old is None:
            found[c.change] = c
        else:
            needs = tuple(sorted({*old.needs, *c.needs}))
            found[c.change] = Channel(old.names + c.names, c.change, graph.op("add", old.node, c.node), needs, old.signed or c.signed)
    return list(found.values())


def _order(stoichiometry: Any) -> float:
    return float(stoichiometry) if isinstance(stoichiometry, int | float) else 1.0


def _at(reaction: Reaction) -> str:
    return f" (line {reaction.line})" if reaction.line else ""
