"""Texts as numbers: decimal points or commas, marks between thousands, a unit behind; one reading for all columns of a table, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property

import numpy as np

from sciml.arguments import shown
from sciml.biology.cell_tables.table import CellTable, Column
from sciml.biology.cell_tables.written_units import factor_between, plain_unit
from sciml.errors import DataError

__all__ = ["Numbers", "as_numbers"]

_CELL = re.compile(r"([+\-\u2212]?[\d.,]*\d[\d.,]*(?:[eE][+\-\u2212]?\d+)?)(?:\s*([A-Za-zµμ%][A-Za-zµμ%/*^.·\s]*(?:\^?[-−⁻][1¹])?))?")
_LONGEST = 100  # characters of a numeral with its unit
_EXACT = Context(prec=60, traps=[])


@dataclass(frozen=True)
class _Style:
    """How numbers are written: the mark before decimals and the one between thousands, "" for none."""

    decimal: str
    thousands: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        point, group = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:{group}\d{{3}})+)" if group else r"\d+"
        return re.compile(rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?")

    def reads(self, numerals: Iterable[str]) -> bool:
        """Whether all of them are numbers in this style."""
        return all(map(self._pattern.fullmatch, numerals))

    def plain(self, numeral: str) -> str:
        return (numeral.replace(self.thousands, "") if self.thousands else numeral).replace(self.decimal, ".")

    @property
    def name(self) -> str:
        return {".": "a decimal point", ",": "a decimal comma"}[self.decimal]


_STYLES = (_Style("."), _Style(","), _Style(".", ","), _Style(",", "."))
_POINT, _COMMA, _POINT_GROUPED, _COMMA_GROUPED = _STYLES


@dataclass(frozen=True)
class Numbers:
    """`values` [n] float64, NaN where the field is empty; all in `unit`, "" where none is written. `note` says what was converted."""

    values: np.ndarray
    unit: str = ""
    note: str = ""


def as_numbers(table: CellTable, names: Sequence[str], decimal: str | None = None) -> dict[str, Numbers]:
    """The columns `names` of a table as numbers. One style of writing holds for all of them; `decimal` "." or "," says which.

    Units behind the numbers of a column are the same, or of one kind (ng/ml and ug/ml) and converted to the one that most rows have, which
    `note` says; a zero needs none. Raises DataError with line, column and text for what is no number, is infinite, or could be read in two
    ways.
    """
    parts = {name: _split(table, table.columns[name]) for name in names if table.columns[name].numbers is None}
    style = _style(table, parts, decimal)
    found = {}
    for name in names:
        column = table.columns[name]
        numbers = Numbers(column.numbers) if column.numbers is not None else _read(table, column, parts[name], style)
        if (bad := np.flatnonzero(np.isinf(numbers.values))).size:
            raise DataError(
                f"{table.source}: {table.place(bad[0])}, column {name!r}: found {numbers.values[bad[0]]}, expected a finite number"
            )
        found[name] = numbers
    return found


_Parts = dict[int, tuple[str, str]]  # code -> (numeral, unit)


def _split(table: CellTable, column: Column) -> _Parts:
    """The texts that are not missing, as numeral and unit."""
    missing, found = column.missing, {}
    for code in np.unique(column.codes[~missing]):
        text = column.texts[code]
        match = _CELL.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            kind = "an infinite value" if text.lower().lstrip("+-") in ("inf", "infinity") else "no number"
            raise DataError(
                f"{table.source}: {_where(table, column, code)}: found {shown(text)}, {kind}; expected a number, alone or with its unit"
            )
        found[int(code)] = match[1].replace("\u2212", "-"), plain_unit(match[2] or "")
    return found


def _style(table: CellTable, parts: dict[str, _Parts], decimal: str | None) -> _Style:
    """The one style that reads all numerals."""
    numerals = {numeral for column in parts.values() for numeral, _ in column.values()}
    best = next((style for style in _STYLES if decimal in (None, style.decimal) and style.reads(numerals)), None)
    if best is None:
        raise DataError(_unlike(table, parts, decimal))
    marked = [numeral for numeral in numerals if best.decimal in numeral]
    other = {_POINT: _COMMA_GROUPED, _COMMA: _POINT_GROUPED}.get(best)
    unsure = decimal is None and marked and (best == _COMMA or table.separator == ";")
    if unsure and other is not None and other.reads(numerals):
        name, code = next((n, c) for n, column in parts.items() for c, (numeral, _) in column.items() if numeral in marked)
        raise DataError(
            f"{table.source}: {_where(table, table.columns[name], code)}: {parts[name][code][0]!r} can be read with {best.name} or as "
            "thousands, and so can all others; say decimal='.' or decimal=','"
        )
    return best


def _unlike(table: CellTable, parts: dict[str, _Parts], decimal: str | None) -> str:
    """Which cell does not go with the others: the first that the style of most cells does not read."""
    cells = [(name, code, numeral) for name, column in parts.items() for code, (numeral, _) in column.items()]
    styles = [style for style in _STYLES if decimal in (None, style.decimal)]
    best = max(styles, key=lambda style: sum(style.reads([numeral]) for *_, numeral in cells))
    name, code, numeral = next(cell for cell in cells if not best.reads([cell[2]]))
    shown = next((cell for cell in cells if best.reads([cell[2]]) and best.decimal in cell[2]), None)
    text = f"{table.source}: {_where(table, table.columns[name], code)}: found {numeral!r}, which is no number with {best.name}"
    if shown is not None:
        text += f", as {_where(table, table.columns[shown[0]], shown[1])} has ({shown[2]!r})"
    return text + "; all columns of a table are written with one decimal mark"


def _read(table: CellTable, column: Column, parts: _Parts, style: _Style) -> Numbers:
    codes = column.codes
    count = np.bincount(codes, minlength=len(column.texts))
    numbers = {code: style.plain(numeral) for code, (numeral, _) in parts.items()}
    bare_zeros = {code for code, (_, unit) in parts.items() if not unit and float(numbers[code]) == 0}
    units: dict[str, int] = {}
    for code in parts.keys() - bare_zeros:
        units[parts[code][1]] = units.get(parts[code][1], 0) + int(count[code])
    target = max(units, key=lambda unit: (units[unit], unit), default="")
    values = np.full(len(column.texts), np.nan)
    for code, (_, unit) in parts.items():
        if unit == target or code in bare_zeros:
            values[code] = float(numbers[code])
        elif (factor := factor_between(unit, target)) is not None:
            values[code] = float(_EXACT.multiply(Decimal(numbers[code]), factor))
        else:
            raise DataError(
                f"{table.source}: {_where(table, column, code)}: found {column.texts[code]!r}, a number {_in(unit)}, where most of the "
                f"column is {_in(target)}; expected one unit"
            )
    others = sorted(unit for unit in units if unit != target)
    note = f"column {column.name!r}: {', '.join(others)} converted to {target}" if others else ""
    return Numbers(values[codes], target, note)


def _in(unit: str) -> str:
    return f"in {unit}" if unit else "without a unit"


def _where(table: CellTable, column: Column, code: int) -> str:
    row = int(np.argmax(column.codes == code))
    return f"{table.place(row)}, column {column.name!r}"
