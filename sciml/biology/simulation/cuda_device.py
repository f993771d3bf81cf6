"""The GPU that kernels run on: whether it is there, how much fits on it, and launches."""

from __future__ import annotations

import math
import warnings
from typing import Any

from sciml.errors import ConfigError

__all__ = ["BLOCK", "cuda_device", "launch", "rows_that_fit"]

BLOCK = 128  # threads that are started together
_SHARE = 0.5  # of the free memory of the device


def cuda_device() -> Any:
    """numba's module `cuda`. Raises ConfigError where it sees no device."""
    try:
        from numba import cuda
    except ImportError as error:
        raise ConfigError(f"device: 'cuda' was asked for, but numba has no CUDA here: {error}") from error
    if not cuda.is_available():
        raise ConfigError("device: 'cuda' was asked for, but no CUDA device is seen here; use device='cpu'")
    return cuda


def rows_that_fit(row_bytes: int) -> int:
    """Rows of so many bytes, one for each thread, that half of the free memory holds; at least one block of threads."""
    try:
        free = float(cuda_device().current_context().get_memory_info()[0])
    except (AttributeError, NotImplementedError, TypeError):
        free = math.inf
    if not math.isfinite(free):  # numba's simulator does not say: a gigabyte
        free = float(1 << 30)
    return max(BLOCK, int(_SHARE * free / max(1, row_bytes)))


def launch(kernel: Any, threads: int, *given: Any, block: int = BLOCK) -> None:
    """Run a kernel in so many threads, `block` of them together at most."""
    from numba.core.errors import NumbaPerformanceWarning

    block = min(block, threads)
    with warnings.catch_warnings():  # numba's remarks on small launches and copies are for those who write kernels
        warnings.simplefilter("ignore", NumbaPerformanceWarning)
        kernel[-(-threads // block), block](*given)
