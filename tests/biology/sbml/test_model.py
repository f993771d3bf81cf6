"""The document as a whole: packages, unknown parts, what is left out with a word."""

from __future__ import annotations

import pytest

from sciml.biology.sbml.model import required_packages
from sciml.biology.sbml.tree import parse
from sciml.errors import DataError
from tests.biology.sbml import texts


def package(name: str, required: bool) -> str:
    uri = f"http://www.sbml.org/sbml/level3/version1/{name}/version1"
    return f' xmlns:{name}="{uri}" {name}:required="{str(required).lower()}"'


@pytest.mark.parametrize("name", ["qual", "distrib", "spatial", "multi", "arrays", "dyn", "req"])
def test_required_packages_are_refused_by_name(name):
    said = texts.unsupported("", (3, 1), root=package(name, True))
    assert f"line 2: the package {name!r} is required" in said


@pytest.mark.parametrize("name", ["fbc", "layout", "render", "groups"])
def test_packages_that_are_not_required_change_nothing(name):
    assert texts.unsupported("", (3, 1), root=package(name, False)) == ""


def test_several_packages_at_once():
    root = parse(texts.document("", (3, 1), root=package("qual", True) + package("multi", True) + package("fbc", False)))
    assert required_packages(root) == ["qual", "multi"]


def test_extended_mathematics_of_version_1_is_known():
    largest = texts.math("<apply><max/><cn>1</cn><cn>2</cn></apply>")
    rule = f'<listOfRules><assignmentRule variable="a">{largest}</assignmentRule></listOfRules>'
    body = texts.parameters("a") + rule
    assert "<max>" in texts.unsupported(body, (3, 1))  # libSBML: not without the package
    assert texts.unsupported(body, (3, 1), root=package("l3v2extendedmath", True)) == ""
    assert texts.unsupported(body, (3, 2)) == ""


def test_unknown_parts_are_refused_with_their_line():
    said = texts.unsupported(
        '\n<listOfWidgets/><listOfCompartments>\n<compartment id="c" colour="red" constant="true"/></listOfCompartments>'
    )
    assert "line 5: found <listOfWidgets>" in said
    assert "line 6: Invalid attribute found on Compartment object: Attribute 'colour'" in said


def test_what_libsbml_does_not_mind_is_refused_too():
    twice = "<listOfReactions><reaction id='R' reversible='false'><listOfReactants/><listOfReactants/></reaction></listOfReactions>"
    assert "line 4: found <listOfReactants> twice in <reaction>" in texts.unsupported(twice)
    assert "line 3: found the text 'stray words' in <model>" in texts.unsupported("stray words")
    formula = texts.math("<apply><plus/><cn>1</cn> + <cn>1</cn></apply>")
    rule = f"{texts.parameters('a')}<listOfRules><rateRule variable='a'>{formula}</rateRule></listOfRules>"
    assert "line 6: found the text '+' in <apply>" in texts.unsupported(rule)


def test_constraints_are_left_out_with_a_word():
    network = texts.network(f"<listOfConstraints><constraint>{texts.math('<true/>')}</constraint></listOfConstraints>")
    assert network.warnings == ("line 4: a constraint is not watched and left out",)


def test_types_of_level_2_do_no_harm():
    body = '<listOfCompartmentTypes><compartmentType id="t"/></listOfCompartmentTypes>'
    body += '<listOfSpeciesTypes><speciesType id="u"/></listOfSpeciesTypes>'
    body += '<listOfCompartments><compartment id="o"/><compartment id="c" compartmentType="t" outside="o"/></listOfCompartments>'
    body += '<listOfSpecies><species id="S" speciesType="u" compartment="c" charge="2"/></listOfSpecies>'
    network = texts.network(body, (2, 4))
    assert [s.id for s in network.species] == ["S"]
    assert network.level == (2, 4)


def test_no_model_at_all():
    with pytest.raises(DataError, match="no model"):
        texts.parse_sbml_text(f'<sbml xmlns="{texts.SPACES[3, 2]}" level="3" version="2"/>')


def test_names_ids_and_conversion_factor_of_the_model():
    network = texts.network(texts.parameters("f", constant=True), attributes=' name="long name" conversionFactor="f"')
    assert (network.id, network.name, network.conversion_factor, network.level) == ("m", "long name", "f", (3, 2))
