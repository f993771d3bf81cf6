"""The hybrid method for mixed scales: scarce molecules react one by one, abundant ones by the numbers of whole steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Unpack

from sciml.arguments import Bound, checked
from sciml.biology.kernels.hybrid_lanes import hybrid_program
from sciml.biology.network import Network
from sciml.biology.simulation.blocks import Progress
from sciml.biology.simulation.burn_in import begin_cells
from sciml.biology.simulation.hybrid_run import HybridRun, single_coefficients
from sciml.biology.simulation.jump_model import CountingOptions, JumpModel
from sciml.biology.simulation.molecules import in_molecules, require_rates
from sciml.biology.simulation.pilot import pilot_model
from sciml.biology.simulation.records import Record, recorded
from sciml.biology.simulation.requests import Before, Count, Laws, Seed, Start, check_cells
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.trajectories import Ensemble, Moments, checked_times
from sciml.errors import ConfigError

__all__ = ["simulate_hybrid"]

_Epsilon = Annotated[float, Bound("a number above 0, at most 0.1", lambda x: 0 < x <= 0.1)]
_Abundant = Annotated[float, Bound("a number of molecules >= 10", lambda x: 10 <= x < math.inf)]


@checked
def simulate_hybrid(
    net: Network,
    times: Any,
    n: Count = 1000,
    seed: Seed = 0,
    *,
    epsilon: _Epsilon = 0.03,
    abundant: _Abundant = 1000.0,
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
    """Scarce: P(next event later than t) = exp(-int a_0(x, z(s)) ds); abundant: K_r ~ Poisson(int a_r(x(s), z(s)) ds) over a step.

    At the start of each step a reaction counts as abundant where of every species that it changes there are at least `abundant` times the
    most that any reaction changes it by; all others are scarce and fire one by one, at times drawn from their hazards along the path z,
    the mean path of what is abundant given the scarce events x so far. Where the step ends, whole numbers of the abundant reactions are
    drawn, so that counts stay whole, conserved totals are kept and the partition can change: what falls becomes scarce again.

    `epsilon` (at most 0.1) controls the error: in a step no propensity is expected to change by more than this share through abundant
    reactions, and the step is no longer than this share of a relaxation time of theirs, as in `simulate_tau`; it ends early where the
    path is off by 2 epsilon or twice the foreseen reactions are expected. What is left out is the effect of the abundant reactions' own
    noise within a step: the part of a spread that comes from it is off by about epsilon / 2, the part that comes from scarce events is not.

    It pays where there are many abundant reactions for each scarce event and each step. Two pilot trajectories of a cell for which nothing
    is drawn (`pilot_model`), the same for any n and seed, tell; where it does not pay, and for events, rate rules and laws that name time,
    the run is `simulate_ssa`, and `kernel` says so ("hybrid32" otherwise). `fallback="never"` refuses these with a ConfigError instead.
    Other arguments as in `simulate_ssa`. Raises ConfigError for arguments that cannot be meant, DataError for what cannot be simulated in
    whole molecules and for a propensity that is negative or no number. Sources: Haseltine and Rawlings, J. Chem. Phys. 117 (2002) 6959;
    Harris and Clancy, J. Chem. Phys. 125 (2006) 144107.
    """
    check_cells(net, start, before, extrinsic, parameters)
    asked = checked_times(times)
    own: dict[str, Any] = {"epsilon": epsilon, "abundant": abundant, "fallback": fallback, "threads": threads, **counting}
    given, counting["initial"] = begin_cells(simulate_hybrid, net, n, seed, parameters, extrinsic, start, before, **own)

    def exactly() -> Ensemble | Moments:
        return simulate_ssa(net, times, n, seed, parameters=given, record=record, threads=threads, progress=progress, **counting)

    model = JumpModel(in_molecules(net, n, seed, parameters=given, **counting))
    require_rates(model.molecules)
    program = hybrid_program(model.jumps)
    single = None if program is None else single_coefficients(model, program)
    if program is None or single is None:
        if fallback == "never":
            raise ConfigError(
                f"{net.id}: simulate_hybrid knows no events, rate rules, laws of time, more than 32 reactions and functions such as sin; "
                "simulate_ssa does"
            )
        return exactly()
    run = HybridRun(
        model, asked, epsilon, seed, "simulate_hybrid", final=record == "final", program=program, single=single, abundant=abundant
    )  # fmt: skip
    if fallback == "auto":
        pilot = pilot_model(model, parameters, extrinsic, start, before)
        tried = single_coefficients(pilot, program)
        if tried is None or not replace(run, model=pilot, single=tried).pays():
            return exactly()
    return recorded(run, n, record, threads, progress)
