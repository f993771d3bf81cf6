"""Units of level 3 are what the model says; level 2 has built-in ids, which a model may define anew."""

from __future__ import annotations

from sciml.biology.network import Unit, Units
from tests.biology.sbml import texts

NANO = '<listOfUnitDefinitions><unitDefinition id="{}"><listOfUnits><unit kind="mole" scale="-9"{}/></listOfUnits></unitDefinition>'
NANO += "</listOfUnitDefinitions>"


def test_level_3():
    body = NANO.format("nM", ' exponent="1" multiplier="2.5"')
    attributes = ' substanceUnits="nM" timeUnits="second" volumeUnits="litre" areaUnits="nM" lengthUnits="metre" extentUnits="mole"'
    units = texts.network(body, attributes=attributes).units
    assert units == Units("nM", "second", "litre", "nM", "metre", "mole", (("nM", (Unit("mole", 1.0, -9, 2.5),)),))
    assert texts.network("").units == Units()


def test_level_2_leaves_an_undeclared_substance_open():
    assert texts.network("", (2, 4)).units == Units(None, "second", "litre", None, "metre")


def test_level_2_with_its_own_substance():
    units = texts.network(NANO.format("substance", ""), (2, 4)).units
    assert (units.substance, units.extent) == ("substance", "substance")
    assert dict(units.definitions) == {"substance": (Unit("mole", 1.0, -9, 1.0),)}


def test_built_in_ids_that_are_used_are_written_out():
    body = '<listOfParameters><parameter id="k" value="1" units="area"/></listOfParameters>'
    units = texts.network(body, (2, 4)).units
    assert dict(units.definitions) == {"area": (Unit("metre", 2.0),)}
    assert units.substance is None


def test_an_offset_is_said():
    body = NANO.format("warm", ' offset="3"')
    assert "offset 3 is left out" in texts.network(body, (2, 1)).warnings[0]
