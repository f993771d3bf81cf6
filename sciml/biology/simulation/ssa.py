"""Exact stochastic simulation: trajectories of the jump process, by the direct method (Gillespie, J. Phys. Chem. 81 (1977) 2340)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from os import PathLike
from typing import Any, Literal

import numpy as np

from sciml import __version__
from sciml.arguments import checked
from sciml.biology.network import Network
from sciml.biology.simulation.blocks import Progress
from sciml.biology.simulation.exact_run import ExactRun
from sciml.biology.simulation.molecules import Molecules, in_molecules, require_rates
from sciml.biology.simulation.records import Record, recorded
from sciml.biology.simulation.requests import Before, Count, Device, Laws, Seconds, Seed, Start, check_cells
from sciml.biology.simulation.trajectories import Ensemble, Moments, checked_times
from sciml.biology.simulation.trajectory_store import TrajectoryStore, load_ensemble
from sciml.errors import ConfigError

__all__ = ["simulate_ssa"]

_log = logging.getLogger(__name__)
_LONG = 2e9  # reactions, by the rates at the start, from which a forecast is made


@checked
def simulate_ssa(
    net: Network,
    times: Any,
    n: Count = 1000,
    seed: Seed = 0,
    *,
    parameters: Mapping[str, Any] | None = None,
    extrinsic: Laws | None = None,
    start: Start = "given",
    before: Before | None = None,
    record: Record = "grid",
    initial: Literal["round", "stochastic"] | None = None,
    substance: Literal["item", "mole"] | None = None,
    split_reversible: bool = True,
    discrete_mass_action: bool = False,
    budget: Seconds | None = None,
    device: Device = "cpu",
    threads: Count | None = None,
    store: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Ensemble | Moments:
    """Exact trajectories: P(tau, r) = a_r exp(-a tau), a = sum_r a_r, for the waiting time tau and the next reaction r.

    `times` as for all simulators: the start is at 0. `parameters` {id: number or array [n], one for each trajectory}; `extrinsic`
    {id: law} draws one value for each. `start`: as the model says, "steady_state" of its rate equations, or how long each trajectory runs
    before time 0; during that `before` {id: number} holds, as in {"ligand": 0}. `budget`: a run that is forecast to take more seconds is a
    ConfigError; without it the forecast of a long run is logged. `record`: "grid" keeps every trajectory at all times, "final" at the last
    one only ([n, 1, S]), "moments" only mean and standard deviation. `store`: a folder to which trajectories go block by block instead of
    memory. A run that was stopped there goes on where it was, a finished one is opened (as by `load_ensemble`), a folder of another request
    is a ConfigError that says what differs. Start numbers must be whole, unless `initial` rounds them or draws the whole numbers around
    them. `substance` says what a model counts that does not. A net law that can be negative is split into a forward and a backward reaction
    (`split_reversible`); a literal k S^2 becomes k S (S - 1) only with `discrete_mass_action`. `progress(done, n)` is called about once a
    second; Ctrl-C ends the run and keeps what is done.

    The arithmetic, `kernel`, follows from model and options: "lanes32" (single precision, 64 trajectories side by side; the draw of the
    reaction resolves 2^-45 of the total), "scalar64" for what needs double precision, or both, where trajectories passed from one to
    the other by their own state. Trajectory k depends on (seed, k) alone: the same bits for any n, threads and caches. `device` "cuda" runs
    one trajectory a thread of a GPU ("threads64"), equal in distribution.
    Raises DataError for what cannot be simulated in whole molecules, all of it at once, and for a propensity that is negative or no number.
    """
    request: dict[str, Any] = {
        "n": n, "seed": seed, "parameters": parameters, "extrinsic": extrinsic, "start": start, "before": before, "record": record,
        "initial": initial, "substance": substance, "split_reversible": split_reversible, "discrete_mass_action": discrete_mass_action,
        "device": device,
    }  # fmt: skip
    check_cells(net, start, before, extrinsic, parameters)
    asked, n, files = checked_times(times), int(n), None
    if store is not None:
        if record == "moments":
            raise ConfigError("store: found record='moments', which keeps no trajectories; expected 'grid' or 'final'")
        files = TrajectoryStore(store, {"sciml": __version__, "network": net.digest, "times": asked, **request})
        if files.complete:
            return load_ensemble(store)
    given: dict[str, Any] = dict(parameters or {})
    counting: dict[str, Any] = {"initial": initial, "substance": substance, "split_reversible": split_reversible}
    counting["discrete_mass_action"] = discrete_mass_action
    if extrinsic or start != "given":
        from sciml.biology.simulation.burn_in import begin_cells

        given, initial = begin_cells(simulate_ssa, net, n, seed, parameters, extrinsic, start, before, threads=threads, **counting)
        counting["initial"] = initial
    molecules = in_molecules(net, n, seed, parameters=given, **counting)
    _announce(net, asked, n, molecules, budget, record, given, counting)
    for note in molecules.notes:
        _log.warning("%s: %s", net.id, note)
    run = ExactRun(molecules, asked, seed, final=record == "final", rounds=initial is not None, device=device)
    return recorded(run, n, record, threads, progress, files)


def _announce(
    net: Network,
    asked: np.ndarray,
    n: int,
    molecules: Molecules,
    budget: Seconds | None,
    record: Record,
    given: dict[str, Any],
    counting: dict[str, Any],
) -> None:
    """Say what a long run will take, or refuse it beyond the budget. A glance at the start decides whether it may be long."""
    rates = require_rates(molecules)
    if budget is None and float(np.nansum(rates)) * asked.max() * n < _LONG:
        return
    from sciml.biology.simulation.forecast import forecast

    means = {id: float(np.mean(value)) for id, value in given.items()}
    found = forecast(net, asked, n, record=record, parameters=means, **{**counting, "initial": counting["initial"] or "round"})
    if budget is not None and found.seconds > budget:
        raise ConfigError(f"{net.id}: {found}, beyond the budget of {budget:g} s; ask for fewer, or use simulate_tau or linear_noise")
    _log.warning("%s: %s", net.id, found)
