"""What runs in the sandbox's child: libSBML reads and judges a text, writes `comp` models out flat, and the elements become plain data.

libSBML is asked for what it says while reading (schema, MathML, packages), never for its full consistency and unit checks.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sciml import files
from sciml.biology.sbml.context import Context
from sciml.biology.sbml.model import read_model
from sciml.biology.sbml.tree import parse
from sciml.errors import DataError

__all__ = ["libsbml_document", "libsbml_said", "parse_sbml_text", "read"]

_DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>"
_REFERENCE = re.compile(r"(.*?)\s*Reference: L\dV\d Section [\d.]+\s*(.*)")
_FAST = re.compile(r"\bfast\s*=\s*[\"'](?:true|1)[\"']")
_ASIDE = frozenset((1016, *range(10401, 10410), *range(10801, 10810)))
"""libSBML's numbers of faults in notes and annotations, which change nothing of the model, and of values of the wrong type, among which
it counts numbers below 2.2e-308: every value that is used is looked at here."""
_OF_PACKAGES = frozenset((99107, 99108, 99109))


def read(name: str, text: str, companions: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """For `sciml.sandbox.run`: `parse_sbml_text` of a file's text; errors name the file."""
    try:
        return parse_sbml_text(text, companions), {}
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def parse_sbml_text(text: str, companions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """{"network": plain network or {}, "unsupported": [text, ...], "warnings": [text, ...], "mass_action": [ids]} of an SBML text.

    `companions` {file name: text} are the files that external model definitions name. To be called in a child process only: libSBML
    crashes on some texts, and full inputs are to be checked by `precheck` before. Raises DataError where the text is no SBML.
    """
    import libsbml

    document = libsbml_document(text)
    level = (int(document.getLevel()), int(document.getVersion()))
    context = Context(level)
    _judge(document, context)
    changed = False
    if level[0] == 1:
        changed = _raise_level(document, context)
        level = (int(document.getLevel()), int(document.getVersion()))
    if level >= (3, 1) and document.getPlugin("comp") is not None:
        changed = _flatten(libsbml, document, companions or {}, context) or changed
    if changed:
        text = libsbml.writeSBMLToString(document)
        context.warnings.append(
            "lines and numbers (15 digits) are those of the model as libSBML wrote it out (level 1 raised, or comp made flat)"
        )
    del document  # its memory is needed for ours
    context.level = level
    network = read_model(parse(text), context)
    listed = [f"line {line}: {what}" if line else what for line, what in sorted(dict.fromkeys(context.unsupported))]
    marked = [key for key, marks in context.marks.items() if "massAction" in marks]
    return {"network": network, "unsupported": listed, "warnings": context.warnings, "mass_action": marked}


def libsbml_document(text: str) -> Any:
    """What libSBML reads; to a text without an XML declaration it would add a line."""
    import libsbml

    return libsbml.readSBMLFromString(text if text.startswith("<?xml") else _DECLARATION + text)


def _judge(document: Any, context: Context) -> None:
    """What libSBML said while it read: errors, and faults of notes as warnings. A text that it could not read at all is a DataError."""
    for index in range(document.getNumErrors()):
        error = document.getError(index)
        said = libsbml_said(error)
        if error.getErrorId() in _OF_PACKAGES:
            continue
        if error.getSeverity() >= 2 and error.getErrorId() not in _ASIDE:
            context.unsupported.append((error.getLine(), said))
        elif error.getSeverity() >= 1:
            context.warnings.append(f"line {error.getLine()}: {said}")
    if document.getModel() is None:
        said = "; ".join(f"line {line}: {what}" for line, what in context.unsupported[:5])
        raise DataError(f"holds no model that can be read{': ' + said if said else ''}")


def libsbml_said(error: Any) -> str:
    """What libSBML says of an error: its title and what it says of the place, without the rule's own text where it says more."""
    message = " ".join(error.getMessage().split())
    found = _REFERENCE.fullmatch(message)
    return f"{error.getShortMessage()}: {((found.group(2) or found.group(1)) if found else message)[:300]}"


def _raise_level(document: Any, context: Context) -> bool:
    """Level 1 as level 2, whose elements are read here.

    What libSBML forgets on the way: a compartment has the volume 1 where none is said, and an algebraic rule may move whatever has no other
    rule, since nothing is declared constant.
    """
    if not document.setLevelAndVersion(2, 4, False, True):
        context.unsupported.append((0, "a level 1 model that libSBML could not write as level 2"))
        return False
    model = document.getModel()
    compartments, parameters, rules = list(model.getListOfCompartments()), list(model.getListOfParameters()), list(model.getListOfRules())
    for compartment in compartments:
        if not compartment.isSetSize():
            compartment.setSize(1.0)
    if any(rule.isAlgebraic() for rule in rules):
        for element in (*compartments, *parameters):
            element.setConstant(False)
    return True


def _of_level(libsbml: Any, main: Any, text: str) -> str:
    """An external model in the level and version of the main one: libSBML takes no other."""
    other = libsbml_document(text)
    level = (main.getLevel(), main.getVersion())
    if _FAST.search(text) and level[1] > 1:  # it would be lost; libSBML then refuses the other version
        return text
    if (other.getLevel(), other.getVersion()) == level or not other.setLevelAndVersion(*level, False, True):
        return text
    return str(libsbml.writeSBMLToString(other))


def _flatten(libsbml: Any, document: Any, companions: Mapping[str, str], context: Context) -> bool:
    """Write submodels out into one model. External models come from `companions` alone, laid into a folder of their own."""
    properties = libsbml.ConversionProperties()
    properties.addOption("flatten comp", True)
    properties.addOption("performValidation", False)
    properties.addOption("abortIfUnflattenable", "none")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in companions.items():
            files.write_text(Path(folder) / name, _of_level(libsbml, document, text))
        document.getErrorLog().clearLog()
        document.setLocationURI(Path(folder, "model.xml").as_uri().replace("file://", "file:"))
        properties.addOption("basePath", folder)
        if document.convert(properties) == libsbml.LIBSBML_OPERATION_SUCCESS:
            _judge(document, context)  # it goes on where a deletion or a replacement names nothing
            return True
    said = [" ".join(document.getError(i).getMessage().split())[:300] for i in range(document.getNumErrors())]
    reason = "; ".join(said[-3:]) or "no reason given"
    context.unsupported.append((0, f"its submodels (package comp) could not be written out flat: {reason}"))
    return False
