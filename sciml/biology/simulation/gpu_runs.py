"""Runs the GPU kernel: streams, memory, launches in parts that fit."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.gpu import compiled_kernel, kernel_source
from sciml.biology.simulation.cuda_device import cuda_device, launch, rows_that_fit
from sciml.biology.simulation.draws import begin_stream
from sciml.biology.simulation.molecules import Molecules
from sciml.errors import ConfigError, DataError

__all__ = ["run_on_gpu"]


def run_on_gpu(molecules: Molecules, times: np.ndarray, first: int, n: int, stream: int) -> np.ndarray:
    """Counts int64 [n, T, S] of trajectories first, ..., first + n - 1 at ascending `times`.

    Raises ConfigError where no CUDA device is there or the model needs the CPU, DataError for a propensity that is negative or no number.
    """
    cuda_device()
    jumps = molecules.jumps
    source = kernel_source(jumps)
    if source is None:
        raise ConfigError("device: events, rate rules and laws of time run on the CPU only; use device='cpu'")
    kernel = compiled_kernel(source)
    words = np.stack([begin_stream(np.uint64(stream), np.uint64(first + k), np.uint64(0)) for k in range(n)])
    found = np.empty((n, len(times), len(jumps.system.states)), dtype=np.int64)
    size = rows_that_fit(found[:1].nbytes)
    for begin in range(0, n, size):
        part, rows = slice(begin, begin + size), slice(first + begin, first + begin + min(size, n - begin))
        given = [np.ascontiguousarray(r[rows] if len(r) > 1 else r) for r in (molecules.start, molecules.parameters)]
        out, status = np.zeros_like(found[part]), np.zeros(len(found[part]), dtype=np.int64)
        launch(kernel, len(out), words[part], *given, times, out, status)
        if status.any():
            k = int(np.flatnonzero(status)[0])
            names = " and ".join(repr(name) for name in jumps.channels[int(status[k]) - 1].names)
            what = "a rate that is negative or no number, or lacks what it takes"
            raise DataError(f"{jumps.system.network.id}: {names} of trajectory {first + begin + k} has {what}; device='cpu' says when")
        found[part] = out
    return found
