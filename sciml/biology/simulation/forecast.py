"""What an exact run would take, before it is begun: reactions, seconds, bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Unpack

import numpy as np
from scipy.optimize import linprog

from sciml.arguments import checked
from sciml.biology.kernels.lanes import lane_program
from sciml.biology.network import Network
from sciml.biology.simulation.costs import exact_seconds, stop_seconds
from sciml.biology.simulation.jump_model import CountingOptions
from sciml.biology.simulation.molecules import Molecules, in_molecules
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.records import Record
from sciml.biology.simulation.requests import Count
from sciml.biology.simulation.stages import stages_of
from sciml.biology.simulation.trajectories import checked_times
from sciml.devices import thread_limit
from sciml.errors import ConvergenceError

__all__ = ["Forecast", "forecast"]

_POINTS, _PER_DECADE = 200, 20  # of the mean-field course: evenly, and from its first reactions on
_MOST_BOUNDED = 200  # channels up to which bounds are sought


@dataclass(frozen=True)
class Forecast:
    """`events`: reactions of one trajectory in the mean (of the deterministic course: a factor of two off where numbers are small),
    `seconds`: for all of them on the cores that are granted (within a factor of about three), `bytes`: of what is kept."""

    events: float
    seconds: float
    bytes: int
    n: int
    kernel: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.n:,} trajectories of about {self.events:.3g} reactions: about {self.seconds:.2g} s, {self.bytes / 2**20:.3g} MiB"


@checked
def forecast(
    net: Network,
    times: Any,
    n: Count = 1000,
    *,
    record: Record = "grid",
    parameters: Mapping[str, Any] | None = None,
    **counting: Unpack[CountingOptions],
) -> Forecast:
    """Forecast of `simulate_ssa(net, times, n, record=record, ...)`; other arguments as there.

    The number of reactions is the integral of all propensities along the deterministic course, of each reaction no more than the molecules
    allow (what can only be lost is lost once). Raises what `simulate_ssa` would raise before it begins: ConfigError for arguments that
    cannot be meant, DataError for what cannot be simulated in whole molecules.
    """
    asked = checked_times(times)
    molecules = in_molecules(net, int(n), 0, parameters=parameters, **counting)
    jumps = molecules.jumps
    events = _reactions(net, molecules, float(asked.max()), parameters)
    program, stops = lane_program(jumps), 0
    if program is None and jumps.events:
        staged = stages_of(molecules, np.unique(asked), 0, False)
        program, stops = (staged.program, 0) if staged is not None else (None, len(jumps.events))
    threads = 1 if stops else thread_limit()
    seconds = n * (exact_seconds(jumps, events, program is not None) + stop_seconds(stops)) / threads
    records = {"grid": len(asked), "final": 1}.get(record, 0)
    size = 8 * len(jumps.system.states) * (int(n) * records if records else 2 * len(asked))
    return Forecast(events, seconds, size, int(n), "scalar64" if program is None else "lanes32")


def _reactions(net: Network, molecules: Molecules, end: float, parameters: Any) -> float:
    """sum_r of int_0^end a_r dt along the mean-field course, of each channel no more than the molecules allow."""
    if end == 0.0 or not molecules.jumps.channels:
        return 0.0
    jumps, start = molecules.jumps, molecules.start.mean(axis=0)
    fixed = {id: float(np.mean(value)) for id, value in (parameters or {}).items()}
    nodes, p = [c.node for c in jumps.channels], list(molecules.parameters.mean(axis=0))
    first = sum(max(float(v), 0.0) for v in jumps.graph.evaluate(nodes, states=list(start), params=p, time=0.0))
    begin = max(min(end * 1e-6, 0.1 / first if first > 0 else np.inf), float(np.finfo(float).tiny))
    decades = max(np.log10(end) - np.log10(begin), 0.0)
    times = np.unique(np.concatenate([np.geomspace(min(begin, end), end, int(_PER_DECADE * decades) + 2), np.linspace(0.0, end, _POINTS)]))
    most = _most(molecules, start)
    try:
        course = simulate_ode(net, times, fixed, rtol=1e-4)
    except ConvergenceError:  # at the latest times rounding may lead the course away from where it rests
        if np.isfinite(most).all():
            return float(most.sum())
        raise
    states = np.maximum(course.states, 0.0) * jumps.molecules
    values = jumps.graph.evaluate(nodes, states=list(states.T), params=p, time=times)
    rates = np.stack([np.nan_to_num(np.maximum(np.broadcast_to(v, len(times)), 0.0)) for v in values])
    return float(np.minimum(np.trapezoid(rates, times, axis=1), most).sum())


def _most(molecules: Molecules, start: np.ndarray) -> np.ndarray:
    """[R]: how often each channel can fire at most: max n_r with start + N n >= 0, n >= 0 for what is counted; inf for no bound.

    Events and rules may add molecules and many channels take long: no bounds then.
    """
    jumps = molecules.jumps
    count = len(jumps.channels)
    most = np.full(count, np.inf)
    if jumps.events or jumps.flows or count > _MOST_BOUNDED:
        return most
    table = np.zeros((len(start), count))
    for r, channel in enumerate(jumps.channels):
        for state, by in channel.change:
            table[state, r] = by
    for taker in np.flatnonzero((table < 0).any(axis=0)):
        found = linprog(-np.eye(count)[taker], A_ub=-table, b_ub=np.ceil(start), method="highs")
        if found.status == 0:
            most[taker] = np.floor(1e-6 - found.fun)
    return most
