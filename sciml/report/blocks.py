"""What a report is made of: frozen blocks of text, key figures, plots, tables, structures and downloads.

Blocks know no science. A result of any package turns itself into blocks (`to_sections()`), and `sciml.report.html`
turns blocks into one page. Everything is checked and copied to plain Python values when a block is made, so
that what is drawn, what is stored and what is downloaded are the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sciml.errors import DataError

__all__ = ["Block", "Download", "Figure", "KeyFigure", "KeyFigures", "Section", "Structure3D", "Table", "Text"]

TRACES = frozenset({"scatter", "bar", "box", "violin", "histogram", "heatmap", "contour", "scatter3d", "surface"})
TONES = frozenset({"", "good", "warn", "bad"})
AXES = ("x", "y", "z")


def plain(value: Any) -> Any:
    """`value` as what JSON can hold: arrays and tuples become lists, NaN and infinities become None, the rest text."""
    if hasattr(value, "tolist"):  # numpy arrays and scalars, torch tensors
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [plain(item) for item in value]
    return str(value)


def _named(kind: str, name: str) -> None:
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"{kind}: its name is {name!r}; give a short text, it names the data file")


def _set(block: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(block, name, value)


@dataclass(frozen=True)
class Text:
    """Paragraphs of plain text (an empty line starts a new one); no markup is interpreted.

    Fields: `text`; `tone`: "" | "good" | "warn" | "bad" puts it into a coloured box; `code` keeps spaces and line breaks.
    Raises `DataError` for an unknown tone.
    """

    kind: ClassVar[str] = "text"
    text: str
    tone: str = ""
    code: bool = False

    def __post_init__(self) -> None:
        _check_tone("text", self.tone)


@dataclass(frozen=True)
class KeyFigure:
    """One number of the strip at the top: what it is, its value, its unit, a short remark and a tone.

    A float is shown with three significant digits, NaN as a dash, a text as it is. `tone` as in `Text`.
    """

    label: str
    value: float | int | str | None
    unit: str = ""
    note: str = ""
    tone: str = ""

    def __post_init__(self) -> None:
        _check_tone(f"key figure {self.label!r}", self.tone)
        _set(self, value=plain(self.value))


@dataclass(frozen=True)
class KeyFigures:
    """A strip of `KeyFigure`s, best two to six of them."""

    kind: ClassVar[str] = "key-figures"
    figures: Sequence[KeyFigure]

    def __post_init__(self) -> None:
        _set(self, figures=tuple(self.figures))


@dataclass(frozen=True)
class Figure:
    """A plot: plotly traces and layout as plain dicts (`sciml.report.figures` makes the usual ones).

    Fields: `name` (names the data file and the heading), `traces` (plotly's `data`; only kinds that need neither network
    nor code made at run time), `layout`, `caption` (say the units), `notes` (what the reader must know: points left
    out, ...), `wide` (a row of its own), `whole` (columns of equal length: all the data where `traces` shows a part;
    stored beside the report). NaN and infinities are stored as null and counted in a note.
    Raises `DataError` for an unknown trace kind and for coordinates of unequal length, with trace and field.
    """

    kind: ClassVar[str] = "figure"
    name: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any] = field(default_factory=dict)
    caption: str = ""
    notes: Sequence[str] = ()
    wide: bool = False
    whole: Mapping[str, Sequence[Any]] | None = None

    def __post_init__(self) -> None:
        _named("figure", self.name)
        traces, notes = tuple(plain(dict(trace)) for trace in self.traces), tuple(self.notes)
        for number, trace in enumerate(traces):
            self._check_trace(number, trace)
        lost = sum(_holes(trace.get(axis)) for trace in self.traces for axis in AXES)
        note = f"{lost} value{'s' if lost != 1 else ''} not finite, hence not drawn."
        if lost and note not in notes:
            notes += (note,)
        _set(self, traces=traces, layout=plain(dict(self.layout)), notes=notes)
        if self.whole is not None:
            _set(self, whole=_columns(f"figure {self.name!r}", self.whole))

    def _check_trace(self, number: int, trace: Mapping[str, Any]) -> None:
        where = f"figure {self.name!r}, trace {number}"
        kind = trace.setdefault("type", "scatter")  # type: ignore[attr-defined]
        if kind not in TRACES:
            raise DataError(f"{where}: type {kind!r} is not drawn in reports; one of {', '.join(sorted(TRACES))} would be right")
        if isinstance(trace.get("z"), list) and kind != "scatter3d":
            return  # a grid: z [len(y), len(x)]
        sizes = {axis: len(trace[axis]) for axis in AXES if isinstance(trace.get(axis), list)}
        if len(set(sizes.values())) > 1:
            raise DataError(f"{where}: " + ", ".join(f"{axis} has {n} values" for axis, n in sizes.items()) + "; they must be as many")


@dataclass(frozen=True)
class Table:
    """Columns of equal length, each of numbers, truth values or text; None is an empty cell.

    Fields: `name`, `columns` (heading -> values [n]), `units` (heading -> unit), `caption`, `digits` (significant digits
    of floats), `rows_shown` (longer tables are cut on the page, with a note; the file and the download keep all),
    `tones` (cell text -> tone, for verdicts). NaN and infinities stay what they are. Raises `DataError` for columns of
    unequal length, of mixed kinds, or a unit of a column that is not there.
    """

    kind: ClassVar[str] = "table"
    name: str
    columns: Mapping[str, Sequence[Any]]
    units: Mapping[str, str] = field(default_factory=dict)
    caption: str = ""
    digits: int = 4
    rows_shown: int = 100
    tones: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _named("table", self.name)
        where = f"table {self.name!r}"
        _set(self, columns=_columns(where, self.columns), units=dict(self.units), tones=dict(self.tones))
        for heading in self.units:
            if heading not in self.columns:
                raise DataError(f"{where}: unit of {heading!r}, but the columns are {', '.join(self.columns)}")
        for tone in self.tones.values():
            _check_tone(where, tone)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    @classmethod
    def from_rows(cls, name: str, rows: Sequence[Mapping[str, Any]], **fields: Any) -> Table:
        """A table of records (heading -> value); a heading that a record lacks is an empty cell."""
        headings = list(dict.fromkeys(heading for row in rows for heading in row))
        return cls(name, {heading: [row.get(heading) for row in rows] for heading in headings}, **fields)


@dataclass(frozen=True)
class Structure3D:
    """Atoms that can be turned by hand: the text of an xyz file (with `Lattice=`, if it has a cell) or of a CIF.

    Fields: `name`, `text`, `format` ("xyz" | "cif"), `caption`. `from_arrays` writes the xyz text itself.
    Raises `DataError` for another format or an empty text.
    """

    kind: ClassVar[str] = "structure"
    name: str
    text: str
    format: str = "xyz"
    caption: str = ""

    def __post_init__(self) -> None:
        _named("structure", self.name)
        if self.format not in ("xyz", "cif"):
            raise DataError(f"structure {self.name!r}: format {self.format!r}; 'xyz' or 'cif' would be right")
        if not self.text.strip():
            raise DataError(f"structure {self.name!r}: its text is empty")

    @classmethod
    def from_arrays(cls, name: str, symbols: Sequence[str], positions_A: Any, cell_A: Any = None, caption: str = "") -> Structure3D:
        """From `symbols` [N], `positions_A` [N,3] and rows of the cell `cell_A` [3,3] (None: no cell), all in angstrom."""
        rows, cell = plain(positions_A), plain(cell_A)
        if len(rows) != len(symbols):
            raise DataError(f"structure {name!r}: {len(symbols)} symbols, but {len(rows)} positions")
        lattice = "" if cell is None else 'Lattice="' + " ".join(f"{x:.10g}" for row in cell for x in row) + '" '
        lines = [str(len(rows)), f"{lattice}Properties=species:S:1:pos:R:3"]
        lines += [f"{symbol} {x:.8f} {y:.8f} {z:.8f}" for symbol, (x, y, z) in zip(symbols, rows, strict=True)]
        return cls(name, "\n".join(lines) + "\n", "xyz", caption)


@dataclass(frozen=True)
class Download:
    """A file that the reader can save from the page: `name` (what it is), `filename`, `content`, `caption`."""

    kind: ClassVar[str] = "download"
    name: str
    filename: str
    content: bytes | str
    caption: str = ""

    def __post_init__(self) -> None:
        _named("download", self.name)
        if not self.filename or self.filename in (".", "..") or any(mark in self.filename for mark in "/\\\0"):
            raise DataError(f"download {self.name!r}: file name {self.filename!r}; a name without folders would be right")
        if isinstance(self.content, str):
            _set(self, content=self.content.encode())


Block = Text | KeyFigures | Figure | Table | Structure3D | Download


@dataclass(frozen=True)
class Section:
    """A heading with blocks under it; `lead` is a plain sentence or two below the heading. Raises `DataError` for what is no block."""

    title: str
    blocks: Sequence[Block] = ()
    lead: str = ""

    def __post_init__(self) -> None:
        _set(self, blocks=tuple(self.blocks))
        for number, block in enumerate(self.blocks):
            if not isinstance(block, Block):
                raise DataError(f"section {self.title!r}, block {number}: {type(block).__name__} is not a block of a report")


def _check_tone(where: str, tone: str) -> None:
    if tone not in TONES:
        raise DataError(f"{where}: tone {tone!r}; one of '', 'good', 'warn', 'bad' would be right")


def _holes(values: Any) -> int:
    """How many floats in `values` (nested lists or arrays) are NaN or infinite."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, float):
        return int(not math.isfinite(values))
    return sum(map(_holes, values)) if isinstance(values, (list, tuple)) else 0


def _columns(where: str, columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Each column as a list of one kind of plain values, all of one length."""
    plain_columns = {str(heading): _column(f"{where}, column {heading!r}", values) for heading, values in columns.items()}
    if len({len(values) for values in plain_columns.values()}) > 1:
        raise DataError(f"{where}: " + ", ".join(f"{h!r} has {len(v)} rows" for h, v in plain_columns.items()) + "; they must be as many")
    return plain_columns


def _column(where: str, values: Sequence[Any]) -> list[Any]:
    items = values.tolist() if hasattr(values, "tolist") else list(values)
    items = [item.item() if hasattr(item, "item") else item for item in items]
    kinds = {type(item) for item in items if item is not None}
    if kinds == {int, float}:
        return [item if item is None else float(item) for item in items]
    if len(kinds) > 1 or not kinds <= {int, float, str, bool}:
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(f"{where}: it holds {found}; one of numbers, truth values or text would be right")
    return items
