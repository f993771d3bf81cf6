"""Compartments, species, parameters, functions, rules, initial assignments and events of a model, in the plain form of a network.

The defaults are those of the model's own level: in level 2 a species and a parameter have some that level 3 asks to be written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sciml.biology.sbml.context import Context, flag, real
from sciml.biology.sbml.mathml import function
from sciml.biology.sbml.tree import Element

__all__ = ["compartments", "events", "functions", "initial_assignments", "parameters", "parameter", "rules", "species"]

Plain = dict[str, Any]


def _named(element: Element, id: str, *texts: tuple[str, str]) -> Plain:
    """{"id": ..., and of attributes that are given: field: text}."""
    found = {field: element.attributes[attribute] for attribute, field in (("name", "name"), *texts) if attribute in element.attributes}
    return {"id": id, **found}


def compartments(context: Context, model: Element) -> list[Plain]:
    """Compartments; a size that is not given is None."""
    result = []
    for element in model.listed("listOfCompartments"):
        id = element.attributes.get("id", "")
        where = f"compartment {id!r}"
        context.keep(element, id)
        dimensions = real(context, element, "spatialDimensions", where)
        result.append(
            {
                **_named(element, id, ("units", "units")),
                "size": real(context, element, "size", where),
                "dimensions": 3.0 if dimensions is None else dimensions,
                "constant": flag(context, element, "constant", True, where),
            }
        )
    return result


def species(context: Context, model: Element, points: set[str]) -> list[Plain]:
    """Species; `points` are compartments without extension, in which only amounts make sense."""
    result = []
    for element in model.listed("listOfSpecies"):
        id = element.attributes.get("id", "")
        where = f"species {id!r}"
        context.keep(element, id)
        amount, concentration = (real(context, element, name, where) for name in ("initialAmount", "initialConcentration"))
        point = element.attributes.get("compartment") in points
        if context.level[0] == 2 and element.attributes.get("substanceUnits") == "substance":  # what it is anyway
            del element.attributes["substanceUnits"]
        if amount is not None and concentration is not None:
            context.refuse(element, f"{where}: has both an initial amount and an initial concentration")
        if concentration is not None and point:
            context.refuse(element, f"{where}: has an initial concentration in a compartment without dimensions")
        result.append(
            {
                **_named(element, id, ("substanceUnits", "units"), ("conversionFactor", "conversion_factor")),
                "compartment": element.attributes.get("compartment", ""),
                "initial": amount if concentration is None else concentration,
                "initial_is_concentration": concentration is not None,
                "substance_only": point or flag(context, element, "hasOnlySubstanceUnits", False, where),
                "boundary": flag(context, element, "boundaryCondition", False, where),
                "constant": flag(context, element, "constant", False, where),
            }
        )
    return result


def parameters(context: Context, model: Element) -> list[Plain]:
    """Parameters of the whole model."""
    return [parameter(context, e, e.attributes.get("id", "")) for e in model.listed("listOfParameters")]


def parameter(context: Context, element: Element, key: str) -> Plain:
    """A parameter, of the model or of a law."""
    where = f"parameter {key!r}"
    context.keep(element, key)
    constant = flag(context, element, "constant", True, where)
    return {
        **_named(element, element.attributes.get("id", ""), ("units", "units")),
        "value": real(context, element, "value", where),
        "constant": constant,
    }


def functions(context: Context, model: Element) -> list[Plain]:
    """Functions; one without a body is left out: a call of it is found where it stands."""
    result = []
    for element in model.listed("listOfFunctionDefinitions"):
        id = element.attributes.get("id", "")
        where = f"function {id!r}"
        math = next((c for c in element.children if c.name == "math"), None)
        arguments, body = function(math, context.reporting(where)) if math else ([], None)
        if body is None:
            context.warn(element, f"{where} has no body and is left out")
            continue
        context.keep(element, id)
        result.append({**_named(element, id), "arguments": arguments, "body": {"math": body}})
    return result


def rules(context: Context, model: Element) -> list[Plain]:
    """Rules; one without a formula says nothing and is left out."""
    result: list[Plain] = []
    for element in model.listed("listOfRules"):
        kind = element.name.removesuffix("Rule")
        if kind not in ("assignment", "rate", "algebraic"):
            context.refuse(element, f"found <{element.name}>, expected a rule")
            continue
        variable = element.attributes.get("variable", "") if kind != "algebraic" else ""
        where = f"{kind} rule of {variable!r}" if variable else "algebraic rule"
        math = context.math(element, where)
        if math is None:
            context.warn(element, f"{where}: has no formula and is left out")
            continue
        context.keep(element, f"{variable}.rule" if variable else f".rule{len(result)}")
        result.append({"kind": kind, "math": {"math": math}, "variable": variable, "line": element.line})
    return result


def initial_assignments(context: Context, model: Element) -> list[list[Any]]:
    """[id, formula] of initial assignments; one without a formula says nothing and is left out."""
    result = []
    for element in model.listed("listOfInitialAssignments"):
        symbol = element.attributes.get("symbol", "")
        math = context.math(element, f"initial assignment of {symbol!r}")
        if math is None:
            context.warn(element, f"initial assignment of {symbol!r}: has no formula and is left out")
            continue
        context.keep(element, f"{symbol}.initial")
        result.append([symbol, {"math": math}])
    return result


def events(context: Context, model: Element, taken: set[str]) -> list[Plain]:
    """Events; one without a trigger never happens and is left out. An event without an id gets one that is not `taken`."""
    result: list[Plain] = []
    listed = model.listed("listOfEvents")
    taken = taken | {e.attributes["id"] for e in listed if "id" in e.attributes}
    for element in listed:
        id = element.attributes.get("id") or _free("event", len(result) + 1, taken)
        taken.add(id)
        where = f"event {id!r}"
        trigger, delay, priority = (element.child(name) for name in ("trigger", "delay", "priority"))
        condition = context.math(trigger, f"{where}, trigger") if trigger else None
        if trigger is None or condition is None:
            context.warn(element, f"{where}: has no trigger, never happens and is left out")
            continue
        if "timeUnits" in element.attributes:
            context.refuse(element, f"{where}: timeUnits {element.attributes['timeUnits']!r} of its own for the delay")
        context.keep(element, id)
        event: Plain = {**_named(element, id), "trigger": {"math": condition}, "line": element.line}
        event["assignments"] = list(_assignments(context, element, id))
        event["values_at_trigger"] = flag(context, element, "useValuesFromTriggerTime", True, where)
        event["initial_value"] = flag(context, trigger, "initialValue", True, where)
        event["persistent"] = flag(context, trigger, "persistent", True, where)
        for name, part in (("trigger", trigger), ("delay", delay), ("priority", priority)):
            if part is not None:
                context.keep(part, f"{id}.{name}")
                if name != "trigger" and (math := context.math(part, f"{where}, {name}")) is not None:
                    event[name] = {"math": math}
        result.append(event)
    return result


def _assignments(context: Context, event: Element, id: str) -> Iterator[list[Any]]:
    where = f"event {id!r}"
    for element in event.listed("listOfEventAssignments"):
        variable = element.attributes.get("variable", "")
        math = context.math(element, f"{where}, assignment to {variable!r}")
        if math is None:
            context.warn(element, f"{where}: the assignment to {variable!r} has no formula and is left out")
            continue
        context.keep(element, f"{id}.{variable}")
        yield [variable, {"math": math}]


def _free(stem: str, number: int, taken: set[str]) -> str:
    """stem_number, or the next that is not taken."""
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"
