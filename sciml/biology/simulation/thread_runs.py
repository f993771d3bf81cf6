"""Runs the GPU kernel: streams, memory, launches in parts that fit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sciml.biology.kernels.threads import compiled_threads, thread_source
from sciml.biology.simulation.draws import begin_stream
from sciml.biology.simulation.molecules import Molecules
from sciml.errors import ConfigError, DataError

__all__ = ["run_threads"]

_BLOCK = 128
_SHARE = 0.5  # of the free memory of the device


def run_threads(molecules: Molecules, times: np.ndarray, first: int, n: int, stream: int) -> np.ndarray:
    """Counts int64 [n, T, S] of trajectories first, ..., first + n - 1 at ascending `times`.

    Raises ConfigError where no CUDA device is there or the model needs the CPU, DataError for a propensity that is negative or no number.
    """
    try:
        from numba import cuda
    except ImportError as error:
        raise ConfigError(f"device: 'cuda' was asked for, but numba has no CUDA here: {error}") from error
    if not cuda.is_available():
        raise ConfigError("device: 'cuda' was asked for, but no CUDA device is seen here; use device='cpu'")
    jumps = molecules.jumps
    source = thread_source(jumps)
    if source is None:
        raise ConfigError("device: events, rate rules and laws of time run on the CPU only; use device='cpu'")
    kernel = compiled_threads(source)
    words = np.stack([begin_stream(np.uint64(stream), np.uint64(first + k), np.uint64(0)) for k in range(n)])
    found = np.empty((n, len(times), len(jumps.system.states)), dtype=np.int64)
    size = max(_BLOCK, int(_SHARE * _free(cuda) / max(1, found[:1].nbytes)))
    for begin in range(0, n, size):
        part, rows = slice(begin, begin + size), slice(first + begin, first + begin + min(size, n - begin))
        given = [np.ascontiguousarray(r[rows] if len(r) > 1 else r) for r in (molecules.start, molecules.parameters)]
        out, status = np.zeros_like(found[part]), np.zeros(len(found[part]), dtype=np.int64)
        kernel[-(-len(out) // _BLOCK), min(_BLOCK, len(out))](words[part], *given, times, out, status)
        if status.any():
            k = int(np.flatnonzero(status)[0])
            names = " and ".join(repr(name) for name in jumps.channels[int(status[k]) - 1].names)
            what = "a rate that is negative or no number, or lacks what it takes"
            raise DataError(f"{jumps.system.network.id}: {names} of trajectory {first + begin + k} has {what}; device='cpu' says when")
        found[part] = out
    return found


def _free(cuda: Any) -> float:
    """Bytes free on the device; a gigabyte where it does not say (numba's simulator)."""
    try:
        free = float(cuda.current_context().get_memory_info()[0])
    except (AttributeError, NotImplementedError, TypeError):
        free = math.inf
    return free if math.isfinite(free) else float(1 << 30)
