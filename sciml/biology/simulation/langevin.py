"""The chemical Langevin equation: real-valued amounts with Gaussian noise for each reaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Unpack

import numpy as np

from sciml.biology.network import Network
from sciml.biology.simulation.blocks import Progress, run_blocks
from sciml.biology.simulation.extrinsic import Cells, cell_options
from sciml.biology.simulation.jump_model import Counting, jump_model
from sciml.biology.simulation.langevin_loop import run_langevin
from sciml.biology.simulation.leap_run import LeapRun, checked_number
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
    counts as zero. Refuses events and rate rules. Source: Gillespie, J. Chem. Phys. 113 (2000) 297.
    """
    if boundary not in ("free", "reflect"):
        raise ConfigError(f"boundary: found {boundary!r}, expected 'free' or 'reflect'")
    asked, n = checked_times(times), checked_number(n)
    parameters, initial = cell_options(network, extrinsic, n, seed, parameters, counting.get("initial"))
    counting = {**counting, "initial": initial}  # type: ignore[typeddict-item]
    model = jump_model(network, "simulate_langevin", n=n, seed=seed, parameters=parameters, timed=True, real=True, **counting)
    run = LeapRun(model, np.unique(asked), epsilon)
    states, failed, last = run.room(n)
    at_zero = np.zeros_like(last)
    stream = np.uint64(derive(seed, "simulate_langevin"))

    def work(first: int, count: int, signals: np.ndarray) -> None:
        part = slice(first, first + count)
        run_langevin(
            *run.shared(stream, first, count), boundary == "reflect", states[part], at_zero[part], failed[part], last[part], signals
        )

    finished = run_blocks(n, work, threads=threads, progress=progress)
    run.check(failed, last)
    if not finished:
        raise KeyboardInterrupt
    m = model.molecules
    return LangevinEnsemble(
        model.jumps.system, asked, states[:, np.searchsorted(run.times, asked)] / model.jumps.molecules, m.raw, notes=m.notes,
        seed=int(seed), kernel="langevin64", molecules=m.per_unit, whole=False, boundary=boundary, time_at_zero=at_zero,
    )  # fmt: skip
