"""SBML texts for the tests, written by hand, and their reading without a child process."""

from __future__ import annotations

from pathlib import Path

from sciml.biology.sbml.parser import parse_sbml_text
from sciml.biology.sbml.read import network_from_record

DATA = Path(__file__).resolve().parents[2] / "data"
SPACES = {
    (2, 1): "http://www.sbml.org/sbml/level2",
    (2, 4): "http://www.sbml.org/sbml/level2/version4",
    (3, 1): "http://www.sbml.org/sbml/level3/version1/core",
    (3, 2): "http://www.sbml.org/sbml/level3/version2/core",
}


def document(body: str, level=(3, 2), attributes: str = "", root: str = "") -> str:
    """A model with these lists in it."""
    head = f'<sbml xmlns="{SPACES[level]}"{root} level="{level[0]}" version="{level[1]}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n<model id="m"{attributes}>\n{body}\n</model>\n</sbml>\n'


def math(content: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{content}</math>'


def parameters(*ids: str, constant: bool = False) -> str:
    said = str(constant).lower()
    return "<listOfParameters>" + "".join(f'<parameter id="{id}" value="1" constant="{said}"/>\n' for id in ids) + "</listOfParameters>\n"


def record(body: str, level=(3, 2), **options):
    return parse_sbml_text(document(body, level, **options))


def network(body: str, level=(3, 2), **options):
    return network_from_record("text", record(body, level, **options))


def unsupported(body: str, level=(3, 2), **options) -> str:
    return "; ".join(record(body, level, **options)["unsupported"])
