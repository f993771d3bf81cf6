"""Exact trajectories that end when a condition is first met: a sample of first-passage times by the direct method."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.biology.kernels.native import call, native
from sciml.biology.simulation.blocks import run_blocks
from sciml.biology.simulation.draws import begin_stream, exponential, uniform
from sciml.biology.simulation.jump_model import JumpModel
from sciml.compiling import compiled
from sciml.seeding import derive

__all__ = ["passage_times"]


def passage_times(model: JumpModel, node: int, until: float, n: int, seed: int, threads: int | None) -> np.ndarray:
    """[n]: the first time at which a node of the system is not zero, inf where that is not before `until`."""
    function = native(model.jumps.graph, [*model.nodes, model.in_molecules(node)], model.molecules.parameters.shape[1])
    found, failed = np.full(n, np.inf), np.zeros(n, dtype=np.int64)
    stream = np.uint64(derive(seed, "first_passage"))
    changes = model.sparse_changes()
    last = np.zeros((n, model.changes.shape[1]))

    def work(first: int, count: int, signals: np.ndarray) -> None:
        part = slice(first, first + count)
        start, parameters = model.rows(first, count)
        _sample(
            function.address, function.context, stream, first, start, parameters, changes, until, found[part], failed[part], last[part],
            signals,
        )  # fmt: skip

    finished = run_blocks(n, work, threads=threads)
    bad = np.flatnonzero(failed)
    if len(bad):
        channel, state = int(failed[bad[0]]) - 1, last[bad[0]]
        raise model.refused(channel, state, float(model.rates_unchecked(state, int(bad[0]))[channel]))
    if not finished:
        raise KeyboardInterrupt
    return found


@compiled(error_model="numpy")
def _sample(
    address: int, context: Any, stream: Any, first: int, start: Any, parameters: Any, changes: Any, until: float, found: Any, failed: Any,
    last: Any, signals: Any,
) -> None:  # fmt: skip
    starts, states, amounts = changes
    channels = len(starts) - 1
    out = np.empty(channels + 1)
    for k in range(len(found)):
        if signals[0] != 0:
            return
        s = begin_stream(stream, first + k, 0)
        y, p = start[k % len(start)].copy(), parameters[k % len(parameters)].copy()
        t = 0.0
        while failed[k] == 0:
            call(address, t, y, p, out, context)  # type: ignore[call-arg]
            if out[channels] != 0.0:
                found[k] = t
                break
            total = 0.0
            for r in range(channels):
                if not (0.0 <= out[r] < np.inf):
                    failed[k] = r + 1
                total += out[r]
            if failed[k] or total <= 0.0:
                break
            t += exponential(s) / total
            if t > until:
                break
            r = _chosen(s, out, channels, total)
            for j in range(starts[r], starts[r + 1]):
                if y[states[j]] + amounts[j] < 0.0:
                    failed[k] = r + 1
            if failed[k] == 0:
                for j in range(starts[r], starts[r + 1]):
                    y[states[j]] += amounts[j]
        last[k] = y
        signals[1] += 1


@compiled(error_model="numpy")
def _chosen(s: Any, rates: Any, channels: int, total: float) -> int:
    """A channel with probability rate / total; where rounding finds none it is drawn again."""
    while True:
        target = uniform(s) * total
        for r in range(channels):
            target -= rates[r]
            if target < 0.0 and rates[r] > 0.0:
                return r
