"""libSBML's checks find what they are for; one that does not end is said, not waited for."""

from __future__ import annotations

import pytest

from sciml.biology.sbml.consistency import check, consistency_problems
from sciml.errors import DataError
from tests.biology.sbml import texts


def nested(levels: int) -> str:
    """Functions nested in each other: written out, 2^levels terms."""

    def definition(number: int, inside: str) -> str:
        lambda_ = f"<lambda><bvar><ci>x</ci></bvar>{inside}</lambda>"
        return f'<functionDefinition id="f{number}">{texts.math(lambda_)}</functionDefinition>'

    twice = "<apply><plus/><apply><ci>f{0}</ci><ci>x</ci></apply><apply><ci>f{0}</ci><ci>x</ci></apply></apply>"
    functions = definition(0, "<ci>x</ci>") + "".join(definition(i, twice.format(i - 1)) for i in range(1, levels))
    rule = texts.math(f"<apply><ci>f{levels - 1}</ci><cn>1</cn></apply>")
    return texts.document(
        f"<listOfFunctionDefinitions>{functions}</listOfFunctionDefinitions>{texts.parameters('p')}"
        f'<listOfRules><assignmentRule variable="p">{rule}</assignmentRule></listOfRules>'
    )


def test_findings_have_lines():
    text = texts.document(f'<listOfRules><rateRule variable="zz">{texts.math("<cn>1</cn>")}</rateRule></listOfRules>')
    (found,) = check("f", text, ["GENERAL_CONSISTENCY", "IDENTIFIER_CONSISTENCY"])[0]["problems"]
    assert found.startswith("line 4: ")
    assert "zz" in found
    assert check("f", texts.document(""), ["GENERAL_CONSISTENCY"]) == ({"problems": []}, {})


def test_a_check_without_end_is_said(tmp_path):
    file = tmp_path / "nested.xml"
    file.write_text(nested(30))
    found = consistency_problems(file, seconds=0.5)
    assert [line for line in found if "not finished" in line and "units" in line]


def test_no_model_is_an_error(tmp_path):
    (tmp_path / "page.xml").write_text("<html/>")
    with pytest.raises(DataError, match=r"page\.xml"):
        consistency_problems(tmp_path / "page.xml")
