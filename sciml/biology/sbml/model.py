"""An SBML document as the plain form of a network (`Network.to_dict`), with all that cannot be taken listed by line."""

from __future__ import annotations

import re
from typing import Any

from sciml.biology.sbml import elements
from sciml.biology.sbml.context import Context
from sciml.biology.sbml.reactions import reactions
from sciml.biology.sbml.references import check
from sciml.biology.sbml.tree import MATHML, WITH_TEXT, Element, descend
from sciml.biology.sbml.units import units

__all__ = ["read_model", "required_packages"]

_PACKAGE = re.compile(r"http://www\.sbml\.org/sbml/level3/version\d/([\w.-]+)/version\d+")
_FLATTENED = ("comp", "l3v2extendedmath")
"""Packages that change the mathematics and are understood: comp is written out before this, the other adds operations of MathML."""

_LISTS = (
    "listOfFunctionDefinitions listOfUnitDefinitions listOfCompartmentTypes listOfSpeciesTypes listOfCompartments listOfSpecies "
    "listOfParameters listOfInitialAssignments listOfRules listOfConstraints listOfReactions listOfEvents"
).split()


def required_packages(root: Element) -> list[str]:
    """Names of the packages that a document says are needed to understand it, and that are not understood here."""
    found = []
    for name, value in root.attributes.items():
        uri, _, attribute = name.rpartition(" ")
        if uri and attribute == "required" and value.strip() in ("true", "1"):
            package = _PACKAGE.fullmatch(uri)
            if not package or package.group(1) not in _FLATTENED:
                found.append(package.group(1) if package else uri)
    return found


def read_model(root: Element, context: Context) -> dict[str, Any]:
    """The network of a document. Findings go to `context`; the result may be no network where there are some."""
    for package in required_packages(root):
        context.refuse(root, f"the package {package!r} is required to understand the model and is not supported")
    model = root.child("model")
    if model is None:
        context.refuse(root, "the document holds no model")
        return {}
    context.keep(model, "")
    for element in model.children:
        if element.space == model.space and element.name not in _LISTS:
            context.refuse(element, f"found <{element.name}> in the model, which is no part of it")
    _malformed(context, root)
    for element in model.listed("listOfConstraints"):
        context.warn(element, "a constraint is not watched and left out")
    network = _parts(context, model)
    check(context, network)
    network["level"] = list(_origin(context) or context.level)
    network["annotations"] = [[key, text] for key, text in context.kept.items()]
    return network


def _malformed(context: Context, root: Element) -> None:
    """What libSBML does not mind: text between elements, and elements that may stand once and stand twice."""
    for element in descend(root):
        if element.space not in (root.space, MATHML) or element.name in ("message", "annotation-xml"):
            continue
        if element.text and element.name not in WITH_TEXT and (text := element.text.replace("|", " ").split()):
            context.refuse(element, f"found the text {' '.join(text)[:40]!r} in <{element.name}>, expected elements only")
        names = [c.name for c in element.children if c.space == root.space]
        if element.space == root.space and not element.name.startswith("listOf") and len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            context.refuse(element, f"found <{twice}> twice in <{element.name}>")


def _parts(context: Context, model: Element) -> dict[str, Any]:
    taken = {e.attributes["id"] for e in descend(model) if "id" in e.attributes}
    used = {e.attributes[name] for e in descend(model) for name in ("units", "substanceUnits") if name in e.attributes}
    compartments = elements.compartments(context, model)
    own: dict[str, Any] = {name: model.attributes[name] for name in ("id", "name") if name in model.attributes}
    reaction_list, more_rules = reactions(context, model, taken)
    network: dict[str, Any] = {
        **own,
        "compartments": compartments,
        "species": elements.species(context, model, {c["id"] for c in compartments if c["dimensions"] == 0}),
        "parameters": elements.parameters(context, model),
        "functions": elements.functions(context, model),
        "rules": elements.rules(context, model) + more_rules,
        "initial_assignments": elements.initial_assignments(context, model),
        "reactions": reaction_list,
        "events": elements.events(context, model, taken),
    }
    network["units"] = units(context, model, used)
    if "conversionFactor" in model.attributes:
        network["conversion_factor"] = model.attributes["conversionFactor"]
    return network


def _origin(context: Context) -> tuple[int, int] | None:
    """Level and version that our own writer noted."""
    found = re.search(r'level="(\d)" version="(\d)"', context.marks.get("", {}).get("origin", ""))
    return (int(found.group(1)), int(found.group(2))) if found else None
