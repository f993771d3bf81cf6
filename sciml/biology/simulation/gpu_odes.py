"""Deterministic runs on a GPU: one set of numbers a thread, by the CPU's own explicit steps compiled for the device.

Imported only where a device was asked for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import cuda as numba_cuda
from numba import float64, int64

from sciml.biology.kernels.compiled import made_once
from sciml.biology.kernels.device_functions import device_function
from sciml.biology.simulation import step_control as steps
from sciml.biology.simulation.conditions import after, next_time
from sciml.biology.simulation.cuda_device import launch, rows_that_fit
from sciml.biology.simulation.equations import Equations
from sciml.biology.simulation.explicit import explicit_row
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.step_control import REALS, WHOLES
from sciml.errors import ConfigError

__all__ = ["GpuRun", "ode_kernel"]

cuda: Any = numba_cuda  # in the kernel it has names that it does not have outside
_log = logging.getLogger(__name__)
_BLOCK = 32  # threads started together: few sets spread over the whole device
_MOST_STEPS = 100_000  # what takes a thread longer goes to the CPU


@dataclass(kw_only=True)
class GpuRun(Run):
    """A run of many sets at once on the device. What turns out stiff there, or fails, is run again on the CPU, which has a method for it or
    says what is wrong. Raises ConfigError for what the device does not cover."""

    most: int = _MOST_STEPS

    def __post_init__(self) -> None:
        equations, conditions = self.equations, self.equations.conditions
        lacking = {
            f"method={self.method!r}": self.method not in ("auto", "explicit"),
            "events": equations.events is not None,
            "delay()": bool(self.system.lags),
            "conditions on states, or not linear in time": conditions.watched is not None,
            "equations too large for a thread": any(f and not f.python for f in (equations.rhs, conditions.modes, conditions.clock)),
        }
        if found := [name for name, there in lacking.items() if there]:
            raise ConfigError(f"device: {self.system.network.id}: {'; '.join(found)}: not on a GPU, use device='cpu'")

    def run_roughly(self, states: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> None:
        """Raise `scale` [B, n] as on the CPU."""
        own = scale.copy()
        _, whole = self.rough().launched(states, numbers, scale)
        left = whole[:, steps.STATUS] != steps.DONE
        if left.any():
            rest = own[left]
            self.on_cpu().run_roughly(states[left], numbers[left], rest)
            scale[left] = rest

    def all(self, states: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
        """As on the CPU; `by_cpu` in the statistics is how many sets were run there."""
        own = scale.copy()
        out, whole = self.launched(states, numbers, scale)
        left = whole[:, steps.STATUS] != steps.DONE
        statistics = self.statistics(whole[~left]) | {"by_cpu": int(left.sum())}
        if left.any():
            _log.warning("%s: %d of %d sets are stiff or fail: they run on the CPU", self.system.network.id, left.sum(), len(left))
            out[left], more = self.on_cpu().all(states[left], numbers[left], own[left])
            statistics |= {name: statistics[name] + more[name] for name in more}
        return out, statistics

    def on_cpu(self) -> Run:
        """The same run without a device, in as many steps as it needs."""
        return replace(self.plain(), most=Run.most)

    def launched(self, states: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(states [B, T, n] at the times, controls [B, ...] that say how each set ended), in parts that fit; raises `scale`."""
        count, n = states.shape
        conditions, grid = self.equations.conditions, self.grid
        out = np.empty((count, len(grid), n))
        real, whole = self.controls(count)
        real[:, steps.STOP], whole[:, steps.TO_THE_END] = grid[-1], 1
        whole[:, steps.NEXT] = np.searchsorted(grid, 0.0, side="right")
        kernel = made_once(self.system, "threads", lambda system: ode_kernel(self.equations))
        rows = (states, np.concatenate([numbers, np.zeros((count, conditions.count))], axis=1), scale, real, whole)
        size = rows_that_fit(out[:1].nbytes + sum(row[:1].nbytes for row in rows))
        for first in range(0, count if n else 0, size):
            part = slice(first, first + size)
            given = [cuda.to_device(np.ascontiguousarray(row[part])) for row in rows]
            found = cuda.device_array(out[part].shape)
            launch(kernel, len(found), *given, found, grid, self.absolute, conditions.whole, block=_BLOCK)
            found.copy_to_host(out[part])
            for row, there in zip((scale, whole), (given[2], given[4]), strict=True):
                there.copy_to_host(row[part])
        out[:, grid == 0] = states[:, None]
        return out, whole


def ode_kernel(equations: Equations) -> Any:
    """The kernel f(ys [B, n], ps [B, m], scales [B, n], reals [B, REALS], wholes [B, WHOLES], outs [B, T, n], grid [T],
    absolute [n], rounds [K]); see `explicit.explicit`. Between two changes of what is linear in time,
    `Conditions.clock`, each thread steps as the CPU does."""
    conditions = equations.conditions
    n, m, fixed = len(equations.states), max(1, conditions.parameters), conditions.parameters - conditions.count
    pairs = max(1, 2 * conditions.whole.size)
    later, soonest = device_function(after), device_function(next_time)
    modes, clock = (device_function(f.python if f else _nothing) for f in (conditions.modes, conditions.clock))
    advance = device_function(explicit_row, call=_slopes(device_function(equations.rhs.python)), searched=device_function(_unchanged))

    @cuda.jit
    def kernel(ys: Any, ps: Any, scales: Any, reals: Any, wholes: Any, outs: Any, grid: Any, absolute: Any, rounds: Any) -> None:
        b = cuda.grid(1)
        if b >= ys.shape[0]:
            return
        y, scale = cuda.local.array(n, float64), cuda.local.array(n, float64)
        z, new = cuda.local.array(n, float64), cuda.local.array(n, float64)
        k, poly, p = cuda.local.array((7, n), float64), cuda.local.array((5, n), float64), cuda.local.array(m, float64)
        real, whole, pair = cuda.local.array(REALS, float64), cuda.local.array(WHOLES, int64), cuda.local.array(pairs, float64)
        none, unseen, table = cuda.local.array(1, float64), cuda.local.array((1, 1), float64), cuda.local.array(1, int64)
        for i in range(n):
            y[i], scale[i] = ys[b, i], scales[b, i]
        for i in range(ps.shape[1]):
            p[i] = ps[b, i]
        for i in range(REALS):
            real[i] = reals[b, i]
        for i in range(WHOLES):
            whole[i] = wholes[b, i]
        t, end = 0.0, real[steps.STOP]
        while True:
            modes(later(t), y, p, p[fixed:], table)
            clock(t, y, p, pair, table)
            change = soonest(t, later(t), pair, rounds)
            real[steps.STOP], real[steps.H] = change if change < end else end, 0.0
            advance(0, table, 0, 0, table, y, p, none, grid, outs[b], absolute, scale, real, whole, k, poly, z, new, unseen)
            t = real[steps.T]
            if whole[steps.STATUS] != steps.DONE or t >= end:
                break
        for i in range(n):
            scales[b, i] = scale[i]
        for i in range(WHOLES):
            wholes[b, i] = whole[i]

    return kernel


def _nothing(t: float, y: Any, p: Any, out: Any, context: Any) -> None:
    """In the place of modes and clocks where there are none."""


def _slopes(function: Any) -> Any:
    """`native.call` on the device: the one right-hand side of the kernel, whatever the address."""

    def call(rhs: int, t: float, y: Any, p: Any, out: Any, table: Any) -> None:
        function(t, y, p, out, table)

    return cuda.jit(device=True)(call)


def _unchanged(
    search: int, address: int, table: Any, t: float, h: float, poly: Any, p: Any, marks: Any, seen: Any, z: Any,
    n: int, count: int, columns: int, finer: int,
) -> float:  # fmt: skip
    """`crossings.searched` on the device, where no condition is watched."""
    return -1.0
