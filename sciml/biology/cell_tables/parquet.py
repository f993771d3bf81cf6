"""Parquet files by pyarrow: the columns that are asked for, without what pandas left in the metadata. Runs in a limited child."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sciml.biology.cell_tables.exchange import packed
from sciml.biology.cell_tables.table import CellTable, Column, coded, numbered, pick
from sciml.errors import DataError

if TYPE_CHECKING:
    import pyarrow

__all__ = ["read"]


def read(path: str, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """In the child: the columns `names` of a parquet file, packed. DataError for a column that is neither numbers nor texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_memory_pool(pa.system_memory_pool())
    with pq.ParquetFile(path, pre_buffer=False) as file:
        places = pick(path, names, file.schema_arrow.names)
        if not file.metadata.num_rows:
            raise DataError(f"{path}: the table has no rows, expected one for each cell")
        for name, place in zip(names, places, strict=True):
            kind = file.schema_arrow.types[place]
            if not _readable(kind):
                raise DataError(f"{path}: column {name!r}: found values of the kind {kind}, expected numbers or texts")
        found = file.read(columns=list(names), use_threads=False, use_pandas_metadata=False)
    columns = {name: _column(name, found.column(name).combine_chunks()) for name in names}
    return packed(CellTable(path, columns, found.num_rows))


def _readable(kind: pyarrow.DataType) -> bool:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return _readable(kind.value_type)
    tests = (types.is_integer, types.is_floating, types.is_decimal, types.is_string, types.is_large_string, types.is_null)
    return any(test(kind) for test in tests)


def _column(name: str, values: pyarrow.Array) -> Column:
    import pyarrow as pa

    kind = values.type
    if pa.types.is_dictionary(kind) and not (pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)):
        values, kind = values.dictionary_decode(), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = values.dictionary_encode()
    if pa.types.is_dictionary(values.type):
        texts = coded(name, (text or "" for text in [*values.dictionary.to_pylist(), ""]))
        codes = values.indices.fill_null(len(values.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
        return Column(name, None, texts.codes[codes], texts.texts)
    if pa.types.is_integer(kind) and not values.null_count:
        return numbered(name, values.to_numpy(zero_copy_only=False))
    return Column(name, values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64))
