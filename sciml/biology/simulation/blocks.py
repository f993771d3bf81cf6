"""Many trajectories in blocks over threads: progress, and what is done is kept when the user stops the run."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache

import numpy as np

from sciml.devices import thread_limit

__all__ = ["Progress", "run_blocks"]

_log = logging.getLogger(__name__)
_EVERY = 5.0  # seconds between two lines of the log
_LOOK = 1.0  # seconds between two looks at what is done
_LARGEST = 1 << 14

Progress = Callable[[int, int], None]
Work = Callable[[int, int, np.ndarray], None]


@cache
def _limit(setting: str) -> int:
    """`thread_limit()` for a setting: what the machine grants is looked up once."""
    return thread_limit()


@dataclass
class _Clock:
    total: int
    progress: Progress | None
    began: float
    said: float

    def tell(self, done: int) -> None:
        """Tell the caller, and every few seconds the log with the time that is left."""
        now = time.monotonic()
        if self.progress is not None:
            self.progress(done, self.total)
        if now - self.said > _EVERY:
            self.said = now
            left = (now - self.began) * (self.total - done) / done if done else float("nan")
            _log.info("%d of %d trajectories, about %.0f s left", done, self.total, left)


def run_blocks(n: int, work: Work, *, threads: int | None = None, progress: Progress | None = None, block: int | None = None) -> bool:
    """Calls work(first, count, signals) for blocks that cover 0 ... n - 1; `signals` int64 [2]: [0] set means stop, [1] counts.

    Returns False where the user stopped it (Ctrl-C): then the blocks have ended where they stood. An error is raised after all ended.
    """
    limit = _limit(os.environ.get("SCIML_NUM_THREADS", ""))
    workers = min(threads or limit, limit)
    size = block or min(_LARGEST, max(64, -(-n // workers)))
    signals = [np.zeros(2, dtype=np.int64) for _ in range(0, n, size)]
    clock = _Clock(n, progress, time.monotonic(), time.monotonic())
    pool = ThreadPoolExecutor(workers)
    jobs = [pool.submit(work, first, min(size, n - first), s) for first, s in zip(range(0, n, size), signals, strict=True)]
    finished = True
    try:
        _watch(jobs, signals, clock)
    except KeyboardInterrupt:
        finished = False
        _log.warning("stopped after %d of %d trajectories", sum(int(s[1]) for s in signals), n)
    finally:
        for s in signals:
            s[0] = 1
        pool.shutdown(wait=True, cancel_futures=True)
    for job in jobs:
        if not job.cancelled():
            job.result()
    return finished


def _watch(jobs: list[Future[None]], signals: list[np.ndarray], clock: _Clock) -> None:
    """Wait for all jobs, or for the first error."""
    pending = set(jobs)
    while pending:
        ended, pending = wait(pending, timeout=_LOOK, return_when="FIRST_EXCEPTION")
        clock.tell(sum(int(s[1]) for s in signals))
        if any(job.exception() for job in ended):
            return
