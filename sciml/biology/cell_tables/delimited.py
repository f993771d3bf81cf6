"""Tables as text: separator found from the lines themselves, `#` lines above the header passed over, packed by gzip or not.

Nothing is guessed that two readings would fit: a DataError names file, line and what would settle it.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sciml.biology.cell_tables.table import CellTable, coded, pick
from sciml.biology.sources import recognised
from sciml.errors import ConfigError, DataError

__all__ = ["read_delimited"]

_LARGEST = 1_000_000_000  # bytes, unpacked
_SEPARATORS = {"\t": "a tab", ";": "a semicolon", ",": "a comma", "|": "a bar"}
_LOOKED_AT = 200  # lines from which the separator is found
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "packed by bzip2",
    b"\xfd7zXZ\x00": "packed by xz",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
}
_Choice = Callable[[Sequence[str]], Sequence[str]]


def read_delimited(path: Path, names: Sequence[str], *, separator: str | None = None, encoding: str = "utf-8") -> CellTable:
    """The columns `names` of a table, as texts. Lines count from 1 as in an editor, rows from 0 after the header.

    Raises DataError with file and line for what is no such table: another kind of file, bytes that are no text in `encoding` (a byte-order
    mark says more), a row of more or fewer cells than the header, an open quotation, no rows, a name that is not there or there twice.
    """
    text = _decoded(path, _unpacked(path), encoding)
    first, lines = _from_header(text)
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == 5:  # as Excel writes it
        separator, first, lines = separator or lines[0][4], first + 1, lines[1:]
    if not any(line.strip() for line in lines):
        raise DataError(f"{path}: line {first + 1}: the table has no header, expected the names of its columns")
    mark = separator or _found_separator(path, first, lines)
    rows, numbers = _cells(path, first, lines, mark, names)
    if not rows:
        raise DataError(f"{path}: line {first + 1}: the table ends after its header, expected a row for each cell")
    columns = {name: coded(name, (row[place] for row in rows)) for place, name in enumerate(names)}
    return CellTable(str(path), columns, len(rows), np.array(numbers), mark)


def _unpacked(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = gzip.GzipFile(fileobj=file).read(_LARGEST + 1) if packed else file.read(_LARGEST + 1)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path}: begins as packed by gzip and is damaged or cut off: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > _LARGEST:
        raise DataError(f"{path}: larger than {_LARGEST // 1_000_000} MB of text, the most that is read; save it as parquet")
    if not data.strip():
        raise DataError(f"{path}: the file is empty, expected a table of cells")
    if foreign := next((said for start, said in _FOREIGN.items() if data.startswith(start)), ""):
        raise DataError(f"{path}: {foreign}, expected a table as text (CSV), parquet, h5ad or FCS")
    return data


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    mark, encoding = next(((mark, known) for mark, known in _MARKS if data.startswith(mark)), (b"", encoding))
    try:
        text = data[len(mark) :].decode(encoding)
    except LookupError:
        raise ConfigError(f"encoding: found {encoding!r}, which is none that Python knows") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = " ".join(f"0x{byte:02x}" for byte in error.object[error.start : error.start + 2])
        raise DataError(
            f"{path}: line {line}: found the bytes {found}, which are no text in {encoding.upper()}; if the table came from a program that "
            "writes another one, give it, as in encoding='cp1252'"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}: line {line}: found a null character, expected a table as text")
    if (format := recognised(text)) is not None and format.key in ("html", "pdf", "sbml", "sedml"):
        raise DataError(f"{path}: found {format.name}, expected a table of cells")
    return text


def _from_header(text: str) -> tuple[int, list[str]]:
    """(lines passed over, the others with their ends): `#` lines and empty ones above the header."""
    lines = io.StringIO(text, newline=None).read().split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return first, lines[first:]


def _found_separator(path: Path, first: int, lines: Sequence[str]) -> str:
    """What stands in each of the first lines as often as in the header."""
    sample = [line for line in lines[: _LOOKED_AT + 1] if line.strip()]
    try:
        counts = {mark: [len(cells) for cells in csv.reader(sample, delimiter=mark) if cells] for mark in _SEPARATORS}
    except csv.Error as error:
        raise DataError(f"{path}: within {_LOOKED_AT} lines after line {first}: not a table: {error}") from None
    wide = [mark for mark, found in counts.items() if found and found[0] > 1]
    even = [mark for mark in wide if len(set(counts[mark])) == 1]
    if len(even) == 1:
        return even[0]
    if len(even) > 1:
        said = " and ".join(_SEPARATORS[mark] for mark in even)
        raise DataError(f"{path}: line {first + 1}: {said} both divide every line evenly; say which one does, as in separator=';'")
    if len(wide) == 1:
        return wide[0]
    if wide:  # rows of one of them are uneven: the one with more right rows is meant
        return max(wide, key=lambda mark: sum(n == counts[mark][0] for n in counts[mark]))
    if len(sample[0].split()) > 1:
        raise DataError(
            f"{path}: line {first + 1}: the header is divided by blanks; expected a tab, a semicolon or a comma between columns"
        )
    return ","


def _cells(path: Path, first: int, lines: Sequence[str], mark: str, names: Sequence[str]) -> tuple[list[list[str]], list[int]]:
    """(the cells of the columns `names` in each row, its line). Lines without any cell are no rows."""
    if len(mark) != 1 or mark in '"\n\r':
        raise ConfigError(f"separator: found {mark!r}, expected one character, as in ';'")
    reader = csv.reader((line + "\n" for line in lines), delimiter=mark, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    header: list[str] = []
    places: list[int] = []
    try:
        for cells in reader:
            if not cells or (len(cells) == 1 and not cells[0].strip() and len(header) != 1):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                places = pick(str(path), names, header)
            elif len(cells) != len(header):
                raise DataError(_uneven(path, first + reader.line_num, cells, header, mark))
            else:
                rows.append([cells[place] for place in places])
                numbers.append(first + reader.line_num)
    except csv.Error as error:
        line = (numbers[-1] if numbers else first + bool(header)) + 1  # where the row begins that is wrong
        raise DataError(f"{path}: line {line}: not a table: {error} (cells are divided by {_said(mark)})") from None
    return rows, numbers


def _uneven(path: Path, line: int, cells: Sequence[str], header: Sequence[str], mark: str) -> str:
    text = f"{path}: line {line}: found {len(cells)} cells, the header has {len(header)} (divided by {_said(mark)})"
    if len(cells) == len(header) + 1:
        text += "; were rows named without a name for that column? Then add one to the header"
    if mark == "," and len(cells) > len(header):
        text += "; decimal commas between separating commas cannot be told apart: save the table with semicolons"
    return text


def _said(mark: str) -> str:
    return _SEPARATORS.get(mark, repr(mark))
