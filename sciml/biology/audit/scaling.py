"""The same network with more molecules: f_W(x) = W f(x / W), whose trajectories approach the deterministic ones as W grows (Kurtz 1972)."""

from __future__ import annotations

from dataclasses import replace

from sciml.biology.expressions import Expression, number, operation, symbol
from sciml.biology.network import Compartment, Network, Species
from sciml.errors import DataError

__all__ = ["scaled"]


def scaled(network: Network, factor: float) -> Network:
    """Amounts `factor` times larger in compartments `factor` times larger, so that every concentration and every time stays as it is.

    A law of amounts is read at the amounts divided by `factor` and multiplied by it, one of concentrations is left as it is and multiplied
    by what it lacks; declared mass action needs nothing but its volume. Raises DataError where events, rate rules or initial assignments
    make larger amounts mean something else.
    """
    reason = _refusal(network)
    if reason:
        raise DataError(f"{network.id}: {reason}")
    by_amount = {s.id: operation("divide", symbol(s.id), number(factor)) for s in network.species if s.substance_only}
    by_volume = {c.id: operation("divide", symbol(c.id), number(factor)) for c in network.compartments}

    def divided(math: Expression) -> Expression:
        return math.replace({**by_amount, **by_volume})

    def larger(math: Expression) -> Expression:
        return number(factor) * divided(math)

    reactions = tuple(r if r.mass_action or r.law is None else replace(r, law=larger(r.law)) for r in network.reactions)
    species = tuple(_larger(s, factor) for s in network.species)
    compartments = tuple(c if c.size is None else replace(c, size=c.size * factor) for c in network.compartments)
    rules = tuple(replace(r, math=larger(r.math) if _grows(network, r.variable) else divided(r.math)) for r in network.rules)
    return replace(network, species=species, compartments=compartments, reactions=reactions, rules=rules)


def _grows(network: Network, id: str) -> bool:
    """Whether an id stands for an amount or a volume."""
    element = network.elements[id]
    return isinstance(element, Compartment) or (isinstance(element, Species) and element.substance_only)


def _larger(species: Species, factor: float) -> Species:
    grows = species.initial is not None and not species.initial_is_concentration
    return replace(species, initial=species.initial * factor) if grows and species.initial is not None else species


def _refusal(network: Network) -> str:
    if network.events:
        return "its events may set amounts"
    if any(rule.kind != "assignment" for rule in network.rules):
        return "it has rate or algebraic rules"
    if network.initial_assignments:
        return "it has initial assignments"
    if any("rateOf" in _ops(r.law) or "delay" in _ops(r.law) for r in network.reactions if r.law is not None):
        return "its laws look at rates or at the past"
    if any(symbols & {r.id for r in network.reactions} for symbols in (r.law.symbols() for r in network.reactions if r.law is not None)):
        return "its laws look at the rates of reactions"
    return ""


def _ops(expression: Expression) -> set[str]:
    return {node.op for node in expression.walk()}
