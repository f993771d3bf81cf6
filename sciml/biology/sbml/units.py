"""The units of a model in the plain form of a network: level 3's attributes, level 2's built-in ids and defaults."""

from __future__ import annotations

from typing import Any

from sciml.biology.sbml.context import Context, real
from sciml.biology.sbml.elements import Plain
from sciml.biology.sbml.tree import Element

__all__ = ["units"]

_LEVEL_3 = {f"{field}Units": field for field in ("substance", "time", "volume", "area", "length", "extent")}
_BUILT_IN: dict[str, tuple[str, float]] = {
    "substance": ("mole", 1.0),
    "volume": ("litre", 1.0),
    "area": ("metre", 2.0),
    "length": ("metre", 1.0),
    "time": ("second", 1.0),
}
"""Level 2's built-in units and what they are where a model does not say otherwise."""


def units(context: Context, model: Element, used: set[str]) -> Plain:
    """Units of the model. `used`: ids of units that its elements name.

    In level 2 a quantity has the unit of the built-in id, which the model may define anew; the substance of a model that does not stays
    None, since by the standard it is mole and in fact often a count. A built-in id that elements name is written out as a definition.
    """
    definitions = [_definition(context, element) for element in model.listed("listOfUnitDefinitions")]
    if context.level[0] >= 3:
        found: Plain = {field: model.attributes[name] for name, field in _LEVEL_3.items() if name in model.attributes}
        return {**found, "definitions": definitions}
    own = {id for id, _ in definitions}
    found = {name: name for name in _BUILT_IN if name in own}
    found |= {name: _BUILT_IN[name][0] for name in ("volume", "length", "time") if name not in own}
    if "substance" in own:
        found["extent"] = "substance"
    definitions += [[id, [_unit(*_BUILT_IN[id])]] for id in _BUILT_IN if id in used and id not in own]
    return {**found, "definitions": definitions}


def _definition(context: Context, element: Element) -> list[Any]:
    id = element.attributes.get("id", "")
    context.keep(element, f"units.{id}")
    factors = []
    for part in element.listed("listOfUnits"):
        where = f"unit definition {id!r}"
        numbers = {name: real(context, part, name, where) for name in ("exponent", "scale", "multiplier", "offset")}
        if numbers["offset"]:
            context.warn(part, f"{where}: the offset {numbers['offset']:g} is left out; it changes no number of the model")
        scale = 0.0 if numbers["scale"] is None else numbers["scale"]
        if not scale.is_integer():
            context.refuse(part, f"{where}: scale is {scale:g}, expected a whole number")
        factors.append(
            {
                "kind": part.attributes.get("kind", ""),
                "exponent": 1.0 if numbers["exponent"] is None else numbers["exponent"],
                "scale": int(scale) if scale.is_integer() else 0,
                "multiplier": 1.0 if numbers["multiplier"] is None else numbers["multiplier"],
            }
        )
    return [id, factors]


def _unit(kind: str, exponent: float) -> Plain:
    return {"kind": kind, "exponent": exponent, "scale": 0, "multiplier": 1.0}
