"""Which trajectories stay in single precision."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.lanes import lane_program
from sciml.biology.network import Network, Reaction, Units
from sciml.biology.simulation.lane_runs import LaneRuns
from sciml.biology.simulation.molecules import in_molecules


def test_coefficients_beyond_single_precision_go_to_double_one_by_one():
    """A dies at k, 100 molecules each: with k = 1e-35 none does, with k = 0.1 a share 1 - e^-0.1; alone the same bits. |z| <= 4.5."""
    net = Network(
        species={"A": 100}, parameters={"k": 0.1}, reactions=(Reaction.parse("d", "A ->", rate="k"),), units=Units(substance="item")
    )
    k = np.where(np.arange(200) % 2, 0.1, 1e-35)
    molecules = in_molecules(net, 200, 0, parameters={"k": k})
    program = lane_program(molecules.jumps)
    assert program is not None

    def run(part: slice) -> tuple[np.ndarray, set[str]]:
        runs = LaneRuns(molecules.jumps, program, np.array([1.0]), 5, False)
        n = len(k[part])
        out, done, signals = np.zeros((n, 1, 1), dtype=np.int64), np.zeros(n, dtype=np.uint8), np.zeros(2, dtype=np.int64)
        runs.run(part.start, molecules.start[:1], molecules.parameters[part], 0, out, done, signals)
        assert done.all() and signals[1] == n
        return out[:, 0, 0], runs.kinds

    counts, kinds = run(slice(0, 200))
    assert kinds == {"lanes32", "scalar64"} and (counts[::2] == 100).all()
    p = np.exp(-0.1)
    assert abs(counts[1::2].mean() - 100 * p) < 4.5 * np.sqrt(100 * p * (1 - p) / 100)
    for index, kind in ((6, {"scalar64"}), (7, {"lanes32"})):
        alone, used = run(slice(index, index + 1))
        assert alone[0] == counts[index] and used == kind
