"""Everything that refers to nothing, contradicts itself or goes round in a circle is listed at once."""

from __future__ import annotations

import pytest

from sciml.biology.sbml.references import symbols_of
from tests.biology.sbml import texts

ONE = texts.math("<cn>1</cn>")


def rule(variable: str, content: str, kind: str = "assignment") -> str:
    return f'<{kind}Rule variable="{variable}">{texts.math(content)}</{kind}Rule>\n'


def rules(*listed: str) -> str:
    return f"<listOfRules>{''.join(listed)}</listOfRules>"


def test_symbols_and_calls_of_a_formula():
    assert symbols_of(["plus", "a", ["call", "f", "b", 2.0], ["time"]]) == ({"a", "b"}, {("f", 2)})


CELL = '<listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments>'
SPECIES = '<listOfSpecies><species id="S" compartment="{}" initialAmount="1" hasOnlySubstanceUnits="true" '
SPECIES += 'boundaryCondition="{}" constant="{}"{}/>'
SPECIES += "</listOfSpecies>"
REACTION = '<listOfReactions><reaction id="R" reversible="false"><listOfProducts><speciesReference species="{}" stoichiometry="1" '
REACTION += 'constant="true"/></listOfProducts><listOfModifiers><modifierSpeciesReference species="{}"/></listOfModifiers>'
REACTION += "</reaction></listOfReactions>"
EVENT = '<listOfEvents><event id="e" useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">'
EVENT += texts.math("<true/>") + '</trigger><listOfEventAssignments><eventAssignment variable="a">'
EVENT += f"{ONE}</eventAssignment></listOfEventAssignments></event></listOfEvents>"
FUNCTION = '<functionDefinition id="{}">' + texts.math("<lambda><bvar><ci>x</ci></bvar>{}</lambda>") + "</functionDefinition>"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (texts.parameters("a") + rules(rule("a", "<ci>zz</ci>")), "the assignment rule of 'a': has 'zz', which is no element"),
        (texts.parameters("a") + rules(rule("zz", "<cn>1</cn>")), "the assignment rule of 'zz': that is no species"),
        (texts.parameters("a", "a"), "the id 'a' is used twice"),
        (texts.parameters("a") + rules(rule("a", "<cn>1</cn>"), rule("a", "<cn>1</cn>", "rate")), "another rule determines it too"),
        (texts.parameters("a", constant=True) + rules(rule("a", "<cn>1</cn>", "rate")), "'a' is declared constant"),
        (texts.parameters("a", constant=True) + EVENT, "event 'e', assignment to 'a': 'a' is declared constant"),
        (texts.parameters("b") + EVENT, "event 'e', assignment to 'a': that is no species"),
        (texts.parameters("a") + rules(rule("a", "<cn>1</cn>")) + EVENT, "an assignment rule determines it at all times"),
        (texts.parameters("a") + rules(rule("a", "<apply><ci>g</ci></apply>")), "calls 'g', which is no function"),
        (texts.parameters("a", "b") + rules(rule("a", "<ci>b</ci>"), rule("b", "<ci>a</ci>")), "in a circle: "),
        (CELL + SPECIES.format("d", "false", "false", ""), "species 'S': lies in compartment 'd'"),
        (CELL + SPECIES.format("c", "false", "false", ' conversionFactor="k"'), "conversion factor 'k' is no parameter"),
        (CELL + SPECIES.format("c", "false", "false", "") + REACTION.format("T", "S"), "reaction 'R': has 'T', which is no species"),
        (CELL + SPECIES.format("c", "false", "false", "") + REACTION.format("S", "c"), "the modifier 'c', which is no species"),
        (
            CELL + SPECIES.format("c", "false", "false", "") + rules(rule("S", "<cn>1</cn>")) + REACTION.format("S", "S"),
            "reactions change it too; only a boundary species",
        ),
        (
            f"<listOfFunctionDefinitions>{FUNCTION.format('f', '<ci>x</ci>')}</listOfFunctionDefinitions>"
            + texts.parameters("a")
            + rules(rule("a", "<apply><ci>f</ci></apply>")),
            "calls 'f' with 0 arguments, it takes 1",
        ),
        (
            f"<listOfFunctionDefinitions>{FUNCTION.format('f', '<apply><ci>f</ci><ci>x</ci></apply>')}</listOfFunctionDefinitions>",
            "in a circle: f -> f",
        ),
        (
            texts.parameters("a")
            + f'<listOfInitialAssignments><initialAssignment symbol="a">{ONE}</initialAssignment></listOfInitialAssignments>'
            + rules(rule("a", "<cn>1</cn>")),
            "something else determines it at the start too",
        ),
        (
            texts.parameters("a")
            + '<listOfInitialAssignments><initialAssignment symbol="a">'
            + f"{texts.math('<ci>a</ci>')}</initialAssignment></listOfInitialAssignments>",
            "in a circle: initial a",
        ),
    ],
)
def test_faults(body, said):
    assert said in texts.unsupported(body)


def test_all_faults_come_at_once_with_their_lines():
    listed = texts.record(texts.parameters("a", "b") + rules(rule("a", "<ci>x</ci>"), rule("b", "<ci>y</ci>")))["unsupported"]
    assert [entry.partition(":")[0] for entry in listed] == ["line 7", "line 8"]


def test_what_is_allowed_stays_allowed():
    boundary = CELL + SPECIES.format("c", "true", "false", "") + rules(rule("S", "<cn>1</cn>")) + REACTION.format("S", "S")
    assert texts.unsupported(boundary) == ""
    chain = "".join(rule(f"p{i}", f"<ci>p{i - 1}</ci>") for i in range(1, 50))
    assert texts.unsupported(texts.parameters(*(f"p{i}" for i in range(50))) + rules(chain)) == ""


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("\n" + CELL + "\n" + SPECIES.format("d", "false", "false", ""), 6),
        (texts.parameters("a", "b") + rules(rule("a", "<ci>b</ci>"), rule("b", "<ci>a</ci>")), 7),
    ],
)
def test_findings_have_the_line_of_their_element(body, line):
    assert texts.unsupported(body).startswith(f"line {line}")
