"""Species, compartments, parameters, functions, rules and events mean what their level says."""

from __future__ import annotations

from sciml.biology.expressions import number
from sciml.biology.network import Compartment, Event, Function, Parameter, Rule, Species
from tests.biology.sbml import texts

CELL_2 = '<listOfCompartments><compartment id="c" size="2"/><compartment id="p" spatialDimensions="0"/></listOfCompartments>'
CELL_3 = '<listOfCompartments><compartment id="c" constant="true"/></listOfCompartments>'


def test_level_2_defaults():
    network = texts.network(
        CELL_2
        + '<listOfSpecies><species id="A" compartment="c"/><species id="B" compartment="c" initialConcentration="3" name="b"/>'
        + '<species id="C" compartment="p" initialAmount="1" substanceUnits="substance"/></listOfSpecies>'
        + '<listOfParameters><parameter id="k"/></listOfParameters>',
        (2, 4),
    )
    assert network.compartments == (Compartment("c", 2.0), Compartment("p", None, 0.0))
    assert network.species == (
        Species("A", None, "c", substance_only=False),
        Species("B", 3.0, "c", initial_is_concentration=True, substance_only=False, name="b"),
        Species("C", 1.0, "p", substance_only=True),  # a point holds amounts only
    )
    assert network.parameters == (Parameter("k", None),)


def test_level_3_says_everything():
    network = texts.network(
        CELL_3
        + '<listOfSpecies><species id="A" compartment="c" initialAmount="0.1" substanceUnits="mole" hasOnlySubstanceUnits="true" '
        + 'boundaryCondition="true" constant="true" conversionFactor="f"/></listOfSpecies>'
        + '<listOfParameters><parameter id="f" value="2" units="litre" constant="true"/></listOfParameters>'
    )
    assert network.compartments == (Compartment("c", None),)
    assert network.species == (Species("A", 0.1, "c", boundary=True, constant=True, units="mole", conversion_factor="f"),)
    assert network.parameters == (Parameter("f", 2.0, units="litre"),)


def test_two_starts_are_refused():
    species = '<species id="A" compartment="{}" {} hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>'
    both = species.format("c", 'initialAmount="1" initialConcentration="1"')
    assert "species 'A': has both an initial amount" in texts.unsupported(f"{CELL_3}<listOfSpecies>{both}</listOfSpecies>")
    point = CELL_3.replace('id="c"', 'id="c" spatialDimensions="0"')
    inside = species.format("c", 'initialConcentration="1"')
    assert "in a compartment without dimensions" in texts.unsupported(f"{point}<listOfSpecies>{inside}</listOfSpecies>")


def test_functions_keep_their_names_and_one_without_body_is_no_function():
    lambda_ = texts.math("<lambda><bvar><ci>a</ci></bvar><ci>a</ci></lambda>")
    body = f'<listOfFunctionDefinitions><functionDefinition id="f">{lambda_}</functionDefinition><functionDefinition id="g"/>'
    network = texts.network(body + "</listOfFunctionDefinitions>")
    assert [(f.id, f.arguments, f.body.value) for f in network.functions] == [("f", ("a",), "a")]
    assert isinstance(network.functions[0], Function)
    assert "function 'g' has no body" in network.warnings[0]
    called = f'{body}</listOfFunctionDefinitions>{texts.parameters("p")}<listOfRules><assignmentRule variable="p">'
    called += texts.math("<apply><ci>g</ci></apply>") + "</assignmentRule></listOfRules>"
    assert "calls 'g', which is no function of the model or has no body" in texts.unsupported(called)


def test_rules_and_initial_assignments_without_a_formula_say_nothing():
    one = texts.math("<cn>1</cn>")
    body = texts.parameters("a", "b", "c")
    body += f'<listOfInitialAssignments><initialAssignment symbol="a">{one}</initialAssignment><initialAssignment symbol="b"/>'
    body += f'</listOfInitialAssignments><listOfRules><rateRule variable="a">{one}</rateRule><assignmentRule variable="b"/>'
    network = texts.network(body + f"<algebraicRule>{one}</algebraicRule></listOfRules>")
    assert network.rules == (Rule("rate", number(1), "a"), Rule("algebraic", number(1)))
    assert network.initial_assignments == (("a", number(1)),)
    assert network.rules[0].line == 8
    assert len(network.warnings) == 2


TRIGGER = texts.math("<true/>")
ASSIGNMENT = f'<listOfEventAssignments><eventAssignment variable="a">{texts.math("<cn>1</cn>")}</eventAssignment></listOfEventAssignments>'


def test_events_of_level_2_have_their_defaults_and_get_ids():
    body = texts.parameters("a", "event_1")
    event = f"<event><trigger>{TRIGGER}</trigger><delay>{texts.math('<cn>2</cn>')}</delay>{ASSIGNMENT}</event>"
    network = texts.network(f"{body}<listOfEvents>{event}{event}</listOfEvents>", (2, 4))
    assert [e.id for e in network.events] == ["event_2", "event_3"]  # event_1 is taken
    first = network.events[0]
    assert isinstance(first, Event)
    assert (first.persistent, first.initial_value, first.values_at_trigger) == (True, True, True)
    assert first.delay == number(2)
    assert first.priority is None
    assert first.assignments == (("a", number(1)),)


def test_events_of_level_3():
    trigger = f'<trigger initialValue="false" persistent="false">{TRIGGER}</trigger><priority>{texts.math("<cn>3</cn>")}</priority>'
    event = f'<event id="e" name="n" useValuesFromTriggerTime="false">{trigger}{ASSIGNMENT}</event>'
    silent = '<event id="s" useValuesFromTriggerTime="false"/>'
    network = texts.network(f"{texts.parameters('a')}<listOfEvents>{event}{silent}</listOfEvents>")
    (found,) = network.events
    assert (found.id, found.name, found.persistent, found.initial_value, found.values_at_trigger) == ("e", "n", False, False, False)
    assert found.priority == number(3)
    assert "event 's': has no trigger" in network.warnings[0]


def test_a_time_unit_of_its_own_is_refused():
    event = f'<event id="e" timeUnits="second"><trigger>{TRIGGER}</trigger>{ASSIGNMENT}</event>'
    body = f"{texts.parameters('a')}<listOfEvents>{event}</listOfEvents>"
    assert "event 'e': timeUnits 'second'" in texts.unsupported(body, (2, 1))
