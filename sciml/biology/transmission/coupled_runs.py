"""Pairs of exact trajectories under two sets of parameters that react together as often as both laws allow."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.biology.kernels.native import call, native
from sciml.biology.simulation.blocks import run_blocks
from sciml.biology.simulation.draws import begin_stream, exponential, uniform
from sciml.biology.simulation.jump_model import JumpModel
from sciml.compiling import compiled
from sciml.errors import DataError
from sciml.seeding import derive

__all__ = ["coupled_pairs"]


def coupled_pairs(models: tuple[JumpModel, JumpModel], times: np.ndarray, n: int, seed: int, threads: int | None = None) -> np.ndarray:
    """States in molecules [2, n, T, s] at ascending `times` of n pairs; each of a pair alone is an exact trajectory of its model.

    Channel r fires in both at the rate min(a_r, a_r'), and in one alone at what is left, so that a pair differs little where the laws do:
    common random numbers for jump processes (Anderson, SIAM J. Numer. Anal. 50 (2012) 2237). Raises DataError for a propensity that is
    negative or no number, for a reaction that lacks what it takes, and where the models do not have the same reactions.
    """
    one, other = models
    if not np.array_equal(one.changes, other.changes):
        raise DataError(f"{one.name}: under its two sets of parameters it has different reactions; take a smaller step")
    functions = [native(m.jumps.graph, m.nodes, m.molecules.parameters.shape[1]) for m in models]
    out, failed = np.zeros((n, 2, len(times), one.changes.shape[1])), np.zeros((n, 2), dtype=np.int64)
    stream, changes = np.uint64(derive(seed, "coupled_runs")), one.sparse_changes()

    def work(first: int, count: int, signals: np.ndarray) -> None:
        part = slice(first, first + count)
        (start, p), (start_, p_) = (m.rows(first, count) for m in models)
        _run(
            functions[0].address, functions[0].context, functions[1].address, functions[1].context, stream, first, start, start_, p, p_,
            changes, times, out[part], failed[part], signals,
        )  # fmt: skip

    if not run_blocks(n, work, threads=threads):
        raise KeyboardInterrupt
    bad = np.argwhere(failed)
    if len(bad):
        trajectory, side = bad[0]
        channel, state = int(failed[trajectory, side]) - 1, out[trajectory, side, -1]
        raise models[side].refused(channel, state, float(models[side].rates_unchecked(state, int(trajectory))[channel]))
    return np.moveaxis(out, 1, 0)


@compiled(error_model="numpy")
def _run(
    address: int, context: Any, address_: int, context_: Any, stream: Any, first: int, starts: Any, starts_: Any, ps: Any, ps_: Any,
    changes: Any, times: Any, out: Any, failed: Any, signals: Any,
) -> None:  # fmt: skip
    begins, states, amounts = changes
    channels = len(begins) - 1
    a, b = np.empty(channels), np.empty(channels)
    for k in range(len(out)):
        if signals[0] != 0:
            return
        s = begin_stream(stream, first + k, 0)
        y, z = starts[k % len(starts)].copy(), starts_[k % len(starts_)].copy()
        p, q = ps[k % len(ps)].copy(), ps_[k % len(ps_)].copy()
        t, record = 0.0, 0
        while record < len(times):
            call(address, t, y, p, a, context)  # type: ignore[call-arg]
            call(address_, t, z, q, b, context_)
            total = 0.0
            for r in range(channels):
                failed[k, 0] = r + 1 if not (0.0 <= a[r] < np.inf) else failed[k, 0]
                failed[k, 1] = r + 1 if not (0.0 <= b[r] < np.inf) else failed[k, 1]
                total += max(a[r], b[r])
            t += exponential(s) / total if total > 0.0 else np.inf
            while record < len(times) and times[record] < t:
                out[k, 0, record], out[k, 1, record] = y, z
                record += 1
            if record == len(times) or failed[k].any():
                break
            r = _chosen(s, a, b, total)
            level = uniform(s) * max(a[r], b[r])
            if level < a[r] and not _fire(begins, states, amounts, r, y):
                failed[k, 0] = r + 1
            if level < b[r] and not _fire(begins, states, amounts, r, z):
                failed[k, 1] = r + 1
            if failed[k].any():
                break
        if failed[k].any():
            out[k, 0, -1], out[k, 1, -1] = y, z
        signals[1] += 1


@compiled(error_model="numpy")
def _chosen(s: Any, a: Any, b: Any, total: float) -> int:
    """A channel with probability max(a, b) / total; where rounding finds none it is drawn again."""
    while True:
        target = uniform(s) * total
        for r in range(len(a)):
            target -= max(a[r], b[r])
            if target < 0.0 and max(a[r], b[r]) > 0.0:
                return r


@compiled(error_model="numpy")
def _fire(begins: Any, states: Any, amounts: Any, r: int, y: Any) -> bool:
    """Apply channel r where the molecules that it takes are there."""
    for j in range(begins[r], begins[r + 1]):
        if y[states[j]] + amounts[j] < 0.0:
            return False
    for j in range(begins[r], begins[r + 1]):
        y[states[j]] += amounts[j]
    return True
