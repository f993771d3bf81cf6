"""`to_sbml`: a network as SBML level 3, numbers to the last bit.

The text is written here and not through libSBML, which rounds numbers to 15 digits.
"""

from __future__ import annotations

import gzip
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from sciml import files
from sciml.arguments import checked
from sciml.biology.expressions import Expression
from sciml.biology.network import Compartment, Event, Network, Parameter, Participant, Reaction, Species, Unit
from sciml.biology.sbml.annotations import Annotations
from sciml.biology.sbml.mathml import to_mathml
from sciml.biology.sbml.precheck import inspect
from sciml.biology.sbml.semantics import mass_action_law
from sciml.errors import DataError

__all__ = ["to_sbml"]

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CORE = "http://www.sbml.org/sbml/level3/version{}/core"
_EXTENDED = "http://www.sbml.org/sbml/level3/version1/l3v2extendedmath/version1"
_NEWER = frozenset(("max", "min", "quotient", "rem", "implies", "rateOf"))
Attributes = Mapping[str, Any]


@checked
def to_sbml(network: Network, path: str | os.PathLike[str] | None = None) -> str:
    """The SBML text of a network (level 3 version 2), also written to `path` where one is given (packed by gzip where it ends in .gz).

    `load_sbml` of it gives a network of equal digest. A reaction declared as mass action is written as the law k V prod (X / V)^m, which
    other programs take as it stands; an annotation of ours says that it was declared, and our reader restores it as long as the law is
    unchanged. Another annotation keeps the level that the model came from, which says what undeclared units mean. A model with fast
    reactions, or with a law's parameter that has the id of a species in its reaction, becomes version 1: version 2 knows neither.
    Stoichiometries given as expressions become assignment rules. Raises DataError for what SBML cannot say: an id that is none of
    SBML's, formulas nested deeper than its readers take.
    """
    text = _Writer(network).document()
    inspect(network.id, text)
    if path is not None:
        data = text.encode("utf-8")
        files.write_bytes(Path(path), gzip.compress(data, mtime=0) if str(path).endswith(".gz") else data)
    return text


class _Writer:
    """Elements of a network as text."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.annotations = Annotations(network.id, dict(network.annotations))
        self.version = 1 if any(r.fast or _shadowing(r) for r in network.reactions) else 2
        self.formulas: list[tuple[str, Expression]] = []  # stoichiometries that become rules
        self.taken = set(self._ids())
        for id in self.taken:
            if not _ID.fullmatch(id):
                raise DataError(f"{network.id}: the id {id!r} is none that SBML knows; letters, digits and _ are, and no digit first")

    def _ids(self) -> Iterator[str]:
        n = self.network
        yield n.id
        for name in ("compartments", "species", "parameters", "reactions", "events", "functions"):
            yield from (element.id for element in getattr(n, name))
        yield from (p.id for r in n.reactions for p in (*r.reactants, *r.products) if p.id)
        yield from (p.id for r in n.reactions for p in r.local)
        yield from (id for id, _ in n.units.definitions)

    def document(self) -> str:
        n = self.network
        reactions = [self.reaction(r) for r in n.reactions]  # first: they may add rules
        lists = {
            "FunctionDefinitions": [self.function(f.id, f.name, f.arguments, f.body) for f in n.functions],
            "UnitDefinitions": [self.units(id, factors) for id, factors in n.units.definitions],
            "Compartments": [self.element("compartment", _compartment(c), c.id) for c in n.compartments],
            "Species": [self.element("species", _species(s), s.id) for s in n.species],
            "Parameters": [self.element("parameter", {**_valued(p), "constant": p.constant}, p.id) for p in n.parameters],
            "InitialAssignments": [self.initial(id, formula) for id, formula in n.initial_assignments],
            "Rules": list(self.rules()),
            "Reactions": reactions,
            "Events": [self.event(e) for e in n.events],
        }
        content = "".join(_list(name, items) for name, items in lists.items())
        mark = "" if n.level == (3, self.version) else f'origin level="{n.level[0]}" version="{n.level[1]}"'
        model = self.element("model", self.model(), "", content, mark)
        spaces = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in sorted(self.annotations.spaces.items()))
        if self.version == 1 and self._newer():
            spaces += f' xmlns:math="{_EXTENDED}" math:required="true"'
        head = f'<sbml xmlns="{_CORE.format(self.version)}"{spaces} level="3" version="{self.version}">'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{model}</sbml>\n'

    def model(self) -> Attributes:
        n, u = self.network, self.network.units
        units = {f"{name}Units": getattr(u, name) for name in ("substance", "time", "volume", "area", "length", "extent")}
        return {"id": n.id, "name": n.name or None, **units, "conversionFactor": n.conversion_factor}

    def units(self, id: str, factors: Iterable[Unit]) -> str:
        parts = [_tag("unit", {"kind": f.kind, "exponent": f.exponent, "scale": f.scale, "multiplier": f.multiplier}) for f in factors]
        return self.element("unitDefinition", {"id": id}, f"units.{id}", _list("Units", parts))

    def function(self, id: str, name: str, arguments: Iterable[str], body: Expression) -> str:
        head, _, tail = to_mathml(body).partition(">")
        variables = "".join(f"<bvar><ci> {argument} </ci></bvar>" for argument in arguments)
        math = f"{head}><lambda>{variables}{tail.removesuffix('</math>')}</lambda></math>"
        return self.element("functionDefinition", {"id": id, "name": name or None}, id, math)

    def initial(self, id: str, formula: Expression) -> str:
        return self.element("initialAssignment", {"symbol": id}, f"{id}.initial", to_mathml(formula))

    def rules(self) -> Iterator[str]:
        for index, rule in enumerate(self.network.rules):
            key = f"{rule.variable}.rule" if rule.variable else f".rule{index}"
            yield self.element(f"{rule.kind}Rule", {"variable": rule.variable or None}, key, to_mathml(rule.math))
        for id, formula in self.formulas:
            yield self.element("assignmentRule", {"variable": id}, f"{id}.rule", to_mathml(formula))

    def reaction(self, r: Reaction) -> str:
        content = _list("Reactants", [self.participant(r, "reactants", p) for p in r.reactants])
        content += _list("Products", [self.participant(r, "products", p) for p in r.products])
        content += _list(
            "Modifiers", [self.element("modifierSpeciesReference", {"species": m}, f"{r.id}.modifiers.{m}") for m in r.modifiers]
        )
        law = mass_action_law(self.network, r) if r.mass_action else r.law
        if law is not None or r.local:
            content += self.law(r, law)
        attributes = {"id": r.id, "name": r.name or None, "reversible": r.reversible, "compartment": r.compartment}
        if self.version == 1:
            attributes["fast"] = r.fast
        return self.element("reaction", attributes, r.id, content, "massAction" if r.mass_action else "")

    def law(self, r: Reaction, law: Expression | None) -> str:
        local = [self.element("localParameter", _valued(p), f"{r.id}.{p.id}") for p in r.local]
        math = to_mathml(law) + "\n" if law is not None else ""
        return self.element("kineticLaw", {}, f"{r.id}.law", math + _list("LocalParameters", local))

    def participant(self, r: Reaction, side: str, p: Participant) -> str:
        id, given, constant = p.id, p.stoichiometry, p.constant
        if isinstance(given, Expression):
            id = id or self._free(f"{r.id}_{side}_{p.species}")
            self.formulas.append((id, given))
            given, constant = None, False
        attributes = {"id": id or None, "species": p.species, "stoichiometry": given, "constant": constant}
        return self.element("speciesReference", attributes, f"{r.id}.{side}.{p.species}")

    def _free(self, id: str) -> str:
        while id in self.taken:
            id += "_"
        self.taken.add(id)
        return id

    def event(self, e: Event) -> str:
        trigger = {"initialValue": e.initial_value, "persistent": e.persistent}
        content = self.element("trigger", trigger, f"{e.id}.trigger", to_mathml(e.trigger))
        for name, formula in (("priority", e.priority), ("delay", e.delay)):
            if formula is not None:
                content += self.element(name, {}, f"{e.id}.{name}", to_mathml(formula))
        assignments = []
        for id, formula in e.assignments:
            assignments.append(self.element("eventAssignment", {"variable": id}, f"{e.id}.{id}", to_mathml(formula)))
        content += _list("EventAssignments", assignments)
        return self.element("event", {**_about(e), "useValuesFromTriggerTime": e.values_at_trigger}, e.id, content)

    def element(self, tag: str, attributes: Attributes, key: str, content: str = "", mark: str = "") -> str:
        """An element with what was kept for its key, and our own mark."""
        names, annotation = self.annotations.of(key, mark)
        return _tag(tag, {**names, **attributes}, annotation + content)

    def _newer(self) -> bool:
        """Whether a formula has an operation that version 1 of level 3 has not."""
        n = self.network
        formulas = [r.law for r in n.reactions] + [rule.math for rule in n.rules] + [f for _, f in n.initial_assignments]
        formulas += [f.body for f in n.functions] + [f for _, f in self.formulas]
        formulas += [f for e in n.events for f in (e.trigger, e.delay, e.priority, *(a for _, a in e.assignments))]
        return any(node.op in _NEWER for formula in formulas if formula is not None for node in formula.walk())


def _shadowing(r: Reaction) -> bool:
    """Whether a parameter of the law has the id of a species that takes part: version 2 forbids it."""
    return not {p.id for p in r.local}.isdisjoint((*(p.species for p in (*r.reactants, *r.products)), *r.modifiers))


def _about(element: Any) -> Attributes:
    return {"id": element.id, "name": element.name or None}


def _valued(parameter: Parameter) -> Attributes:
    return {**_about(parameter), "value": parameter.value, "units": parameter.units}


def _compartment(c: Compartment) -> Attributes:
    return {**_about(c), "spatialDimensions": c.dimensions, "size": c.size, "units": c.units, "constant": c.constant}


def _species(s: Species) -> Attributes:
    return {
        **_about(s),
        "compartment": s.compartment,
        "initialConcentration" if s.initial_is_concentration else "initialAmount": s.initial,
        "substanceUnits": s.units,
        "hasOnlySubstanceUnits": s.substance_only,
        "boundaryCondition": s.boundary,
        "constant": s.constant,
        "conversionFactor": s.conversion_factor,
    }


def _list(name: str, items: list[str]) -> str:
    return f"<listOf{name}>\n{''.join(items)}</listOf{name}>\n" if items else ""


def _tag(tag: str, attributes: Attributes, content: str = "") -> str:
    written = "".join(f" {name}={quoteattr(_said(value))}" for name, value in attributes.items() if value is not None)
    return f"<{tag}{written}>{content}</{tag}>\n" if content else f"<{tag}{written}/>\n"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 and str(value) != "-0.0" else repr(value)
    return str(value)
