"""`load_antimony`: models written as Antimony text, turned into SBML by libAntimony in a limited child process and read like SBML.

While libAntimony works the child can open no file, so `import` reaches nothing. Lines in errors and warnings are those of the text.
"""

from __future__ import annotations

import bisect
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from sciml import sandbox
from sciml.arguments import checked
from sciml.biology.network import Network
from sciml.biology.sbml.precheck import LARGEST, inspect, read_bytes, unpack
from sciml.biology.sbml.read import network_from_record, reader_digest, recall, remember
from sciml.biology.sources import ANTIMONY, path_of, refuse_others
from sciml.errors import DataError

__all__ = ["load_antimony", "read"]

_LOG = logging.getLogger("sciml.biology.antimony")
_NO_NAME = "__main"  # libAntimony's name for statements outside a model
_ARROW = re.compile(r"<?[-=]>")
_NAMED = re.compile(r"^\s*[A-Za-z_]\w*\s*:(?!=)")
_EVENT = re.compile(r"\bat\b")
_ASIDE = re.compile(r"/\*.*?\*/|//[^\n]*|#[^\n]*|\"\"\".*?\"\"\"|```.*?```|\"[^\"\n]*\"", re.DOTALL)
_WORD = re.compile(r"\w+")
_IMPORT = re.compile(r"\bimport\b")
_ELEMENT = re.compile(
    r"<(?:species|parameter|compartment|reaction|event|functionDefinition|assignmentRule|rateRule|algebraicRule|initialAssignment)\b"
    r"[^>]*?\s(?:id|variable|symbol)=\"([^\"]+)\""
)


@checked
def load_antimony(text_or_path: str | os.PathLike[str], *, strict: bool = True) -> Network:
    """A model from Antimony text or from a file of it.

    A text with a line break, `->`, `=` or `;` is a model, unless a file of that name exists; anything else is a path. Laws are taken
    literally, amounts in `default_compartment` (size 1) are numbers of molecules unless the model says otherwise. `strict` as in
    `load_sbml`. Raises DataError, with the line, for text that is no Antimony, for `import`, for a file that is missing or damaged, and
    for a model that takes more than 1 GiB or 10 s of CPU + 100 s a MB of text, at most 120: libAntimony needs long for chains of over 300
    rules, and much memory for over 5,000 reactions. SBML has no such limits.
    """
    name, text = _given(text_or_path)
    refuse_others(name, text, ANTIMONY)
    key = hashlib.sha256(b"antimony" + reader_digest() + _version() + text.encode("utf-8", "surrogatepass")).hexdigest()
    record = recall(key, Path())
    if record is None:
        record, _ = sandbox.run("sciml.biology.antimony:read", name, text, cpu_seconds=min(10 + 100 * len(text) / 1e6, 120))
        remember(key, {**record, "companions": {}})
    return network_from_record(name, record, strict=strict)


def read(name: str, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """For `sciml.sandbox.run`: the record of a text as `parser.parse_sbml_text` gives it, with the lines of the text."""
    from sciml.biology.sbml.parser import parse_sbml_text

    sbml, warnings = _converted(name, text)
    try:
        inspect(name, sbml)
    except DataError as error:
        fault = re.sub(r"^line \d+[^:]*: ", "", str(error).removeprefix(f"{name}: "))
        raise DataError(f"{name}: the SBML that libAntimony makes of it cannot be read: {fault}") from error
    record = parse_sbml_text(sbml)
    _Places(text, sbml).set(record)
    record["warnings"] = [*warnings, *record["warnings"]]
    if record["network"].get("id") == _NO_NAME:
        del record["network"]["id"]
    return record, {}


def _given(text_or_path: str | os.PathLike[str]) -> tuple[str, str]:
    """(what to call it, the text)."""
    if isinstance(text_or_path, str) and re.search(r"[\n;=]|->", text_or_path) and not _is_file(text_or_path):
        if len(text_or_path) > LARGEST:
            raise DataError(f"Antimony text: larger than {LARGEST // 1_000_000} MB, the most that is read")
        return "Antimony text", text_or_path
    path = path_of("load_antimony", text_or_path, "Antimony text or the path of a file")
    try:
        return str(path), unpack(str(path), read_bytes(path, "Antimony text"), "Antimony text")
    except DataError as error:
        if isinstance(text_or_path, str) and not path.exists():
            raise DataError(f"{error}; a text that is a model has a line break, '->', '=' or ';'") from error
        raise


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name
        return False


def _version() -> bytes:
    """What reads: this module and libAntimony."""
    return hashlib.sha256(Path(__file__).read_bytes() + metadata.version("antimony").encode()).digest()


def _converted(name: str, text: str) -> tuple[str, list[str]]:
    """(SBML of the main model of a text, warnings). To be called in a child process only."""
    import antimony
    import libsbml  # noqa: F401  loaded while files can still be opened

    if not _blanked(text).strip():
        raise DataError(f"{name}: holds no model, nothing but blanks and comments")
    if "\0" in text:
        raise DataError(f"{name}: line {text.count(chr(10), 0, text.index(chr(0))) + 1}: found a null character, expected text")
    with _no_files():
        if antimony.loadAntimonyString(text) < 0:
            raise DataError(f"{name}: {_said(_message(antimony.getLastError), text)}")
        module = antimony.getMainModuleName()
        sbml = antimony.getSBMLString(module) if module else ""
        if not sbml:
            raise DataError(f"{name}: holds no model that can be written as SBML: {_said(_message(antimony.getLastError), text)}")
        return sbml, [" ".join(line.split()) for line in _message(antimony.getWarnings).splitlines() if line.strip()]


def _message(ask: Callable[[], str | None]) -> str:
    """What libAntimony says; it may cut a character of several bytes in two."""
    try:
        return ask() or ""
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "replace")


@contextmanager
def _no_files() -> Iterator[None]:
    """Within the block no file can be opened, whatever C code tries."""
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _said(message: str, text: str) -> str:
    """libAntimony's message as one line: where it is, and what is wrong."""
    lines, blank = text.count("\n") + 1, _blanked(text)
    imported = _IMPORT.search(blank)
    if imported and re.search(r"Input file|Could not open", message):
        return f"line {blank.count(chr(10), 0, imported.start()) + 1}: found an import, which is not followed: put all models into one text"
    place, said = re.match(r"Error in (?:model string|file '[^']*'), line (\d+):\s*", message), message
    if place:
        said = message[place.end() :]
    line = int(place[1]) if place else 0
    if "SBML error(s)" in said:  # its line is always 1; the name at fault stands at the end
        said = said.rpartition("Reference:")[2].partition("\n")[2] or said
        name = re.findall(r"'([A-Za-z_]\w*)' that is not|'([A-Za-z_]\w*)'", said)
        line = _line_of(blank, next((a or b for a, b in name), ""))
    words = " ".join(said.split())[:400]
    return f"line {min(line, lines)}: {words}" if line else words


def _blanked(text: str) -> str:
    """The text with comments and quoted parts as blanks: lines and columns stay."""
    return _ASIDE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _line_of(blank: str, id: str) -> int:
    """The line where a name is first used, 0 where it is not."""
    found = re.search(rf"(?<!\w){re.escape(id)}(?!\w)", blank) if id else None
    return blank.count("\n", 0, found.start()) + 1 if found else 0


class _Places:
    """Which line of a text a line of the SBML made of it belongs to."""

    def __init__(self, text: str, sbml: str) -> None:
        self.blank = _blanked(text)
        starts: list[tuple[int, str]] = []
        for number, line in enumerate(sbml.splitlines(), 1):
            starts += [(number, found[1]) for found in _ELEMENT.finditer(line)]
        self.numbers, self.ids = [n for n, _ in starts], [id for _, id in starts]
        statements = [(n, part) for n, line in enumerate(self.blank.splitlines(), 1) for part in line.split(";") if not _NAMED.match(part)]
        self.unnamed = {kind: [n for n, part in statements if sign.search(part)] for kind, sign in (("_J", _ARROW), ("_E", _EVENT))}
        self.first: dict[str, int] = {}  # line where a word is first used
        for number, line in enumerate(self.blank.splitlines(), 1):
            for word in _WORD.findall(line):
                self.first.setdefault(word, number)

    def of(self, sbml_line: int) -> int:
        """The line of the text, 0 where it is not known."""
        place = bisect.bisect_right(self.numbers, sbml_line)
        return self._of_id(self.ids[place - 1]) if place else 0

    def _of_id(self, id: str) -> int:
        found = re.fullmatch(r"(_[JE])(\d+)", id)
        if found and int(found[2]) < len(self.unnamed[found[1]]):
            return self.unnamed[found[1]][int(found[2])]
        return self.first.get(id) or self.first.get(id.partition("_")[0], 0)

    def set(self, record: Mapping[str, Any]) -> None:
        """Put the text's lines where a record has those of the SBML."""
        for kind in ("reactions", "rules", "events"):
            for element in record["network"].get(kind, ()):
                if element.get("line"):
                    element["line"] = self.of(element["line"])
        for kind in ("unsupported", "warnings"):
            record[kind][:] = [re.sub(r"^line (\d+): ", lambda m: self._said(int(m[1])), each) for each in record[kind]]

    def _said(self, sbml_line: int) -> str:
        line = self.of(sbml_line)
        return f"line {line}: " if line else ""
