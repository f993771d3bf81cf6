"""Tau-leaping: many reactions in one step where numbers are large, exact steps where they are not."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from sciml.arguments import checked
from sciml.biology.network import Network
from sciml.biology.simulation.blocks import Progress
from sciml.biology.simulation.burn_in import begin_cells
from sciml.biology.simulation.costs import exact_seconds, leap_seconds
from sciml.biology.simulation.jump_model import CountingOptions, jump_model
from sciml.biology.simulation.leap_loop import run_leaps
from sciml.biology.simulation.leap_run import LeapRun
from sciml.biology.simulation.pilot import pilot_model
from sciml.biology.simulation.records import Record, recorded
from sciml.biology.simulation.requests import Before, Count, Epsilon, Laws, Seed, Start, check_cells
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.time_breaks import smooth_in_time
from sciml.biology.simulation.trajectories import Ensemble, Moments, checked_times
from sciml.biology.simulation.unit_processes import processes
from sciml.seeding import derive

__all__ = ["simulate_tau"]

_log = logging.getLogger(__name__)
_PILOTS, _PILOT_STEPS = 2, 500_000  # trajectories, and steps of each at most
_GAIN = 2.0  # so many times as fast as the exact method: what is not exact is to be worth it


@checked
def simulate_tau(
    net: Network,
    times: Any,
    n: Count = 1000,
    seed: Seed = 0,
    *,
    epsilon: Epsilon = 0.03,
    fallback: Literal["auto", "never"] = "auto",
    parameters: Mapping[str, Any] | None = None,
    extrinsic: Laws | None = None,
    start: Start = "given",
    before: Before | None = None,
    record: Record = "grid",
    threads: Count | None = None,
    progress: Progress | None = None,
    **counting: Unpack[CountingOptions],
) -> Ensemble | Moments:
    """X(t + tau) = X + sum_r v_r K_r, K_r ~ Poisson(int a_r dt along the mean path over tau).

    tau is the longest time in which no propensity is expected to change by more than a share `epsilon`, and no more than `epsilon` of a
    state's relaxation time: lower it for less bias (spreads are off by about epsilon / 2). Reactions that could run out of molecules fire
    one by one; where a leap would hold fewer than ten reactions, steps are exact. A leap that would go below zero is rejected and split,
    its numbers kept (a binomial share of them falls into the first part), so that totals are conserved and nothing is drawn twice or
    clipped.

    `parameters`, `extrinsic`, `start`, `before`, `record`, `threads`, `progress` and how amounts become molecules (`initial`, `substance`,
    `split_reversible`, `discrete_mass_action`) are those of `simulate_ssa`; Ctrl-C keeps what is done.

    Two pilot trajectories of a cell for which nothing is drawn (`pilot_model`), the same for any n and seed, tell whether leaping pays:
    below about 1,000 reactions a step (30 where the exact method cannot use its vectorised kernel) the whole run is `simulate_ssa`, which
    is then faster, and `kernel` says so; so it is with events and rate rules. `fallback="never"` leaps all the same, and refuses these.
    Laws that move smoothly with time are held fixed to a share epsilon in exact steps.

    Raises ConfigError for arguments that cannot be meant, DataError for what cannot be simulated in whole molecules and for a propensity
    that is negative or no number. Sources: Cao, Gillespie and Petzold, J. Chem. Phys. 124 (2006) 044109; Anderson, J. Chem. Phys. 128
    (2008) 054103.
    """
    check_cells(net, start, before, extrinsic, parameters)
    asked = checked_times(times)
    own: dict[str, Any] = {"epsilon": epsilon, "fallback": fallback, "threads": threads, **counting}
    given, counting["initial"] = begin_cells(simulate_tau, net, n, seed, parameters, extrinsic, start, before, **own)

    def exactly() -> Ensemble | Moments:
        return simulate_ssa(net, times, n, seed, parameters=given, record=record, threads=threads, progress=progress, **counting)

    if fallback == "auto" and (net.events or any(rule.kind == "rate" for rule in net.rules)):
        return exactly()
    model = jump_model(net, "simulate_tau", n=n, seed=seed, parameters=given, timed=True, **counting)
    if fallback == "auto" and smooth_in_time(model.jumps.graph, [c.node for c in model.jumps.channels]):
        return exactly()  # a leap takes a rate as it is when it begins
    run = TauRun(model, asked, epsilon, seed, "simulate_tau", final=record == "final")
    if fallback == "auto" and not replace(run, model=pilot_model(model, parameters, extrinsic, start, before)).pays():
        return exactly()
    return recorded(run, n, record, threads, progress)


@dataclass
class TauRun(LeapRun):
    """Blocks of trajectories by leaps."""

    kernel: ClassVar[str] = "leaps64"

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`."""
        self.leap(self.stream(), first, out, done, signals)

    def leap(self, stream: Any, first: int, out: Any, done: np.ndarray, signals: np.ndarray, most: int = sys.maxsize) -> np.ndarray:
        """As `block`; returns counts of leaps, exact steps, rejected leaps, firings [n, 4]."""
        y, parameters = self.started(first, len(out))
        failed, counted = np.zeros(len(out), dtype=np.int64), np.zeros((len(out), 4))
        run_leaps(
            self.leaps.code, self.scratch(), processes(len(self.model.changes)), stream, first, parameters, self.times, self.breaks,
            self.leaps.timed, self.epsilon, self.skipped, most, y, out, failed, done, counted, signals,
        )  # fmt: skip
        self.check(first, failed, y)
        return counted

    def pays(self) -> bool:
        """Whether a step holds enough reactions, on average over two trajectories of the first row."""
        states, done = self.room(_PILOTS)
        counted = self.leap(np.uint64(derive(0, "pilot")), 0, states, done, np.zeros(2, dtype=np.int64), _PILOT_STEPS)
        leaps, exact, _, firings = counted.sum(axis=0)
        _log.debug("%s: %d firings in %d leaps and %d exact steps", self.model.name, firings, leaps, exact)
        jumps = self.model.jumps
        return bool(exact_seconds(jumps, firings) >= _GAIN * leap_seconds(jumps, leaps + exact))
