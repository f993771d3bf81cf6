"""One call for all kinds of tables: which reader a source needs is found from its content, never from its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from sciml.arguments import shown
from sciml.biology.cell_tables.delimited import read_delimited
from sciml.biology.cell_tables.frame import read_frame
from sciml.biology.cell_tables.table import CellTable
from sciml.biology.sources import path_of
from sciml.errors import ConfigError

__all__ = ["read_table"]


def read_table(source: Any, names: Sequence[str], *, separator: str | None = None, encoding: str = "utf-8") -> CellTable:
    """The columns `names` of a table of single cells."""
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return read_frame(source, names)
    if not isinstance(source, str | os.PathLike):
        raise ConfigError(f"from_table: found {shown(source)}, expected the path of a table or a pandas DataFrame")
    return read_delimited(path_of("from_table", source), names, separator=separator, encoding=encoding)
