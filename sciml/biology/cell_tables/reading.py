"""One call for all kinds of tables: which reader a source needs is found from its content, never from its name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sciml.arguments import shown
from sciml.biology.cell_tables.delimited import read_delimited
from sciml.biology.cell_tables.dosed_files import listed_files, read_dosed
from sciml.biology.cell_tables.exchange import read_in_child
from sciml.biology.cell_tables.frame import read_frame
from sciml.biology.cell_tables.table import CellTable
from sciml.biology.sources import path_of
from sciml.errors import ConfigError, DataError

__all__ = ["read_table"]

_HERE = "sciml.biology.cell_tables"


def read_table(
    source: Any,
    names: Sequence[str],
    *,
    dose: Sequence[str] = ("dose",),
    layer: str | None = None,
    doses: Mapping[Any, Any] | None = None,
    separator: str | None = None,
    encoding: str | None = None,
) -> CellTable:
    """The columns `names` of a table of single cells.

    `source`: a DataFrame, the path of a file as text, parquet, h5ad or FCS, a folder or a list of FCS files, or {FCS file: dose}. `dose`,
    `doses`: the name and the doses of FCS files; `layer` of an h5ad; `separator`, `encoding` of text. Raises ConfigError for an option that
    does not go with the source, DataError as the readers do.
    """
    kind, place = _kind(source)
    given = {"layer": layer, "doses": doses, "separator": separator, "encoding": encoding}
    allowed = {"text": ("separator", "encoding"), "h5ad": ("layer",), "fcs": ("doses",)}.get(kind, ())
    for option, value in given.items():
        if value is not None and option not in allowed:
            raise ConfigError(f"from_table: {option}: found {shown(value)}, which means nothing for {_SAID[kind]}")
    if kind == "frame":
        return read_frame(source, names)
    if kind == "fcs":
        if len(dose) != 1:
            raise ConfigError(f"dose: found {len(dose)} names, expected one: each FCS file has one dose")
        files = source if isinstance(source, Mapping) else doses
        return read_dosed(listed_files(list(source) if isinstance(source, Mapping) else source), files, dose[0], names)
    if kind == "parquet":
        return read_in_child(f"{_HERE}.parquet:read", place, list(names))
    if kind == "h5ad":
        return read_in_child(f"{_HERE}.annotated:read", place, list(names), layer)
    return read_delimited(place, names, separator=separator, encoding=encoding or "utf-8")


_SAID = {"frame": "a DataFrame", "text": "a table as text", "parquet": "a parquet file", "h5ad": "an h5ad file", "fcs": "FCS files"}
_STARTS = ((b"PAR1", "parquet"), (b"\x89HDF\r\n\x1a\n", "h5ad"), (b"FCS2.", "fcs"), (b"FCS3.", "fcs"))


def _kind(source: Any) -> tuple[str, Path]:
    """(which reader, path)."""
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return "frame", Path()
    if isinstance(source, Mapping | list | tuple):
        return "fcs", Path()
    if not isinstance(source, str | os.PathLike):
        raise ConfigError(f"from_table: found {shown(source)}, expected the path of a table, a folder or list of FCS files, or a DataFrame")
    path = path_of("from_table", source)
    if path.is_dir():
        return "fcs", path
    try:
        with path.open("rb") as file:
            begin = file.read(8)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    return next((kind for start, kind in _STARTS if begin.startswith(start)), "text"), path
