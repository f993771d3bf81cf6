"""What a file must be before a parser sees it: unpacked within limits, in the encoding it says, well-formed XML of bounded depth.

Works without libSBML, which crashes on deep MathML; expat reads the text as a stream and stops at the first fault.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from sciml.errors import DataError

__all__ = ["DEEPEST", "LARGEST", "inspect", "read_bytes", "unpack"]

LARGEST = 20_000_000  # bytes, unpacked
DEEPEST = 200  # elements in each other
_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")
_ENCODING = re.compile(rb"^<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = ((b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"))
_CODECS = {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "iso8859-1", "iso8859-15", "cp1252"}
_EXTERNAL = "externalModelDefinition"


def read_bytes(path: Path, expected: str = "an SBML model") -> bytes:
    """The bytes of a file of at most 20 MB, in which `expected` should be.

    Raises DataError that names it where it is missing, no file, too large or empty.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a null character in the name
        raise DataError(f"{str(path)!r}: cannot be read: {error}") from error
    if len(data) > LARGEST:
        raise DataError(f"{path}: larger than {LARGEST // 1_000_000} MB, the most that is read")
    if not data.strip():
        raise DataError(f"{path}: the file is empty, expected {expected}")
    return data


def unpack(name: str, data: bytes, expected: str = "an SBML model") -> str:
    """The text of a file, unpacked where its content (not its name) is gzip, decoded as it declares, without mark and declaration.

    Raises DataError that names the file where it is packed otherwise, cut off, larger than 20 MB, or not in the encoding it declares.
    """
    if data[:2] == b"\x1f\x8b":
        data = _gunzip(name, data, expected)
    elif data[:4] == b"PK\x03\x04":
        raise DataError(f"{name}: a zip archive, expected {expected}, plain or packed by gzip")
    encoding, mark = next(((encoding, mark) for mark, encoding in _MARKS if data.startswith(mark)), ("", b""))
    if mark and not encoding:
        raise DataError(f"{name}: encoded in UTF-32, expected UTF-8")
    data = data[len(mark) :]
    encoding = encoding or next((e for start, e in _UNMARKED if data.startswith(start)), "") or _declared(name, data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.start + 2])
        raise DataError(f"{name}: line {line}: found the bytes {found}, which are no text in {encoding.upper()}, its encoding") from error
    declaration = _DECLARATION.match(text)
    if declaration:  # its encoding no longer holds; the lines keep their numbers
        text = "\n" * declaration.group().count("\n") + text[declaration.end() :]
    return text


def inspect(name: str, text: str, root: str = "sbml") -> tuple[str, ...]:
    """Check a text as XML; returns the sources of external models that it names.

    Raises DataError with file and line: not well-formed, cut off, a DOCTYPE, nested deeper than 200, another root element.
    """
    state = _State(name, root)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refusing(state, parser)
    parser.StartElementHandler = lambda tag, attributes: state.start(tag, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = state.end
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise DataError(f"{name}: line {error.lineno}, column {error.offset}: not well-formed XML: {_said(error, state)}") from error
    return tuple(state.sources)


class _State:
    """How deep the reader is, and what it met."""

    def __init__(self, name: str, root: str) -> None:
        self.name, self.root, self.depth, self.open = name, root, 0, [""]
        self.sources: list[str] = []

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.depth += 1
        if self.depth == 1:
            self._check_root(tag, line)
        elif self.depth > DEEPEST:
            raise DataError(f"{self.name}: line {line}: elements are nested more than {DEEPEST} deep")
        if tag.endswith(_EXTERNAL):
            self.sources += [value for key, value in attributes.items() if key.endswith("source")]

    def end(self, tag: str) -> None:
        self.depth -= 1

    def _check_root(self, tag: str, line: int) -> None:
        found = tag.rpartition(" ")[2]
        if found != self.root:
            page = " (a web page)" if found.lower() == "html" else ""
            raise DataError(f"{self.name}: line {line}: found <{found[:40]}>{page}, expected <{self.root}>: this is no SBML model")


def _refusing(state: _State, parser: expat.XMLParserType) -> Callable[..., None]:
    def refuse(doctype: str, *_: object) -> None:
        why = "this is a web page, no SBML model" if doctype.lower() == "html" else "it may hide entities and is not read"
        raise DataError(f"{state.name}: line {parser.CurrentLineNumber}: found a document type declaration (DOCTYPE): {why}")

    return refuse


def _said(error: expat.ExpatError, state: _State) -> str:
    said = expat.errors.messages[error.code]
    if state.depth and said in (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN):
        return f"{said}; the file is cut off, elements still open: {state.depth}"
    return said


def _gunzip(name: str, data: bytes, expected: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            content = packed.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: cannot be unpacked (gzip): {error}") from error
    if len(content) > LARGEST:
        raise DataError(f"{name}: unpacks to more than {LARGEST // 1_000_000} MB, the most that is read")
    if not content.strip():
        raise DataError(f"{name}: the file is empty once unpacked, expected {expected}")
    return content


def _declared(name: str, data: bytes) -> str:
    """The encoding that the XML declaration names; UTF-8 where it names none."""
    found = _ENCODING.match(data[:1000])
    said = found.group(1).decode("ascii") if found else "utf-8"
    try:
        codec = codecs.lookup(said).name
    except LookupError:
        codec = ""
    if codec not in _CODECS:
        raise DataError(f"{name}: line 1: found encoding {said!r}, expected UTF-8")
    return codec
