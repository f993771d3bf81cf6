"""Reactions of a model in the plain form of a network."""

from __future__ import annotations

from typing import Any

from sciml.biology.sbml.context import Context, flag, real
from sciml.biology.sbml.elements import Plain, parameter
from sciml.biology.sbml.tree import Element

__all__ = ["reactions"]

_SIDES = (("reactants", "listOfReactants"), ("products", "listOfProducts"))


def reactions(context: Context, model: Element, taken: set[str]) -> tuple[list[Plain], list[Plain]]:
    """(reactions, assignment rules of stoichiometries that level 2 writes as formulas; these get ids that are not `taken`)."""
    result: list[Plain] = []
    rules: list[Plain] = []
    for element in model.listed("listOfReactions"):
        id = element.attributes.get("id", "")
        where = f"reaction {id!r}"
        context.keep(element, id)
        reaction: Plain = {"id": id, "line": element.line, "reversible": flag(context, element, "reversible", True, where)}
        reaction["fast"] = flag(context, element, "fast", False, where)
        reaction |= {name: element.attributes[name] for name in ("name", "compartment") if name in element.attributes}
        for side, name in _SIDES:
            reaction[side] = _merged([_participant(context, e, id, side, rules, taken) for e in element.listed(name)])
        reaction["modifiers"] = list(dict.fromkeys(e.attributes.get("species", "") for e in element.listed("listOfModifiers")))
        for e in element.listed("listOfModifiers"):
            context.keep(e, f"{id}.modifiers.{e.attributes.get('species', '')}")
        law = element.child("kineticLaw")
        if law is not None:
            reaction |= _law(context, law, id)
        result.append(reaction)
    return result, rules


def _law(context: Context, element: Element, id: str) -> Plain:
    """Formula and parameters of a kinetic law; one without a formula is a rate of zero, as is a reaction without a law."""
    where = f"the law of reaction {id!r}"
    context.keep(element, f"{id}.law")
    for name in ("timeUnits", "substanceUnits"):
        if name in element.attributes:
            context.refuse(element, f"{where}: {name} {element.attributes[name]!r} of its own, which would scale the rate")
    local = [*element.listed("listOfLocalParameters"), *element.listed("listOfParameters")]
    found: Plain = {"local": [{**parameter(context, p, f"{id}.{p.attributes.get('id', '')}"), "constant": True} for p in local]}
    math = context.math(element, where)
    if math is None:
        context.warn(element, f"{where} has no formula: its rate is zero")
        return found
    return found | {"law": {"math": math}}


def _participant(context: Context, element: Element, reaction: str, side: str, rules: list[Plain], taken: set[str]) -> Plain:
    species, id = element.attributes.get("species", ""), element.attributes.get("id", "")
    where = f"reaction {reaction!r}, {side} {species!r}"
    context.keep(element, f"{reaction}.{side}.{species}")
    given = real(context, element, "stoichiometry", where)
    if context.level[0] == 2:
        given = 1.0 if given is None else given
        formula = element.child("stoichiometryMath")
        math = context.math(formula, where) if formula is not None else None
        if isinstance(math, float):
            given = math
        elif math is not None:
            id = id or _own_id(reaction, side, species, taken)
            rules.append({"kind": "assignment", "math": {"math": math}, "variable": id, "line": element.line})
            return {"species": species, "id": id, "stoichiometry": None, "constant": False}
    constant = flag(context, element, "constant", True, where)
    return {"species": species, "stoichiometry": given, "constant": constant, **({"id": id} if id else {})}


def _own_id(reaction: str, side: str, species: str, taken: set[str]) -> str:
    id = f"{reaction}_{side}_{species}"
    while id in taken:
        id += "_"
    taken.add(id)
    return id


def _merged(participants: list[Plain]) -> list[Plain]:
    """S + S is 2 S: entries of one species with plain numbers and no id of their own become one."""
    result: list[Plain] = []
    plain: dict[str, Any] = {}
    for p in participants:
        if "id" in p or p["stoichiometry"] is None:
            result.append(p)
        elif p["species"] in plain:
            plain[p["species"]]["stoichiometry"] += p["stoichiometry"]
        else:
            plain[p["species"]] = p
            result.append(p)
    return result
