"""Tau-leaping: many reactions in one step where numbers are large, exact steps where they are not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal, Unpack, cast

import numpy as np

from sciml.biology.kernels.lanes import lane_program
from sciml.biology.network import Network
from sciml.biology.simulation.blocks import Progress, run_blocks
from sciml.biology.simulation.extrinsic import Cells, cell_options
from sciml.biology.simulation.jump_model import Counting, jump_model
from sciml.biology.simulation.leap_loop import run_leaps
from sciml.biology.simulation.leap_run import LeapRun, checked_number
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.time_breaks import smooth_in_time
from sciml.biology.simulation.trajectories import Ensemble, checked_times
from sciml.seeding import derive

__all__ = ["simulate_tau"]

_log = logging.getLogger("sciml.biology.simulation")
_PILOTS = 2
# firings per step from which a leap (about 1 us) is cheaper than exact firings: in lanes about 1.3 ns each, else some 50 ns
_PAYS_LANES, _PAYS_SCALAR = 1000.0, 30.0


def simulate_tau(
    network: Network,
    times: Any,
    n: int = 1000,
    seed: int = 0,
    *,
    epsilon: float = 0.03,
    fallback: Literal["auto", "never"] = "auto",
    parameters: Mapping[str, Any] | None = None,
    extrinsic: Cells | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **counting: Unpack[Counting],
) -> Ensemble:
    """X(t + tau) = X + sum_r v_r K_r, K_r ~ Poisson(int a_r dt along the mean path over tau).

    tau is the longest time in which no propensity is expected to change by more than a share `epsilon`, and no more than `epsilon` of a
    state's relaxation time: lower it for less bias (spreads are off by about epsilon / 2). Reactions that could run out of molecules fire
    one by one; where a leap would hold fewer than ten reactions, steps are exact. A leap that would go below zero is rejected and split,
    its numbers kept (a binomial share of them falls into the first part), so that totals are conserved and nothing is drawn twice or
    clipped.

    `parameters` {id: number or array [n]}; `extrinsic` {id: law} draws one value for each cell (trajectory).

    Two pilot trajectories, the same for all seeds, tell whether leaping pays: below 1,000 reactions a step (30 where the exact method
    cannot use its vectorised kernel) the whole run is `simulate_ssa`, which is then faster, and `kernel` says so; so it is with events and
    rate rules. `fallback="never"` leaps all the same, and refuses these. Laws that move smoothly with time are held fixed to a share
    epsilon in exact steps. Refuses what `simulate_ssa` refuses. Sources: Cao, Gillespie and Petzold, J. Chem. Phys. 124 (2006) 044109;
    Anderson, J. Chem. Phys. 128 (2008) 054103.
    """
    asked, n = checked_times(times), checked_number(n)
    parameters, initial = cell_options(network, extrinsic, n, seed, parameters, counting.get("initial"))
    counting = {**counting, "initial": initial}  # type: ignore[typeddict-item]
    options: dict[str, Any] = {"parameters": parameters, "threads": threads, "progress": progress, **counting}
    if fallback == "auto" and (network.events or any(rule.kind == "rate" for rule in network.rules)):
        return _exact(network, times, n, seed, options)
    model = jump_model(network, "simulate_tau", n=n, seed=seed, parameters=parameters, timed=True, **counting)
    if fallback == "auto" and smooth_in_time(model.jumps.graph, [c.node for c in model.jumps.channels]):
        return _exact(network, times, n, seed, options)  # a leap takes a rate as it is when it begins
    run = LeapRun(model, np.unique(asked), epsilon)
    if fallback == "auto" and not _pays(run):
        return _exact(network, times, n, seed, options)
    states, failed, last = run.room(n)
    stream = np.uint64(derive(seed, "simulate_tau"))

    def work(first: int, count: int, signals: np.ndarray) -> None:
        part = slice(first, first + count)
        _block(run, stream, first, states[part], failed[part], last[part], signals)

    finished = run_blocks(n, work, threads=threads, progress=progress)
    run.check(failed, last)
    if not finished:
        raise KeyboardInterrupt
    states = states[:, np.searchsorted(run.times, asked)]
    m = model.molecules
    return Ensemble(
        model.jumps.system,
        asked,
        states / model.jumps.molecules,
        m.raw,
        notes=m.notes,
        seed=int(seed),
        kernel="leaps64",
        molecules=m.per_unit,
    )


def _exact(network: Network, times: Any, n: int, seed: int, options: Mapping[str, Any]) -> Ensemble:
    """The run by the exact method."""
    return cast(Ensemble, simulate_ssa(network, times, n, seed, **options))


def _block(
    run: LeapRun, stream: np.uint64, first: int, out: np.ndarray, failed: np.ndarray, last: np.ndarray, signals: np.ndarray
) -> np.ndarray:
    """Trajectories first, first + 1, ...; returns counts of leaps, exact steps, rejected leaps, firings [n, 4]."""
    counted = np.zeros((len(out), 4))
    run_leaps(*run.shared(stream, first, len(out)), out, failed, last, counted, signals)
    return counted


def _pays(run: LeapRun) -> bool:
    """Whether a step holds enough reactions, on average over two trajectories that depend on the model alone."""
    states, failed, last = run.room(_PILOTS)
    counted = _block(run, np.uint64(derive(0, "pilot")), 0, states, failed, last, np.zeros(2, dtype=np.int64))
    run.check(failed, last)
    leaps, exact, _, firings = counted.sum(axis=0)
    _log.debug("%s: %d firings in %d leaps and %d exact steps", run.model.name, firings, leaps, exact)
    lanes = lane_program(run.model.jumps) is not None
    return bool(firings >= (_PAYS_LANES if lanes else _PAYS_SCALAR) * (leaps + exact))
