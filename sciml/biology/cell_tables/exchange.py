"""Tables that a limited child process read, packed for its answer and unpacked here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciml import sandbox
from sciml.biology.cell_tables.table import CellTable, Column
from sciml.errors import DataError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["packed", "read_in_child"]

_MEMORY, _CPU = 2 << 30, 20.0


def read_in_child(function: str, path: Path, *args: Any) -> CellTable:
    """The table that `function` ("module:name") of (path, *args) finds, in a child with 2 GiB + 30 times the file and 20 s + 2 s a MB.

    Raises DataError that names the file for whatever goes wrong in the child.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    record, arrays = sandbox.run(function, str(path), *args, memory_bytes=_MEMORY + 30 * size, cpu_seconds=_CPU + 2e-6 * size)
    columns = {name: _column(name, arrays, k, record["texts"]) for k, name in enumerate(record["names"])}
    return CellTable(str(path), columns, record["rows"], notes=tuple(record["notes"]))


def packed(table: CellTable) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a child sends: numbers and codes as arrays, the rest as JSON."""
    arrays, texts = {}, {}
    for k, (name, column) in enumerate(table.columns.items()):
        if column.numbers is not None:
            arrays[f"n{k}"] = column.numbers
        else:
            arrays[f"c{k}"], texts[name] = column.codes, list(column.texts)
    return {"names": list(table.columns), "rows": table.rows, "texts": texts, "notes": list(table.notes)}, arrays


def _column(name: str, arrays: Mapping[str, np.ndarray], k: int, texts: Mapping[str, list[str]]) -> Column:
    return Column(name, arrays[f"n{k}"]) if f"n{k}" in arrays else Column(name, None, arrays[f"c{k}"], tuple(texts[name]))
