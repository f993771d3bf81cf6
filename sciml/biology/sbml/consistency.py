"""libSBML's own checks of a file, each in a child of its own with a limit; what could not be finished is said.

Some of them take the fourth power of the length of a chain of rules, or double with each level of nested functions: nothing else relies
on them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sciml import sandbox
from sciml.biology.sbml.precheck import inspect, read_bytes, unpack
from sciml.errors import DataError

__all__ = ["check", "consistency_problems"]

_GROUPS = {
    "ids, formulas and structure": ("GENERAL_CONSISTENCY", "IDENTIFIER_CONSISTENCY", "MATHML_CONSISTENCY"),
    "rules that determine too much": ("OVERDETERMINED_MODEL",),
    "units": ("UNITS_CONSISTENCY",),
}
_ALL = (*(c for group in _GROUPS.values() for c in group), "SBO_CONSISTENCY", "MODELING_PRACTICE")
_MOST = 50  # of one group


def consistency_problems(path: str | os.PathLike[str], *, seconds: float = 10) -> tuple[str, ...]:
    """What libSBML finds in a file: errors and, of units, warnings; with `seconds` of CPU for each group of checks.

    A check that met its limit or crashed is one of the lines. Raises DataError for a file that is no SBML at all.
    """
    file = Path(path)
    text = unpack(str(file), read_bytes(file))
    inspect(str(file), text)
    found: list[str] = []
    for group, categories in _GROUPS.items():
        try:
            record, _ = sandbox.run("sciml.biology.sbml.consistency:check", str(file), text, categories, cpu_seconds=seconds)
            found += record["problems"]
        except DataError as error:
            found.append(f"libSBML's check of {group} was not finished: {error}")
    return tuple(dict.fromkeys(found))


def check(name: str, text: str, categories: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """In the child: the findings of some of libSBML's categories; `name` is what errors of the child name."""
    import libsbml

    from sciml.biology.sbml.parser import libsbml_document, libsbml_said

    document = libsbml_document(text)
    document.getErrorLog().clearLog()
    for category in _ALL:
        document.setConsistencyChecks(getattr(libsbml, f"LIBSBML_CAT_{category}"), category in categories)
    document.checkConsistency()
    errors = [document.getError(index) for index in range(min(document.getNumErrors(), _MOST))]
    kinds = ("note", "warning", "error", "error")
    found = [(e.getLine(), min(e.getSeverity(), 3), libsbml_said(e)) for e in errors if e.getSeverity() >= 1]
    return {"problems": [f"line {line}: {kinds[severity]}: {said}" for line, severity, said in found]}, {}
