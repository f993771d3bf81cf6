"""Runs a lane program over many trajectories: what goes into the lanes, what comes out, what is left to the double kernel."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sciml.biology.kernels.lanes import LANES, LARGEST_COUNT, LaneProgram, compiled_lanes
from sciml.biology.kernels.machine_code import machine_code
from sciml.biology.simulation.streams import stream_words

__all__ = ["run_lanes"]

_KINDS = "fdfdfddlBlfldBl"  # numpy's letters of the arrays that the loop takes by their address


def run_lanes(
    program: LaneProgram,
    seed: int,
    first: int,
    start: np.ndarray,
    single: np.ndarray,
    double: np.ndarray,
    times: np.ndarray,
    skipped: int,
    out: np.ndarray,
    left: np.ndarray,
    done: np.ndarray,
    signals: np.ndarray,
) -> bool:
    """Trajectories `first`, ..., `first + len(out) - 1`; returns whether some are left to the double kernel.

    `start`, `single`, `double`: a row for each trajectory, or one for all. `times` ascend; records from number `skipped` on go to `out`
    [n, T, S]. `left` [n, S + 2]: time (NaN where it is not left), next record and state of what single precision cannot go on with.
    `done` [n] is set for finished trajectories. `signals`: [0] stops the run when set, [1] counts what is done.
    """
    record = int(np.searchsorted(times, 0.0, side="right"))
    out[:, : max(0, record - skipped)] = start[:, None, :]
    if record == len(times):
        done[:] = 1
        signals[1] += len(out)
        return False
    large = np.broadcast_to((start > LARGEST_COUNT).any(axis=1), len(out))
    left[large, 0], left[large, 1] = 0.0, record
    left[large, 2:] = np.broadcast_to(start, (len(out), start.shape[1]))[large]
    rows = max(len(start), len(single))
    image = np.empty((rows, start.shape[1] + single.shape[1]), dtype=np.float32)
    image[:, : start.shape[1]], image[:, start.shape[1] :] = start, single
    words = stream_words(seed, first, len(out)).view(np.float32)
    w = np.zeros((program.rows, LANES), dtype=np.float32)
    d = np.zeros((max(1, double.shape[1]), LANES))
    clocks, lanes, halted = np.zeros((2, LANES)), np.zeros((2, LANES), dtype=np.int64), np.zeros(LANES + 1, dtype=np.int64)
    state, most = np.zeros(LANES, dtype=np.uint8), np.zeros(LANES, dtype=np.float32)
    arrays: list[np.ndarray] = [image, double, words, times, w, d, clocks, lanes, state, halted, most, out, left, done, signals]
    kinds = "".join(a.dtype.char for a in arrays)
    if kinds != _KINDS or not all(a.flags.c_contiguous for a in arrays):
        raise TypeError(f"run_lanes: found arrays of the kinds {kinds}, expected contiguous ones of {_KINDS}")
    numbers = (
        compiled_lanes(program.source).address, len(out), start.shape[1], image.shape[1], double.shape[1], len(times), record, skipped,
        len(image) > 1, len(double) > 1,
    )  # fmt: skip
    lost = _loop()(*map(int, numbers), *(a.ctypes.data for a in arrays))
    return bool(large.any() or lost)


@cache
def _loop() -> Any:
    """The loop as a function of ctypes, which lets other threads run meanwhile."""
    here = Path(__file__)
    texts = [path.read_text() for path in (here.with_name("lane_loop.py"), here.parents[1] / "kernels" / "native.py")]

    def build() -> Any:
        from sciml.biology.simulation.lane_loop import build

        return build()

    code = machine_code("".join(texts) + f"{LANES} {LARGEST_COUNT}", build)
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 10, *[ctypes.c_void_p] * 15)(code.address)
