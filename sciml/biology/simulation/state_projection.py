"""The exact law of a network's counts over time, on a finite set of states that grows until it loses no more than it may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from sciml.arguments import checked, shown
from sciml.biology.network import Network
from sciml.biology.simulation.count_law import CountLaw
from sciml.biology.simulation.jump_model import CountingOptions, jump_model
from sciml.biology.simulation.projection_flow import flow
from sciml.biology.simulation.requests import Count, Loss
from sciml.biology.simulation.state_space import StateSpace
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError

__all__ = ["StateProjection", "TransitionMatrix", "finite_state_projection", "transition_matrix"]


@dataclass(frozen=True, repr=False)
class StateProjection(CountLaw):
    """p(x, t) on the states that were kept, never scaled up: below the true law in every state, by `lost_mass(t)` in all of them together.

    `rounding` [T] bounds what floating point did to the sum of p. `stopped` says why the set of states stopped growing: "tolerance" (it was
    met) or "max_states".
    """

    rounding: np.ndarray
    stopped: str

    @property
    def lost(self) -> np.ndarray:
        """[T]: probability that has left the set; it bounds the sum over all states of true minus computed probability."""
        return np.asarray(np.maximum(1.0 - self.p.sum(axis=1), 0.0))

    @checked
    def lost_mass(self, t: float) -> float:
        """The bound of the error of p at one of the times, rounding aside."""
        return float(self.lost[self.at(t)])

    @checked
    def integrator_bound(self, t: float) -> float:
        """A bound of what rounding, and steps in which the law is taken to decay only, did to the sum of |p| until t.

        Uniformisation and powers have no other error that is not in `lost_mass`. To first order; wide beyond 1,000 states at late times.
        """
        return float(self.rounding[self.at(t)])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: what every law of counts says, and lost mass, rounding bound, why the set stopped growing."""
        own = {"lost_mass": self.lost.tolist(), "integrator_bound": self.rounding.tolist(), "stopped": self.stopped}
        return {**super().to_dict(), **own}

    def __repr__(self) -> str:
        worst = self.lost.max()
        return f"<StateProjection of {self.system.network.id!r}: {len(self.times)} times, {len(self.states)} states, lost <= {worst:.2g}>"


@dataclass(frozen=True)
class TransitionMatrix:
    """`p` [n_doses, n_values]: p(read-out = values[k] | dose), rows not scaled up; `lost` [n_doses] is what each row lacks at most."""

    dose: str
    doses: np.ndarray
    readout: str
    values: np.ndarray
    time: float
    p: np.ndarray
    lost: np.ndarray
    rounding: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}


@checked
def finite_state_projection(
    net: Network,
    times: Any,
    *,
    tolerance: Loss = 1e-6,
    max_states: Count = 500_000,
    parameters: Mapping[str, float] | None = None,
    **counting: Unpack[CountingOptions],
) -> StateProjection:
    """dp(x)/dt = sum_r a_r(x - v_r) p(x - v_r) - a_r(x) p(x) from the network's start, on a set of states that grows as it must.

    At the last time no more than `tolerance` of the probability is lost, unless `max_states` comes first: the result says which, and
    `lost_mass(t)` bounds the error either way. Memory is about 100 bytes a state and channel; up to 1,000 states times may be as late as
    they like. Raises ConfigError for events, rate rules and laws that name time, ConvergenceError where a larger set would take too long
    to come to rest. Source: Munsky and Khammash, J. Chem. Phys. 124 (2006) 044104; integrated by uniformisation and squaring.
    """
    asked = checked_times(times)
    model = jump_model(net, "finite_state_projection", parameters=parameters, single=True, **counting)
    space = StateSpace(model.molecules.start, model.changes, model.rates, max_states)
    order = np.argsort(asked, kind="stable")
    found = flow(space, np.ones(1), asked[order], tolerance)
    back = np.argsort(order, kind="stable")
    return StateProjection(
        **model.described(), times=asked, states=space.states, p=found.p[back], rounding=found.rounding[back], stopped=found.stopped
    )


@checked
def transition_matrix(
    net: Network,
    dose: str,
    doses: Sequence[float] | np.ndarray,
    readout: str,
    time: float,
    *,
    tolerance: Loss = 1e-6,
    max_states: Count = 500_000,
    parameters: Mapping[str, float] | None = None,
    **counting: Unpack[CountingOptions],
) -> TransitionMatrix:
    """p(count of the species `readout` at one time | dose): a state projection per value of the parameter or start amount `dose`.

    Raises what `finite_state_projection` raises, and ConfigError for no doses, and for a read-out that is no counted species.
    """
    values = np.atleast_1d(np.asarray(doses, dtype=float))
    if values.ndim != 1 or not values.size:
        raise ConfigError(f"doses: found {shown(doses)}, expected at least one number in one row")
    rows, lost, rounding = [], [], []
    for value in values:
        given = {**(parameters or {}), dose: float(value)}
        found = finite_state_projection(net, [time], tolerance=tolerance, max_states=max_states, parameters=given, **counting)
        rows.append(found.marginal(readout, time))
        lost.append(found.lost_mass(time))
        rounding.append(found.integrator_bound(time))
    table = np.zeros((len(rows), max(len(row) for row in rows)))
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return TransitionMatrix(dose, values, readout, np.arange(table.shape[1]), time, table, np.array(lost), np.array(rounding))
