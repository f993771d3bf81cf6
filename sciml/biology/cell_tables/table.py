"""A table of single cells as it was read: columns of numbers or of texts, and where each row stands in its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sciml.biology.network import nearest
from sciml.errors import DataError

__all__ = ["CellTable", "Column", "coded", "numbered", "pick"]

_MISSING = frozenset({"", "na", "nan", "n/a", "#n/a", "null", "none", "<na>"})
_LISTED, _EXACT = 20, 2**53


@dataclass(frozen=True)
class Column:
    """`numbers` [n] float64, NaN where there is none; or texts: row i reads `texts[codes[i]]`."""

    name: str
    numbers: np.ndarray | None = None
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    texts: tuple[str, ...] = ()

    @property
    def missing(self) -> np.ndarray:
        """[n] where the field is empty, NaN, NA, N/A, null or none, in letters of any size."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        return np.array([text.lower() in _MISSING for text in self.texts], dtype=bool)[self.codes]


@dataclass(frozen=True)
class CellTable:
    """`columns` by name, all of `rows` rows. `lines` [rows]: the line of the file (from 1) on which each row ends, None where it has none.

    `separator`: what stood between the cells, "" where nothing did. `notes`: what the reader has to say. `starts`: (file, its first row) of
    a table made of several files.
    """

    source: str
    columns: Mapping[str, Column]
    rows: int
    lines: np.ndarray | None = None
    separator: str = ""
    notes: tuple[str, ...] = ()
    starts: tuple[tuple[str, int], ...] = ()

    def place(self, row: int) -> str:
        """A row in words, for a message: rows count from 0."""
        if self.starts:
            name, first = next((name, first) for name, first in reversed(self.starts) if first <= row)
            return f"{name}, event {row - first}"
        return f"row {row}" if self.lines is None else f"line {self.lines[row]} (row {row})"


def coded(name: str, cells: Iterable[str]) -> Column:
    """A column of texts, blanks around them cut off."""
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(cell, len(known)) for cell in cells), dtype=np.int64)
    texts: dict[str, int] = {}
    again = np.array([texts.setdefault(cell.strip(), len(texts)) for cell in known], dtype=np.int64)
    return Column(name, codes=again[codes] if len(codes) else codes, texts=tuple(texts))


def numbered(name: str, values: np.ndarray) -> Column:
    """A column of numbers; of whole ones beyond 2^53, which float64 cannot tell apart, a column of texts."""
    if values.dtype.kind in "iu" and values.size and (int(values.max()) > _EXACT or int(values.min()) < -_EXACT):
        return coded(name, map(str, values.tolist()))
    return Column(name, values.astype(np.float64))


def pick(source: str, names: Sequence[str], known: Sequence[str], what: str = "column") -> list[int]:
    """The place of each name in `known`. DataError for one that is not there, with what is near, and for one that is there twice."""
    found = []
    for name in names:
        if name not in known:
            listed = ", ".join(map(repr, known[:_LISTED])) + (f" and {len(known) - _LISTED} more" if len(known) > _LISTED else "")
            raise DataError(f"{source}: has no {what} {name!r}{nearest(name, known)}; found {listed or 'none'}")
        places = [place for place, other in enumerate(known) if other == name]
        if len(places) > 1:
            raise DataError(f"{source}: the {what} {name!r} is there {len(places)} times (the {_th(places[0])} and the {_th(places[1])})")
        found.append(places[0])
    return found


def _th(place: int) -> str:
    """1st, 2nd, ... for a place that counts from 0."""
    n = place + 1
    return f"{n}{'th' if 10 <= n % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
