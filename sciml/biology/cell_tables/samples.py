"""What a table says of single cells: doses, read-outs and groups, row by row, checked; missing fields refused or dropped and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sciml.biology.cell_tables.numerals import Numbers, as_numbers
from sciml.biology.cell_tables.table import CellTable, Column
from sciml.biology.cell_tables.written_units import unit_in_brackets
from sciml.errors import DataError

__all__ = ["CellSamples", "samples_of"]


@dataclass(frozen=True)
class CellSamples:
    """`x` [n] (one dose column) or [n, dx], numbers or, where doses are categories, texts [n]; `y` [n, dy] float64; `groups` [n] texts or
    None; `units` {column: unit}, as the cells have it or, in brackets, the column's name."""

    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None
    units: Mapping[str, str]
    notes: tuple[str, ...]
    source: str = ""


def samples_of(
    table: CellTable,
    dose: Sequence[str],
    readout: Sequence[str],
    groups: Sequence[str] = (),
    *,
    categories: bool = False,
    drop_missing: bool = False,
    decimal: str | None = None,
) -> CellSamples:
    """Doses, read-outs and groups of the rows of a table.

    With `categories` the doses are names, several columns of them joined by " / ". Raises DataError with row and column for a missing
    field, unless such rows are dropped, for what is no number, and where no row is left.
    """
    names = list(dict.fromkeys([*dose, *readout, *groups]))
    kept, notes = _present(table, names, drop_missing)
    if not kept.any():
        raise DataError(f"{table.source}: has no row in which {', '.join(map(repr, names))} {'are all' if len(names) > 1 else 'is'} given")
    numeric = list(dict.fromkeys([*(() if categories else dose), *readout]))
    numbers = as_numbers(table, numeric, decimal)
    x = _named(table, dose, kept) if categories else _columns(numbers, dose, kept)
    y = _columns(numbers, readout, kept)
    same = [name for name, column in zip(readout, y.T, strict=True) if (column == column[0]).all()]
    notes += [f"column {name!r} is the same in all rows" for name in same]
    notes += [numbers[name].note for name in numeric if numbers[name].note]
    return CellSamples(
        x[:, 0] if x.ndim == 2 and x.shape[1] == 1 else x,
        y,
        _named(table, groups, kept) if groups else None,
        {name: unit for name in numeric if (unit := numbers[name].unit or unit_in_brackets(name))},
        (*table.notes, *notes),
        table.source,
    )


def _present(table: CellTable, names: Sequence[str], drop: bool) -> tuple[np.ndarray, list[str]]:
    """(rows in which no field is missing [n], how many were dropped for which column)."""
    kept, notes = np.ones(table.rows, dtype=bool), []
    for name in names:
        missing = table.columns[name].missing
        if missing.any() and not drop:
            raise DataError(
                f"{table.source}: {table.place(int(np.argmax(missing)))}, column {name!r}: the field is empty or NaN ({missing.sum()} such "
                "rows); missing='drop' leaves them out"
            )
        if missing.any():
            notes.append(f"column {name!r}: {missing.sum()} of {table.rows} rows dropped, for their field is empty or NaN")
        kept &= ~missing
    return kept, notes


def _columns(numbers: Mapping[str, Numbers], names: Sequence[str], kept: np.ndarray) -> np.ndarray:
    return np.column_stack([numbers[name].values[kept] for name in names])


def _named(table: CellTable, names: Sequence[str], kept: np.ndarray) -> np.ndarray:
    """Texts [n] of the columns, several of them joined by " / "."""
    return np.array([" / ".join(parts) for parts in zip(*(_texts(table.columns[name], kept) for name in names), strict=True)])


def _texts(column: Column, kept: np.ndarray) -> list[str]:
    if column.numbers is not None:
        return [repr(value).removesuffix(".0") for value in column.numbers[kept].tolist()]
    return [column.texts[code] for code in column.codes[kept]]
