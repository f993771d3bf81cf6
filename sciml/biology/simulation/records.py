"""What is kept of many trajectories: all of them, their ends, mean and spread alone, or files; by blocks, for every stochastic method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeVar

import numpy as np

from sciml.biology.simulation.blocks import Progress, run_blocks
from sciml.biology.simulation.sampled_run import SampledRun
from sciml.biology.simulation.trajectories import Ensemble, Moments, Spread, merged
from sciml.biology.simulation.trajectory_store import TrajectoryStore, load_ensemble

__all__ = ["Record", "recorded"]

_BLOCK_BYTES = 1 << 24
_DEVICE_BLOCK = 1 << 20  # trajectories that a GPU gets at once

Record = Literal["grid", "final", "moments"]
_Result = TypeVar("_Result", Ensemble, Moments)


def recorded(
    run: SampledRun, n: int, record: Record, threads: int | None, progress: Progress | None, store: TrajectoryStore | None = None
) -> Ensemble | Moments:
    """The result of n trajectories. Where the user stops the run (Ctrl-C) it is that of those that were done, and its notes say so;
    KeyboardInterrupt where none was, and where all were."""
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
        return _of(n, run.ensemble(states), True)
    if not done.any():
        raise KeyboardInterrupt
    return _of(n, run.ensemble(states[done == 1], done == 1), False)


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
    return _of(n, load_ensemble(store.folder), finished)


def _moments(run: SampledRun, n: int, threads: int | None, progress: Progress | None) -> Moments:
    """Means and sums of squares of blocks, merged in their order: the same bits for any threads."""
    parts: dict[int, Spread] = {}

    def work(first: int, count: int, signals: np.ndarray) -> None:
        states, done = run.room(count)
        run.block(first, states, done, signals)
        if done.any():  # all, or what was done when the user stopped it
            there = np.flatnonzero(done)
            parts[first] = Spread.of(run.ensemble(states if len(there) == count else states[there], first + there).amounts)

    finished = _blocks(run, n, work, threads, progress, _size(run))
    if not parts:
        raise KeyboardInterrupt
    total = merged(parts[first] for first in sorted(parts))
    species = tuple(s.id for s in run.molecules.jumps.system.network.species)
    return _of(n, Moments(run.asked, species, total.mean, total.std, total.n, run.seed, run.kernel, run.notes), finished)


def _of(n: int, found: _Result, finished: bool) -> _Result:
    """What was found of n trajectories; where the user stopped the run its notes say so. Of a whole one the caller is stopped."""
    found = replace(found, asked=int(n))
    if finished:
        return found
    if found.complete:
        raise KeyboardInterrupt
    there = found.n if isinstance(found, Moments) else len(found.states)
    return replace(found, notes=(*found.notes, f"stopped by the user after {there} of {n} trajectories"))


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
    return min(run.largest, max(64, _BLOCK_BYTES // max(1, run.room(1)[0].nbytes) // 64 * 64))
