"""Where a model comes from: a path or a text, and which format a text is in, so that the wrong one is said with the call that reads it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from sciml.arguments import shown
from sciml.errors import ConfigError, DataError

__all__ = ["ANTIMONY", "NET", "PETAB", "SBML", "SEDML", "Format", "path_of", "recognised", "refuse_others"]

_LONGEST = 255  # a name in a file system
_LOOKED_AT = 100_000  # characters


class Format(NamedTuple):
    """A format: its `key`, its name in a sentence, and what reads it ("" for nothing)."""

    key: str
    name: str
    reader: str


SBML = Format("sbml", "an SBML model", "load_sbml")
SEDML = Format("sedml", "a SED-ML document", "load_experiment")
NET = Format("net", "a BioNetGen network", "load_net")
PETAB = Format("petab", "a PEtab problem", "load_petab")
ANTIMONY = Format("antimony", "Antimony text", "load_antimony")
_OTHERS = (Format("html", "a web page", ""), Format("pdf", "a PDF document", ""))
_BY_ROOT = {"sbml": SBML, "sedml": SEDML, "html": _OTHERS[0]}
_SIGNS = (  # the first that is found
    (re.compile(r"\A%PDF-"), _OTHERS[1]),
    (re.compile(r"(?m)^\s*begin +(?:model|parameters|species|reactions|molecule types|functions|groups)\b"), NET),
    (re.compile(r"(?m)^format_version\s*:"), PETAB),
    (re.compile(r"(?m)^\s*\*?model\s+\*?\w+|^[^<\n#]*(?:->|=>)[^\n]*;"), ANTIMONY),
)
_ROOT = re.compile(r"<(?:!doctype\s+)?(?:\w+:)?([a-z]\w*)", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def recognised(text: str) -> Format | None:
    """The format that a text is in, as far as its beginning says."""
    begin = text[:_LOOKED_AT].lstrip("\ufeff \t\r\n")
    if begin.startswith("<"):
        root = _ROOT.search(_COMMENT.sub("", begin))
        return _BY_ROOT.get(root[1].lower()) if root else None
    return next((format for sign, format in _SIGNS if sign.search(begin)), None)


def refuse_others(name: str, text: str, expected: Format) -> None:
    """DataError for a text that is plainly in another format, with the call that reads it."""
    found = recognised(text)
    if found is not None and found != expected:
        hint = f"; {found.reader} reads files of it" if found.reader else ""
        raise DataError(f"{name}: found {found.name}, expected {expected.name}{hint}")


def path_of(call: str, given: str | os.PathLike[str], expected: str = "the path of a file") -> Path:
    """The path of a file. ConfigError for an empty one, for a text that is the model itself, and for an address on the net."""
    text = os.fsdecode(given)
    if not text.strip():
        raise ConfigError(f"{call}: found an empty text, expected {expected}")
    if re.match(r"\w{2,}://", text):
        raise ConfigError(f"{call}: found {shown(text)}, which lies on the net; fetch it and give the path of the file")
    if "\n" in text or text.lstrip().startswith("<") or max(map(len, re.split(r"[/\\]", text))) > _LONGEST:
        found = recognised(text)
        hint = (
            ""
            if found is None
            else "; load_antimony takes text"
            if found == ANTIMONY
            else f"; it looks like {found.name}: put it into a file"
        )
        raise ConfigError(f"{call}: found a text that begins with {text[:30]!r}, expected {expected}{hint}")
    return Path(text)
