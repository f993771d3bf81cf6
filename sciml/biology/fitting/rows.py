"""A compiled function of nodes at many rows of states and parameters, in one loop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from sciml.biology.kernels.native import Native, call
from sciml.compiling import compiled

__all__ = ["at_rows"]

_ROWS = types.float64[:, ::1]


@compiled(types.void(types.int64, types.int64[::1], types.float64[::1], _ROWS, _ROWS, _ROWS))
def _loop(address: int, table: Any, times: Any, ys: Any, ps: Any, out: Any) -> None:
    for r in range(times.size):
        call(address, times[r], ys[r], ps[r], out[r], table)  # type: ignore[call-arg]


def at_rows(function: Native, times: np.ndarray, ys: np.ndarray, ps: np.ndarray) -> np.ndarray:
    """[R, results] of a function at times [R], states [R, n] and parameters [R, m]."""
    out = np.empty((len(times), function.results))
    _loop(function.address, function.context, np.ascontiguousarray(times, float), np.ascontiguousarray(ys), np.ascontiguousarray(ps), out)
    return out
