"""What the child does: libSBML's findings with their lines, level 1 raised, submodels written out flat."""

from __future__ import annotations

import pytest

from sciml.biology.expressions import operation
from sciml.biology.sbml.parser import libsbml_document, parse_sbml_text, read
from sciml.biology.sbml.read import network_from_record
from sciml.errors import DataError
from tests.biology.sbml import texts

COMP = ' xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'
SUBMODELS = '<comp:listOfSubmodels><comp:submodel comp:id="A" comp:modelRef="inner"/>'
SUBMODELS += '<comp:submodel comp:id="B" comp:modelRef="{}"/></comp:listOfSubmodels>'
INNER = '<comp:listOfModelDefinitions><comp:modelDefinition id="inner"><listOfParameters><parameter id="k" value="2" constant="true"/>'
INNER += "</listOfParameters></comp:modelDefinition></comp:listOfModelDefinitions>"
OTHER = '<comp:externalModelDefinition comp:id="other" comp:source="other.xml"/>'
OTHER = f"<comp:listOfExternalModelDefinitions>{OTHER}</comp:listOfExternalModelDefinitions>"


def composed(second: str) -> str:
    return texts.document(SUBMODELS.format(second), (3, 1), root=COMP).replace("</model>", f"</model>{INNER}{OTHER}")


def test_submodels_are_written_out_flat():
    found = parse_sbml_text(composed("inner"))
    assert [p["id"] for p in found["network"]["parameters"]] == ["A__k", "B__k"]
    assert found["unsupported"] == []
    assert "as libSBML wrote it out" in found["warnings"][-1]


@pytest.mark.parametrize(
    "fault",
    [
        '<comp:listOfDeletions><comp:deletion comp:idRef="nope"/></comp:listOfDeletions>',
        '<comp:listOfDeletions><comp:deletion comp:portRef="nope"/></comp:listOfDeletions>',
    ],
)
def test_submodels_that_name_nothing_are_refused(fault):
    text = composed("inner").replace('comp:modelRef="inner"/>', f'comp:modelRef="inner">{fault}</comp:submodel>', 1)
    (finding,) = parse_sbml_text(text)["unsupported"]
    assert "must be the identi" in finding or "portRef" in finding
    circular = composed("inner").replace(
        "</listOfParameters></comp:modelDefinition>", f"</listOfParameters>{SUBMODELS.format('inner')}</comp:modelDefinition>"
    )
    assert "could not be written out flat" in "; ".join(parse_sbml_text(circular)["unsupported"])


def test_external_models_come_from_what_is_given_alone():
    other = texts.document(texts.parameters("q"), (3, 1))
    found = parse_sbml_text(composed("other"), {"other.xml": other})
    assert [p["id"] for p in found["network"]["parameters"]] == ["A__k", "B__q"]
    missing = parse_sbml_text(composed("other"))
    assert "could not be written out flat" in "; ".join(missing["unsupported"])


def test_an_external_model_of_another_version_is_raised_unless_something_would_be_lost():
    main = composed("other").replace(texts.SPACES[3, 1], texts.SPACES[3, 2]).replace('level="3" version="1"', 'level="3" version="2"')
    reaction = '<listOfReactions><reaction id="R" fast="{}" reversible="false"/></listOfReactions>'
    found = parse_sbml_text(main, {"other.xml": texts.document(reaction.format("false"), (3, 1))})
    assert [r["id"] for r in found["network"]["reactions"]] == ["B__R"]
    assert found["unsupported"] == []
    assert parse_sbml_text(main, {"other.xml": texts.document(reaction.format("true"), (3, 1))})["unsupported"]


def test_level_1_is_raised():
    text = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="old">
<listOfCompartments><compartment name="c" volume="2"/></listOfCompartments>
<listOfSpecies><species name="S" compartment="c" initialAmount="3"/></listOfSpecies>
<listOfParameters><parameter name="k" value="0.1"/></listOfParameters>
<listOfReactions><reaction name="R" reversible="false">
<listOfReactants><speciesReference species="S" stoichiometry="3" denominator="2"/></listOfReactants>
<kineticLaw formula="k*S^2/(1+S)"/></reaction></listOfReactions></model></sbml>"""
    network = network_from_record("old", parse_sbml_text(text))
    (reaction,) = network.reactions
    assert reaction.law == operation("divide", operation("times", "k", operation("power", "S", 2)), operation("plus", 1, "S"))
    assert reaction.reactants[0].stoichiometry == 1.5
    assert network.compartments[0].size == 2


def test_lines_are_those_of_the_file_with_and_without_declaration():
    text = texts.document('<listOfCompartments>\n<compartment id="c" colour="red" constant="true"/></listOfCompartments>')
    for variant in (text, text.partition("?>")[2]):
        (finding,) = parse_sbml_text(variant)["unsupported"]
        assert finding.startswith("line 5: Invalid attribute found on Compartment object")
    assert libsbml_document(text).getNumErrors() == 1


def test_faults_of_notes_are_warnings():
    found = parse_sbml_text(texts.document("<notes><p>not XHTML</p></notes>"))
    assert found["unsupported"] == []
    assert found["warnings"][0].startswith("line 3: Notes must be placed")


def test_errors_name_the_file():
    with pytest.raises(DataError, match=r"^some/file\.xml: "):
        read("some/file.xml", "<sbml/>", {})
    with pytest.raises(DataError, match=r"^f: "):
        read("f", "<sbml", {})
