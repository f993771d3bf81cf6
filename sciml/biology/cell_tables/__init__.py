"""Tables of single cells: text with any separator and decimal mark, parquet, h5ad, FCS, pandas; read right or refused by name."""

from __future__ import annotations

from sciml.biology.cell_tables.reading import read_table
from sciml.biology.cell_tables.samples import CellSamples, samples_of
from sciml.biology.cell_tables.table import CellTable

__all__ = ["CellSamples", "CellTable", "read_table", "samples_of"]
