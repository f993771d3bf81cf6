"""The chemical Langevin equation: real-valued amounts with Gaussian noise for each reaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Unpack

import numpy as np

from sciml.biology.network import Network
from sciml.biology.simulation.blocks import Progress, run_blocks
from sciml.biology.simulation.extrinsic import Cells, cell_options
from sciml.biology.simulation.jump_model import Counting, JumpModel, jump_model
from sciml.biology.simulation.langevin_loop import run_langevin
from sciml.biology.simulation.leap_run import LeapRun, checked_number
from sciml.biology.simulation.time_breaks import smooth_in_time
from sciml.biology.simulation.timed_events import timed_kicks
from sciml.biology.simulation.trajectories import Ensemble, checked_times
from sciml.errors import ConfigError
from sciml.seeding import derive

__all__ = ["LangevinEnsemble", "simulate_langevin"]


@dataclass(frozen=True, repr=False)
class LangevinEnsemble(Ensemble):
    """Real-valued trajectories [n, T, S]; there are no `.counts`.

    `boundary` names what happened at zero, `time_at_zero` [n, s] is the time that each state (`system.states`) spent at zero or below:
    where it is a sizeable part of the run, the Langevin equation is not fit for that species.
    """

    boundary: str = field(default="free", kw_only=True)
    time_at_zero: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), kw_only=True)


def simulate_langevin(
    network: Network,
    times: Any,
    n: int = 1000,
    seed: int = 0,
    *,
    boundary: Literal["free", "reflect"] = "free",
    epsilon: float = 0.03,
    parameters: Mapping[str, Any] | None = None,
    extrinsic: Cells | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **counting: Unpack[Counting],
) -> LangevinEnsemble:
    """dX = sum_r v_r (a_r(X) dt + sqrt(a_r(X)) dW_r), one Wiener process for each reaction.

    `parameters` {id: number or array [n]}; `extrinsic` {id: law} draws one value for each cell (trajectory).

    A step is chosen from the state before it, as in `simulate_tau` (a share `epsilon` of change or of relaxation time, at least a change by
    a quarter of a firing); its mean follows the rate equations to order 4, its noise is that of sqrt(int a dt). `boundary="free"`: amounts
    may go below zero by the last step's noise, laws see zero there, and totals are conserved; "reflect": an amount below zero is turned to
    its opposite, and conserved totals drift. `time_at_zero` says how often. Between whole numbers a law such as X (X - 1) that is negative
    counts as zero. Events at known times are made; others and rate rules are refused. Source: Gillespie, J. Chem. Phys. 113 (2000) 297.
    """
    if boundary not in ("free", "reflect"):
        raise ConfigError(f"boundary: found {boundary!r}, expected 'free' or 'reflect'")
    asked, n = checked_times(times), checked_number(n)
    parameters, initial = cell_options(network, extrinsic, n, seed, parameters, counting.get("initial"))
    counting = {**counting, "initial": initial}  # type: ignore[typeddict-item]
    model = jump_model(network, "simulate_langevin", n=n, seed=seed, parameters=parameters, timed=True, real=True, stops=True, **counting)
    channels = model.jumps.channels
    if moving := smooth_in_time(model.jumps.graph, [c.node for c in channels]):
        names = ", ".join(repr(name) for name in channels[moving[0]].names)
        raise ConfigError(f"{network.id}: the law of {names} moves with time, which a step takes as it is when it begins; use simulate_ssa")
    grid = np.unique(asked)
    run = _Segments(model, grid, epsilon, boundary == "reflect", seed, threads, progress)
    states, at_zero = run.all(n)
    m = model.molecules
    return LangevinEnsemble(
        model.jumps.system, asked, states[:, np.searchsorted(grid, asked)] / model.jumps.molecules, m.raw, notes=m.notes,
        seed=int(seed), kernel="langevin64", molecules=m.per_unit, whole=False, boundary=boundary, time_at_zero=at_zero,
    )  # fmt: skip


@dataclass
class _Segments:
    """A run from one event to the next."""

    model: JumpModel
    times: np.ndarray
    epsilon: float
    reflect: bool
    seed: int
    threads: int | None
    progress: Progress | None

    def all(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """(states [n, T, s], time at zero [n, s])."""
        kicks = timed_kicks(self.model, float(self.times[-1]))
        states = np.zeros((n, len(self.times), self.model.changes.shape[1]))
        at_zero = np.zeros((n, states.shape[2]))
        y = np.array(np.broadcast_to(self.model.molecules.start, at_zero.shape))
        begin, ends = 0.0, [*(kick.time for kick in kicks), np.inf]
        for k, end in enumerate(ends):
            inside = (self.times >= begin) & (self.times < end)
            grid = self.times[inside] if end == np.inf else np.append(self.times[inside], end)
            if len(grid):
                found = self._segment(k, y, begin, grid, at_zero)
                states[:, inside] = found[:, : inside.sum()]
                y = np.ascontiguousarray(found[:, -1])
            if k < len(kicks):
                y = kicks[k].applied(self.model, y)
                begin = end
        return states, at_zero

    def _segment(self, number: int, y: np.ndarray, begin: float, grid: np.ndarray, at_zero: np.ndarray) -> np.ndarray:
        """[n, T, s] at the times `grid` from states y at `begin`; adds to the time at zero."""
        run = LeapRun(JumpModel(replace(self.model.molecules, start=y)), grid, self.epsilon)
        out, failed, last = run.room(len(y))
        stream = np.uint64(derive(self.seed, "simulate_langevin", number))

        def work(first: int, count: int, signals: np.ndarray) -> None:
            part = slice(first, first + count)
            run_langevin(
                *run.shared(stream, first, count), begin, self.reflect, out[part], at_zero[part], failed[part], last[part], signals
            )

        finished = run_blocks(len(y), work, threads=self.threads, progress=self.progress)
        run.check(failed, last)
        if not finished:
            raise KeyboardInterrupt
        return out
