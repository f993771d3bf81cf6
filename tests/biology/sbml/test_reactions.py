"""Laws are literal; S + S is 2 S; stoichiometries of level 2 formulas become rules."""

from __future__ import annotations

import pytest

from sciml.biology.expressions import operation
from sciml.biology.network import Parameter, Participant
from tests.biology.sbml import texts

CELL = '<listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments><listOfSpecies>'
MORE = '" compartment="c" initialAmount="1" hasOnlySubstanceUnits="true" boundaryCondition="false" constant="false"/>'
CELL += "".join(f'<species id="{id}{MORE}' for id in "SPE") + "</listOfSpecies>"
LAW = texts.math("<apply><times/><ci>k</ci><ci>S</ci><ci>E</ci></apply>")


def reference(species: str, more: str = ' stoichiometry="1" constant="true"') -> str:
    return f'<speciesReference species="{species}"{more}/>'


def reaction(reactants: str, law: str, attributes: str = ' reversible="false"', before: str = "") -> str:
    listed = f"<listOfReactants>{reactants}</listOfReactants>" if reactants else ""
    return f'{CELL}{before}<listOfReactions><reaction id="R"{attributes}>{listed}{law}</reaction></listOfReactions>'


LOCAL = f'<listOfModifiers><modifierSpeciesReference species="E"/></listOfModifiers><kineticLaw>{LAW}<listOfLocalParameters>'
LOCAL += '<localParameter id="k" value="3" units="second"/></listOfLocalParameters></kineticLaw>'


def test_law_local_parameters_and_modifiers():
    found = texts.network(reaction(reference("S"), LOCAL, ' reversible="true" compartment="c" name="n"')).reactions[0]
    assert found.law == operation("times", "k", "S", "E")
    assert found.local == (Parameter("k", 3.0, units="second"),)
    assert found.modifiers == ("E",)
    assert (found.reversible, found.fast, found.compartment, found.name, found.mass_action) == (True, False, "c", "n", False)
    assert found.line == 4


def test_level_2_keeps_fast_and_its_defaults():
    body = reaction('<speciesReference species="S"/>', f"<kineticLaw>{LAW}</kineticLaw>", ' fast="true"', texts.parameters("k"))
    body = body.replace("<kineticLaw>", '<listOfModifiers><modifierSpeciesReference species="E"/></listOfModifiers><kineticLaw>')
    found = texts.network(body, (2, 4)).reactions[0]
    assert (found.fast, found.reversible) == (True, True)
    assert found.reactants == (Participant("S"),)


def test_the_same_species_twice_counts_twice():
    twice = texts.network(reaction(reference("S") + reference("P") + reference("S"), "")).reactions[0]
    once = texts.network(reaction(reference("S", ' stoichiometry="2" constant="true"') + reference("P"), "")).reactions[0]
    assert twice == once
    assert twice.law is None
    named = texts.network(reaction(reference("S") + reference("S", ' id="n" stoichiometry="1" constant="true"'), "")).reactions[0]
    assert [p.id for p in named.reactants] == ["", "n"]  # one with a name of its own stays apart


def test_stoichiometry_by_a_formula_in_level_2():
    formula = f"<stoichiometryMath>{texts.math('<apply><times/><cn>2</cn><ci>k</ci></apply>')}</stoichiometryMath>"
    body = reaction(f'<speciesReference species="S">{formula}</speciesReference>', "", "", texts.parameters("k", constant=True))
    network = texts.network(body, (2, 4))
    assert network.reactions[0].reactants == (Participant("S", None, "R_reactants_S", constant=False),)
    (rule,) = network.rules
    assert (rule.kind, rule.variable, rule.math) == ("assignment", "R_reactants_S", operation("times", 2, "k"))
    number = formula.replace("<apply><times/><cn>2</cn><ci>k</ci></apply>", '<cn type="rational"> 3 <sep/> 2 </cn>')
    body = reaction(f'<speciesReference species="S">{number}</speciesReference>', "", "")
    assert texts.network(body, (2, 4)).reactions[0].reactants == (Participant("S", 1.5),)


def test_a_named_stoichiometry_of_level_3():
    one = texts.math("<cn>2</cn>")
    before = f'<listOfInitialAssignments><initialAssignment symbol="n">{one}</initialAssignment></listOfInitialAssignments>'
    network = texts.network(reaction(reference("S", ' id="n" constant="true"'), "", before=before))
    assert network.reactions[0].reactants == (Participant("S", None, "n"),)
    assert network.initial_assignments[0][0] == "n"
    assert "'S' has no stoichiometry and nothing determines one" in texts.unsupported(reaction(reference("S", ' constant="true"'), ""))


@pytest.mark.parametrize("name", ["timeUnits", "substanceUnits"])
def test_units_of_a_law_are_refused(name):
    body = reaction('<speciesReference species="S"/>', f'<kineticLaw {name}="second">{texts.math("<cn>1</cn>")}</kineticLaw>', "")
    assert f"the law of reaction 'R': {name} 'second'" in texts.unsupported(body, (2, 1))


def test_a_law_without_formula_is_a_rate_of_zero():
    network = texts.network(reaction(reference("S"), "<kineticLaw/>"))
    assert network.reactions[0].law is None
    assert "its rate is zero" in network.warnings[0]
