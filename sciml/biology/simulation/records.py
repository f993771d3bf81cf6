"""What is kept of many trajectories: all of them, their ends, mean and spread alone, or files; by blocks, for every stochastic method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from sciml.biology.simulation.blocks import Progress, run_blocks
from sciml.biology.simulation.sampled_run import SampledRun
from sciml.biology.simulation.trajectories import Ensemble, Moments, Spread, merged
from sciml.biology.simulation.trajectory_store import TrajectoryStore, load_ensemble

__all__ = ["Record", "recorded"]

_BLOCK_BYTES = 1 << 24
_DEVICE_BLOCK = 1 << 20  # trajectories that a GPU gets at once

Record = Literal["grid", "final", "moments"]


def recorded(
    run: SampledRun, n: int, record: Record, threads: int | None, progress: Progress | None, store: TrajectoryStore | None = None
) -> Ensemble | Moments:
    """The result of n trajectories. Where the user stops the run (Ctrl-C) it is that of those that were done, and its notes say so;
    KeyboardInterrupt where none was."""
    if record == "moments":
        return _moments(run, n, threads, progress)
    return _kept(run, n, threads, progress) if store is None else _stored(run, n, store, threads, progress)


def _kept(run: SampledRun, n: int, threads: int | None, progress: Progress | None) -> Ensemble:
    """All trajectories, in memory."""
    states, done = run.room(n)

    def work(first: int, count: int, signals: np.ndarray) -> None:
        part = slice(first, first + count)
        run.block(first, states[part], done[part], signals)

    if _blocks(run, n, work, threads, progress):
        return run.ensemble(states)
    if not done.any():
        raise KeyboardInterrupt
    return run.ensemble(states[done == 1], done == 1, (f"stopped by the user after {int(done.sum())} of {n} trajectories",))


def _stored(run: SampledRun, n: int, store: TrajectoryStore, threads: int | None, progress: Progress | None) -> Ensemble:
    """As `_kept`, each block written to the disk when it is done; blocks that are there already are not run again."""

    def work(first: int, count: int, signals: np.ndarray) -> None:
        if first in store.finished:
            signals[1] += count
            return
        states, done = run.room(count)
        run.block(first, states, done, signals)
        if done.all():
            store.put(first, run.answered(states), run.kernel)

    with store.filling(run.ensemble(run.room(0)[0]), n):
        finished = _blocks(run, n, work, threads, progress, _size(run))
    found = load_ensemble(store.folder)
    stopped = (f"stopped by the user after {len(found.states)} of {n} trajectories",)
    return found if finished else replace(found, notes=found.notes + stopped)


def _moments(run: SampledRun, n: int, threads: int | None, progress: Progress | None) -> Moments:
    """Means and sums of squares of blocks, merged in their order: the same bits for any threads."""
    parts: dict[int, Spread] = {}

    def work(first: int, count: int, signals: np.ndarray) -> None:
        states, done = run.room(count)
        run.block(first, states, done, signals)
        if done.all():
            parts[first] = Spread.of(run.ensemble(states, slice(first, first + count)).amounts)

    finished = _blocks(run, n, work, threads, progress, _size(run))
    if not parts:
        raise KeyboardInterrupt
    total = merged(parts[first] for first in sorted(parts))
    notes = run.notes + (() if finished else (f"stopped by the user after {total.n} of {n} trajectories",))
    species = tuple(s.id for s in run.molecules.jumps.system.network.species)
    return Moments(run.asked, species, total.mean, total.std, total.n, run.seed, run.kernel, notes)


def _blocks(
    run: SampledRun,
    n: int,
    work: Callable[[int, int, np.ndarray], None],
    threads: int | None,
    progress: Progress | None,
    size: int | None = None,
) -> bool:
    """`run_blocks`; a GPU gets many trajectories at once, and its blocks one after the other."""
    if run.device == "cuda":
        threads, size = 1, size or _DEVICE_BLOCK
    return run_blocks(n, work, threads=threads, progress=progress, block=size)


def _size(run: SampledRun) -> int:
    """Trajectories of a block whose states are not kept in memory: the same for the same request."""
    return max(64, _BLOCK_BYTES // max(1, run.room(1)[0].nbytes) // 64 * 64)
