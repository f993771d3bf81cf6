"""The table of a graph: every operation has a code and a case."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.graph import BINARY, UNARY, Graph
from sciml.biology.kernels.table import CODES, table, walk_source


def test_codes_are_distinct_and_all_written():
    assert len(set(CODES.values())) == len(CODES)
    text = walk_source()
    assert all(f"op == {CODES[op]}:" in text for op in (*UNARY, *BINARY, "select"))


def test_rows_in_order_of_evaluation():
    g = Graph()
    node = g.op("add", g.leaf("state", 4), g.op("mul", g.const(0.5), g.leaf("lag", 1)))
    cells = table(g, [node], 3)
    rows = cells[3:].reshape(-1, 4)
    assert cells[0] == 5 == len(rows) and cells[1] == 1 and rows[cells[2], 0] == CODES["add"]
    assert np.int64(rows[1, 1]).view(np.float64) == 0.5 or 0.5 in [np.int64(r[1]).view(np.float64) for r in rows if r[0] == CODES["const"]]
    assert [r[1] for r in rows if r[0] == CODES["param"]] == [4]  # a lag follows the parameters
