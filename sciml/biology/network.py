"""A reaction network as plain data: species, compartments, parameters, reactions, rules, events, functions. A network never changes.

Amounts are kept inside; what a symbol means in a formula is SBML's rule: a species stands for its concentration, unless it has only
substance units (`substance_only`), then for its amount. Rates of reactions are extent per time.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, cast

from sciml.arguments import check_fields, checked, shown
from sciml.biology.expressions import Expression, Operand
from sciml.biology.formula import as_expression
from sciml.biology.parts import Part, formulas
from sciml.biology.plain_data import build, plain
from sciml.door import loaded_from
from sciml.errors import ConfigError, DataError

__all__ = [
    "Compartment",
    "Event",
    "Function",
    "Network",
    "Parameter",
    "Participant",
    "Reaction",
    "Rule",
    "Species",
    "Unit",
    "Units",
    "nearest",
]


@dataclass(frozen=True)
class Unit(Part):
    """A factor of a unit: (multiplier 10^scale kind)^exponent, kind as in SBML (`mole`, `item`, `litre`, `second`, ...)."""

    kind: str
    exponent: float = 1.0
    scale: int = 0
    multiplier: float = 1.0


@dataclass(frozen=True)
class Units(Part):
    """What a network is counted in. Names are SBML's kinds or keys of `definitions`; None where the model does not say."""

    substance: str | None = None
    time: str | None = None
    volume: str | None = None
    area: str | None = None
    length: str | None = None
    extent: str | None = None
    definitions: tuple[tuple[str, tuple[Unit, ...]], ...] = ()


@dataclass(frozen=True)
class Compartment(Part):
    """A volume (or area, length, point by `dimensions`) in the model's unit. `size` None: not given."""

    id: str
    size: float | None = 1.0
    dimensions: float = 3.0
    constant: bool = True
    units: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Species(Part):
    """A pool of molecules. `initial` is a concentration where `initial_is_concentration`, else an amount; None: not given.

    `substance_only`: its symbol stands for the amount in formulas, else for the concentration. `boundary`: reactions leave it as it is.
    `constant`: nothing changes it. `conversion_factor` is the id of a parameter that turns extent into its substance.
    """

    id: str
    initial: float | None = 0.0
    compartment: str = "cell"
    initial_is_concentration: bool = False
    substance_only: bool = True
    boundary: bool = False
    constant: bool = False
    units: str | None = None
    conversion_factor: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Parameter(Part):
    """A number with an id; `constant` False where a rule or an event changes it. `value` None: not given."""

    id: str
    value: float | None = None
    constant: bool = True
    units: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Participant(Part):
    """A species on one side of a reaction with its stoichiometry: a number, None (by a rule or assignment on `id`), or an expression."""

    species: str
    stoichiometry: float | Expression | None = 1.0
    id: str = ""
    constant: bool = True


@dataclass(frozen=True)
class Reaction(Part):
    """Turns reactants into products at the rate `law` (extent per time).

    `mass_action`: `law` is the rate *constant*, and the rate is declared as mass action: deterministic k prod [S]^m, stochastic with
    falling factorials. Otherwise the law is taken as it stands. `local` are parameters that the law alone sees, `line` is the file's.
    """

    id: str
    reactants: tuple[Participant, ...] = ()
    products: tuple[Participant, ...] = ()
    law: Expression | None = None
    modifiers: tuple[str, ...] = ()
    mass_action: bool = False
    local: tuple[Parameter, ...] = ()
    reversible: bool = False
    fast: bool = False
    compartment: str | None = None
    name: str = ""
    line: int = field(default=0, compare=False)

    @classmethod
    @checked
    def parse(cls, id: str, equation: str, *, rate: Operand | None = None, law: Operand | None = None) -> Reaction:
        """From an equation such as "A + 2 B -> C" or "-> P" (`0` and an empty side: nothing).

        Give either `rate`, the constant of mass action (a number, a parameter or a formula), or `law`, the whole rate as it stands.
        """
        if (rate is None) == (law is None):
            raise ConfigError(f"reaction {id!r}: expected either rate= (a constant of mass action) or law= (the whole rate)")
        left, arrow, right = equation.partition("->")
        if not arrow or "<" in left:
            raise ConfigError(f"reaction {id!r}: found {equation!r}, expected 'A + B -> C'; write a reversible one as two reactions")
        reactants, products = _side(id, left), _side(id, right)
        expression = as_expression(cast(Operand, rate if rate is not None else law))
        taking_part = {p.species for p in (*reactants, *products)}
        return cls(id, reactants, products, expression, tuple(sorted(expression.symbols() - taking_part)), mass_action=rate is not None)


@dataclass(frozen=True)
class Rule(Part):
    """`assignment`: variable = math at all times; `rate`: d variable / dt = math; `algebraic`: 0 = math."""

    kind: Literal["assignment", "rate", "algebraic"]
    math: Expression
    variable: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Event(Part):
    """When `trigger` turns true, after `delay`, the assignments are made at once.

    `initial_value` is the trigger's value before time 0, `persistent` False takes the event back when the trigger turns false during the
    delay, `values_at_trigger`: the right-hand sides are computed when it triggers, else when it is executed.
    """

    id: str
    trigger: Expression
    assignments: tuple[tuple[str, Expression], ...] = ()
    delay: Expression | None = None
    priority: Expression | None = None
    initial_value: bool = True
    persistent: bool = True
    values_at_trigger: bool = True
    name: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Function(Part):
    """A function of the model: its arguments' names and its body."""

    id: str
    arguments: tuple[str, ...]
    body: Expression
    name: str = ""


@dataclass(frozen=True, repr=False)
class Network:
    """The whole model. Everything is data: networks compare, hash and pickle, and `digest` names one.

    `initial_assignments` are (id, formula), computed before time 0 and again whenever what they depend on is set. `annotations` maps an
    element's id ("" for the model) to the XML of its notes and annotation, kept for `to_sbml`; they are no part of the digest.
    """

    id: str = "network"
    species: tuple[Species, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    compartments: tuple[Compartment, ...] = ()
    rules: tuple[Rule, ...] = ()
    initial_assignments: tuple[tuple[str, Expression], ...] = ()
    events: tuple[Event, ...] = ()
    functions: tuple[Function, ...] = ()
    units: Units = Units()
    conversion_factor: str | None = None
    level: tuple[int, int] = (3, 2)
    name: str = ""
    source: str = field(default="", compare=False)
    annotations: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @loaded_from("sciml.biology.sbml")
    def to_sbml(self, path: str | os.PathLike[str] | None = None) -> str:  # type: ignore[empty-body]
        """SBML text (level 3 version 2), also written to `path`. Raises DataError for what SBML cannot say."""

    @loaded_from("sciml.biology.summary")
    def summary(self) -> Any:
        """A `Summary`: rates in words, units that do not fit, start counts, dead reactions, unused parts, conserved sums, stiffness."""

    @loaded_from("sciml.biology.summary")
    def _repr_html_(self) -> str:  # type: ignore[empty-body]
        """The summary as a table for notebooks."""

    @loaded_from("sciml.biology.simulation.forecast")
    def forecast(
        self, times: Any, n: int = 1000, *, record: str = "grid", parameters: Mapping[str, Any] | None = None, **counting: Any
    ) -> Any:
        """A `Forecast` of what `simulate_ssa` would take: reactions of a trajectory, seconds (within a factor of about three), bytes.

        `parameters`, `counting` as there: `initial`, `substance`, `split_reversible`, `discrete_mass_action`. Nothing is run but
        the deterministic course. Raises what `simulate_ssa` would raise before it begins.
        """

    def __post_init__(self) -> None:
        coerced = {
            "species": _elements(Species, "initial", self.species),
            "parameters": _elements(Parameter, "value", self.parameters),
            "compartments": _elements(Compartment, "size", self.compartments),
            "initial_assignments": formulas(self.initial_assignments),
        }
        for name in ("reactions", "rules", "events", "functions", "annotations", "warnings"):
            coerced[name] = _elements(object, "", getattr(self, name))
        for name, value in coerced.items():
            object.__setattr__(self, name, value)
        check_fields(self)
        known = {s.id for s in self.species}
        object.__setattr__(self, "reactions", tuple(_with_modifiers(r, known) for r in self.reactions))
        if not self.compartments and {s.compartment for s in self.species} == {"cell"}:
            object.__setattr__(self, "compartments", (Compartment("cell"),))
        _check(self)

    @cached_property
    def elements(self) -> dict[str, Any]:
        """Every element with an id that formulas may use, by id: species, parameters, compartments, reactions, named participants."""
        return {e.id: e for e in _identified(self)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical data: equal for equal models, whatever file they came from; annotations do not count."""
        return hashlib.sha256(json.dumps(self.to_dict(annotations=False), sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def __hash__(self) -> int:
        return int(self.digest[:15], 16)

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # what is derived is derived again

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        parts = [
            f"{len(getattr(self, name))} {name}"
            for name in ("species", "reactions", "parameters", "rules", "events")
            if getattr(self, name)
        ]
        return f"<Network {self.id!r}: {', '.join(parts) or 'empty'}>"

    @checked
    def set(self, values: Mapping[str, float] | None = None, /, **named: float) -> Network:
        """A variant with other values of parameters, compartments and species' starts (each species in the quantity its model states).

        Initial assignments are computed again from them; a value given here replaces the element's own initial assignment.
        Raises ConfigError for an unknown id, for one that a rule determines, and for a value that is no finite number.
        """
        given = {**(values or {}), **named}
        fixed = {rule.variable for rule in self.rules if rule.kind == "assignment"}
        changed: dict[str, dict[str, Any]] = {"species": {}, "parameters": {}, "compartments": {}}
        for id, value in given.items():
            element = self.elements.get(id)
            if not isinstance(element, Species | Parameter | Compartment):
                raise ConfigError(f"set: {id!r} is no species, parameter or compartment of {self.id!r}{nearest(id, self.elements)}")
            if id in fixed:
                raise ConfigError(f"set: {id!r} is determined by an assignment rule; change what the rule depends on")
            if not math.isfinite(value):
                raise ConfigError(f"set: {id!r}: found {shown(value)}, expected a finite number")
            kind, slot = _SLOTS[type(element)]
            changed[kind][id] = replace(element, **cast(dict[str, Any], {slot: float(value)}))
        updated: dict[str, Any] = {k: tuple(new.get(e.id, e) for e in getattr(self, k)) for k, new in changed.items() if new}
        assignments = tuple((id, formula) for id, formula in self.initial_assignments if id not in given)
        return replace(self, **updated, initial_assignments=assignments)

    @checked
    def with_(self, *, without: Iterable[str] = (), **parts: Iterable[Any] | Mapping[str, Any]) -> Network:
        """A variant with elements added or replaced by id (`species=`, `parameters=`, `reactions=`, `events=`, ...) and others left out.

        `without=["r3"]` leaves out reactions, events and rules (by variable). A species or a parameter that is still used cannot be left
        out: DataError names where.
        """
        gone = set(without)
        if unknown := parts.keys() - set(_KINDS):
            raise ConfigError(f"with_: found {sorted(unknown)[0]!r}, expected {', '.join(_KINDS)} or without")
        updated: dict[str, Any] = {}
        known: set[str] = set()
        for kind, (made, slot) in _KINDS.items():
            new = _elements(made, slot, parts.get(kind, ()))
            if wrong := [e for e in new if not isinstance(e, made)]:
                raise ConfigError(f"with_: {kind}: found {shown(wrong[0])}, expected each to be a {made.__name__}")
            by_name = {_name(e): e for e in new}
            old = getattr(self, kind)
            known |= {_name(e) for e in old}
            kept = tuple(by_name.pop(_name(e), e) for e in old if _name(e) not in gone)
            updated[kind] = kept + tuple(by_name.values())
        if unknown := gone - known:
            raise ConfigError(f"with_: {sorted(unknown)[0]!r} is no element of {self.id!r}{nearest(sorted(unknown)[0], known)}")
        assignments = tuple((id, formula) for id, formula in self.initial_assignments if id not in gone)
        return replace(self, **updated, initial_assignments=assignments)

    @checked
    def to_dict(self, *, annotations: bool = True) -> dict[str, Any]:
        """JSON-able data; `from_dict` gives the network again. Without `annotations`: only what networks are compared by."""
        data: dict[str, Any] = plain(self, annotations)
        return data

    @classmethod
    @checked
    def from_dict(cls, data: Mapping[str, Any]) -> Network:
        """From `to_dict`. Raises DataError where it is not such data."""
        try:
            return build(cls, data)
        except (ConfigError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"network: the data do not make a network: {error}") from error


_KINDS: dict[str, tuple[type, str]] = {  # and the field that a number of {id: number} is
    "species": (Species, "initial"),
    "parameters": (Parameter, "value"),
    "compartments": (Compartment, "size"),
    "reactions": (Reaction, ""),
    "events": (Event, ""),
    "functions": (Function, ""),
    "rules": (Rule, ""),
}
_SLOTS: dict[type, tuple[str, str]] = {kind: (name, slot) for name, (kind, slot) in _KINDS.items() if slot}


def _name(element: Any) -> str:
    return element.variable if isinstance(element, Rule) else element.id


def _elements(kind: type, slot: str, given: Any) -> Any:
    """Elements as they are, or {id: number} as elements with that value; anything else as it is."""
    if isinstance(given, Mapping) and slot:
        return tuple(value if isinstance(value, kind) else kind(id, **{slot: value}) for id, value in given.items())
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping) else given


def _with_modifiers(reaction: Reaction, species: set[str]) -> Reaction:
    """The reaction with every species that its law sees and that takes no part among its modifiers, and no other id."""
    seen = reaction.law.symbols() & species if reaction.law is not None else set()
    others = (
        seen - {p.species for p in (*reaction.reactants, *reaction.products)} - {p.id for p in reaction.local} - set(reaction.modifiers)
    )
    modifiers = tuple(m for m in reaction.modifiers if m in species) + tuple(sorted(others))
    return reaction if modifiers == reaction.modifiers else replace(reaction, modifiers=modifiers)


def _side(id: str, text: str) -> tuple[Participant, ...]:
    """One side of an equation; the same species twice counts twice."""
    counted: dict[str, float] = {}
    for term in text.split("+"):
        words = term.replace("*", " ").split()
        if not words or words == ["0"]:
            continue
        factor, species = (float(words[0]), words[1]) if len(words) == 2 and _is_number(words[0]) else (1.0, words[0])
        if len(words) > 2 or (len(words) == 2 and not _is_number(words[0])):
            raise ConfigError(f"reaction {id!r}: found {term.strip()!r}, expected a species or 'number species'")
        if not 0 < factor < math.inf:
            raise ConfigError(f"reaction {id!r}: found the stoichiometry {factor:g} of {species!r}, expected a finite number > 0")
        counted[species] = counted.get(species, 0.0) + factor
    return tuple(Participant(species, factor) for species, factor in counted.items())


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


def _identified(network: Network) -> Iterator[Any]:
    yield from (*network.compartments, *network.species, *network.parameters, *network.reactions)
    yield from (p for r in network.reactions for p in (*r.reactants, *r.products) if p.id)


def _check(network: Network) -> None:
    """References and double ids; what a formula may mean is checked where it is compiled."""
    seen: set[str] = set()
    for element in (*_identified(network), *network.functions):
        if not element.id:
            raise DataError(f"{network.id}: found a {type(element).__name__.lower()} with an empty id")
        if element.id in seen:
            raise DataError(f"{network.id}: the id {element.id!r} is used twice")
        seen.add(element.id)
    species, functions = {s.id for s in network.species}, {f.id for f in network.functions}
    compartments = {c.id for c in network.compartments}
    for s in network.species:
        if s.compartment not in compartments:
            raise DataError(f"{network.id}: species {s.id!r} lies in compartment {s.compartment!r}, which is not there")
    for r in network.reactions:
        for p in (*r.reactants, *r.products):
            if p.species not in species:
                raise DataError(f"{network.id}: reaction {r.id!r} has {p.species!r}, which is no species{nearest(p.species, species)}")
            if isinstance(p.stoichiometry, float) and not math.isfinite(p.stoichiometry):
                raise DataError(f"{network.id}: reaction {r.id!r}: the stoichiometry of {p.species!r} is {p.stoichiometry}")
    parameters = {p.id for p in network.parameters}
    for whose, factor in (
        ("the network", network.conversion_factor),
        *((f"species {s.id!r}", s.conversion_factor) for s in network.species),
    ):
        if factor is not None and factor not in parameters:
            raise DataError(
                f"{network.id}: the conversion factor of {whose} is {factor!r}, which is no parameter{nearest(factor, parameters)}"
            )
    for id, _ in network.initial_assignments:
        if id not in seen:
            raise DataError(f"{network.id}: the initial assignment of {id!r}: that is no element of the model{nearest(id, seen)}")
    for where, formula, own in _all_formulas(network):
        unknown = formula.symbols() - seen - own
        if unknown:
            name = sorted(unknown)[0]
            raise DataError(f"{network.id}: {where} has {name!r}, which is no element of the model{nearest(name, seen | own)}")
        if missing := formula.calls() - functions:
            raise DataError(f"{network.id}: {where} calls {sorted(missing)[0]!r}, which is no function of the model")


def _all_formulas(network: Network) -> Iterator[tuple[str, Expression, set[str]]]:
    """(where, formula, ids that are known there only) of every formula."""
    nothing: set[str] = set()
    for r in network.reactions:
        if r.law is not None:
            yield f"the law of reaction {r.id!r}", r.law, {p.id for p in r.local}
        yield from (
            (f"a stoichiometry of reaction {r.id!r}", p.stoichiometry, nothing)
            for p in (*r.reactants, *r.products)
            if isinstance(p.stoichiometry, Expression)
        )
    for rule in network.rules:
        yield f"the {rule.kind} rule of {rule.variable!r}", rule.math, nothing
    for id, formula in network.initial_assignments:
        yield f"the initial assignment of {id!r}", formula, nothing
    for f in network.functions:
        yield f"function {f.id!r}", f.body, set(f.arguments)
    for e in network.events:
        for what, part in (("trigger", e.trigger), ("delay", e.delay), ("priority", e.priority), *e.assignments):
            if part is not None:
                yield f"the {what} of event {e.id!r}", part, nothing


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the id that was meant, or nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
