"""Tables in memory: the columns of a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sciml.biology.cell_tables.table import CellTable, Column, coded, numbered, pick
from sciml.errors import DataError

if TYPE_CHECKING:
    import pandas

__all__ = ["read_frame"]


def read_frame(frame: pandas.DataFrame, names: Sequence[str]) -> CellTable:
    """The columns `names` of a DataFrame; rows count from 0 whatever its index says. Raises DataError as `read_delimited` does."""
    known = [str(name) for name in frame.columns]
    places = pick("DataFrame", names, known)
    if not len(frame):
        raise DataError("DataFrame: has no rows, expected one for each cell")
    columns = {name: _column(name, frame.iloc[:, place]) for name, place in zip(names, places, strict=True)}
    return CellTable("DataFrame", columns, len(frame))


def _column(name: str, series: pandas.Series) -> Column:
    import pandas as pd

    kind, types = series.dtype, pd.api.types
    texts = types.is_string_dtype(kind) or types.is_object_dtype(kind) or isinstance(kind, pd.CategoricalDtype)
    if types.is_bool_dtype(kind) or not (types.is_numeric_dtype(kind) or texts):
        raise DataError(f"DataFrame: column {name!r}: found values of the kind {kind}, expected numbers or texts")
    if types.is_complex_dtype(kind):
        raise DataError(f"DataFrame: column {name!r}: found complex numbers, expected real ones")
    if types.is_integer_dtype(kind) and not series.hasnans:
        return numbered(name, series.to_numpy(dtype=np.uint64 if types.is_unsigned_integer_dtype(kind) else np.int64))
    if types.is_numeric_dtype(kind):
        return Column(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    return _of_objects(name, series)


def _of_objects(name: str, series: pandas.Series) -> Column:
    """Numbers where all entries are numbers, else texts."""
    import pandas as pd

    entries = [None if missing else entry for entry, missing in zip(series.tolist(), pd.isna(series).tolist(), strict=True)]
    for row, entry in enumerate(entries):
        if isinstance(entry, bool) or not (entry is None or isinstance(entry, str | int | float | np.number)):
            raise DataError(f"DataFrame: row {row}, column {name!r}: found {entry!r}, expected a number or a text")
    if any(isinstance(entry, str) for entry in entries):
        return coded(name, ("" if entry is None else entry if isinstance(entry, str) else repr(entry) for entry in entries))
    return Column(name, np.array([np.nan if entry is None else float(entry) for entry in entries]))
