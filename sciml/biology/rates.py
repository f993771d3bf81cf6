"""Reactions and their laws as text, and which of them can never fire from a network's start."""

from __future__ import annotations

from collections.abc import Mapping

from sciml.biology.expressions import Expression
from sciml.biology.formula import infix
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.system import System
from sciml.biology.network import Network, Reaction, Species

__all__ = ["dead_reactions", "equation", "law_text", "unused"]

_LONGEST = 120
_KEEPS_ZERO = frozenset("neg abs sqrt floor ceil sin tan asin atan sinh tanh asinh atanh add sub min max".split())
_MOST_VISITS = 3_000_000


def equation(reaction: Reaction) -> str:
    """As in "2 A + B -> C"; an empty side is 0."""
    sides = []
    for side in (reaction.reactants, reaction.products):
        terms = []
        for p in side:
            n = p.stoichiometry
            factor = p.id or "?" if n is None else f"({infix(n)})" if isinstance(n, Expression) else "" if n == 1 else f"{n:g}"
            terms.append(f"{factor} {p.species}".strip())
        sides.append(" + ".join(terms) or "0")
    return f"{sides[0]} -> {sides[1]}"


def law_text(reaction: Reaction, longest: int = _LONGEST) -> str:
    """The whole law as a formula (of declared mass action constant and reactants), cut where it is long."""
    if reaction.law is None:
        return "no law"
    parts = [_factor(reaction.law)] if reaction.mass_action else [infix(reaction.law)]
    if reaction.mass_action:
        for p in reaction.reactants:
            parts.append(p.species if p.stoichiometry == 1 else f"{p.species}^{p.stoichiometry:g}")
    text = " * ".join(parts)
    return text if len(text) <= longest else text[: longest - 4] + " ..."


def _factor(law: Expression) -> str:
    text = infix(law)
    return f"({text})" if law.op in ("plus", "minus", "piecewise") and len(law.args) > 1 else text


def dead_reactions(system: System, amounts: Mapping[str, float]) -> tuple[str, ...]:
    """Ids of reactions whose rate is zero at all times in every run from these start amounts, since what their laws need is never there.

    Proved, not tried: zero is followed through products, sums and other operations that keep it. Where the proof would take too long, a
    reaction counts as alive.
    """
    network, graph = system.network, system.graph
    moved = {rule.variable for rule in network.rules} | {id for event in network.events for id, _ in event.assignments}
    present = {id for id, amount in amounts.items() if amount != 0 or id in moved}
    alive = _Alive(system, present)
    waiting: dict[str, set[int]] = {}  # species -> reactions that may come alive with it
    for index, node in enumerate(system.rates):
        for state in graph.leaves([node], "state"):
            waiting.setdefault(system.states[state], set()).add(index)
    dead, queue = set(range(len(network.reactions))), list(range(len(network.reactions)))
    while queue:
        index = queue.pop()
        if index in dead and alive.fires(index):
            dead.discard(index)
            for id in alive.made_by(network.reactions[index]) - present:
                present.add(id)
                queue += waiting.get(id, set()) & dead
    return tuple(network.reactions[index].id for index in sorted(dead))


class _Alive:
    """Which reactions can fire while only the species in `present` ever are there (the set grows)."""

    def __init__(self, system: System, present: set[str]) -> None:
        self.system, self.present, self.visits = system, present, 0
        self.parameters = system.begin()[1]

    def fires(self, index: int) -> bool:
        """Whether its law may be anything but zero."""
        return not self._zero(self.system.rates[index])

    def made_by(self, reaction: Reaction) -> set[str]:
        """Species that a reaction which fires can bring in."""
        sides = (*reaction.products, *(reaction.reactants if _may_be_negative(reaction) else ()))
        return {p.species for p in sides}

    def _zero(self, node: int) -> bool:
        graph: Graph = self.system.graph
        zero: set[int] = set()
        reached = graph.reach([node])
        self.visits += len(reached)
        if self.visits > _MOST_VISITS:
            return False
        for n in reached:
            if self._nothing(graph.ops[n], graph.args[n], graph.values[n], zero, graph):
                zero.add(n)
        return node in zero

    def _nothing(self, op: str, args: tuple[int, ...], value: float, zero: set[int], graph: Graph) -> bool:
        if op == "const":
            return value == 0
        if op == "state":
            id = self.system.states[int(value)]
            return isinstance(self.system.network.elements[id], Species) and id not in self.present
        if op == "param":
            return bool(self.parameters[int(value)] == 0)
        if op in ("mul", "and"):
            return any(a in zero for a in args)
        if op == "div":
            return args[0] in zero and args[1] not in zero
        if op == "pow":
            return args[0] in zero and (graph.constant(args[1]) or 0) > 0
        if op == "select":
            return args[1] in zero and args[2] in zero
        return op in _KEEPS_ZERO and all(a in zero for a in args)


def _may_be_negative(reaction: Reaction) -> bool:
    law = reaction.law
    return law is not None and not reaction.mass_action and (bool(law.calls()) or any(node.op == "minus" for node in law.walk()))


def unused(network: Network) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(species, parameters) that take part in nothing: in no reaction, formula, rule or event."""
    used: set[str] = {network.conversion_factor or ""}
    for r in network.reactions:
        used |= set(r.modifiers) | ((r.law.symbols() - {p.id for p in r.local}) if r.law is not None else set())
        for participant in (*r.reactants, *r.products):
            used.add(participant.species)
            if isinstance(participant.stoichiometry, Expression):
                used |= participant.stoichiometry.symbols()
    for rule in network.rules:
        used |= rule.math.symbols() | {rule.variable}
    for _, formula in network.initial_assignments:
        used |= formula.symbols()
    for function in network.functions:
        used |= function.body.symbols() - set(function.arguments)
    for event in network.events:
        parts = (event.trigger, event.delay, event.priority, *(math for _, math in event.assignments))
        used |= {id for part in parts if part is not None for id in part.symbols()} | {id for id, _ in event.assignments}
    used |= {s.conversion_factor for s in network.species if s.conversion_factor}
    return tuple(s.id for s in network.species if s.id not in used), tuple(q.id for q in network.parameters if q.id not in used)
