"""Many rows in one loop are what single calls give."""

from __future__ import annotations

import numpy as np

from sciml.biology.fitting.rows import at_rows
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.native import native


def test_rows_are_single_calls():
    g = Graph()
    y, p = [g.leaf("state", i) for i in range(2)], g.leaf("param", 0)
    function = native(g, [g.op("mul", y[0], p), g.op("add", y[1], g.leaf("time"))], 1)
    rng = np.random.default_rng(0)
    times, ys, ps = rng.random(5), rng.random((5, 4))[:, ::2], rng.random((5, 1))
    wanted = np.stack([function(t, a, b) for t, a, b in zip(times, ys, ps, strict=True)])
    np.testing.assert_array_equal(at_rows(function, times, ys, ps), wanted)
    assert at_rows(function, times[:0], ys[:0], ps[:0]).shape == (0, 2)
