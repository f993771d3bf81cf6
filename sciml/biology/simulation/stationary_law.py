"""The law of counts that a network keeps for ever: 0 = A p on a growing set of states. An estimate, with what was cut off."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import splu

from sciml.arguments import checked
from sciml.biology.network import Network
from sciml.biology.simulation.count_law import CountLaw
from sciml.biology.simulation.jump_model import CountingOptions, jump_model
from sciml.biology.simulation.requests import Count, Loss
from sciml.biology.simulation.state_space import StateSpace, closed_classes
from sciml.errors import ConvergenceError

__all__ = ["StationaryLaw", "stationary_law"]

_log = logging.getLogger(__name__)
_MOST_LAYERS = 1 << 20
_CERTAIN = 1e-6  # a smaller probability to outgrow a full set is what was cut off


@dataclass(frozen=True, repr=False)
class StationaryLaw(CountLaw):
    """p(x) that does not change, on `states`; `times` is [inf]. An estimate: what would leave the set is led back to its likeliest state.

    `boundary_mass`: probability of the states from which the set can be left, `outflow`: probability that would leave per time; both are
    zero for what was not cut off. `stopped`: "tolerance" (boundary_mass is below it) or "max_states".
    """

    boundary_mass: float
    outflow: float
    stopped: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: what every law of counts says, and what was cut off."""
        own = {"boundary_mass": self.boundary_mass, "outflow": self.outflow, "stopped": self.stopped}
        return {**super().to_dict(), **own}

    def __repr__(self) -> str:
        return f"<StationaryLaw of {self.system.network.id!r}: {len(self.states)} states, {self.boundary_mass:.2g} at their boundary>"


@checked
def stationary_law(
    net: Network,
    *,
    tolerance: Loss = 1e-9,
    max_states: Count = 200_000,
    parameters: Mapping[str, float] | None = None,
    **counting: Unpack[CountingOptions],
) -> StationaryLaw:
    """The stationary law that is reached from the network's start.

    The set of states grows until the states from which it can be left hold less than `tolerance`, and until the start comes to the states
    that hold the law with a probability of 1 less that; at `max_states` the log says what was cut off. Raises ConvergenceError where it
    depends on chance which law is reached (several closed classes, or growth without end). Source: Gupta, Mikelson and Khammash, J. Chem.
    Phys. 147 (2017) 154101.
    """
    model = jump_model(net, "stationary_law", parameters=parameters, single=True, **counting)
    space = StateSpace(model.molecules.start, model.changes, model.rates, max_states)
    layers, likeliest = 1, 0
    while True:
        p = _solved(space, likeliest, net.id)
        likeliest = int(np.argmax(p))
        leaving = space.leaving()
        edge = np.where(leaving > 0, p, 0.0)
        mass = float(edge.sum())
        escape, visits = _escape(space, p)
        if max(mass, escape) <= tolerance or space.full:
            break
        if mass <= tolerance:
            edge, mass = leaving * visits, escape
        order = np.argsort(-edge, kind="stable")
        count = int(np.count_nonzero(mass - np.cumsum(edge[order]) > 0.5 * tolerance)) + 1
        chosen = order[:count]
        space.grow(np.sort(chosen[edge[chosen] > 0]), layers)
        layers = min(2 * layers, _MOST_LAYERS)
    if escape > max(tolerance, _CERTAIN):
        raise ConvergenceError(
            f"{net.id}: which stationary law is reached depends on chance: with probability {escape:.3g} the numbers outgrow "
            f"{len(space)} states, perhaps for ever; finite_state_projection at a late time gives what is left below"
        )
    if mass > tolerance:
        _log.warning("%s: the stationary law was cut off at max_states=%d with %.3g at the boundary", net.id, max_states, mass)
    return StationaryLaw(
        **model.described(),
        times=np.array([np.inf]),
        states=space.states,
        p=p[None, :],
        boundary_mass=mass,
        outflow=float(leaving @ p),
        stopped="max_states" if space.full and mass > tolerance else "tolerance",
    )


def _solved(space: StateSpace, likeliest: int, name: str) -> np.ndarray:
    """p with A p = 0, sum 1, on the one closed class; what leaves the set goes to the state `likeliest`."""
    n = len(space)
    back = coo_matrix((space.leaving(), (np.full(n, likeliest), np.arange(n))), shape=(n, n))
    generator = (space.generator() + back).tocsc()
    closed = closed_classes(generator)
    if len(closed) != 1:
        raise ConvergenceError(
            f"{name}: which stationary law is reached depends on chance: there are {len(closed)} closed classes of states; "
            "finite_state_projection at a late time gives the mixture"
        )
    inside = closed[0]
    p = np.zeros(n)
    p[inside] = _null_vector(generator[inside][:, inside].tocsc(), int(np.argmax(inside == likeliest)))
    return p


def _escape(space: StateSpace, p: np.ndarray) -> tuple[float, np.ndarray]:
    """(probability to leave the set from the start before the states that hold the law p, mean time in each of the others [n])."""
    visits, others = np.zeros(len(space)), np.flatnonzero(p == 0.0)
    leaving = space.leaving()
    if not (len(others) and others[0] == 0 and leaving[others].any()):  # state 0 is the start
        return 0.0, visits
    begin = np.zeros(len(others))
    begin[0] = 1.0
    visits[others] = np.maximum(splu(-space.generator()[others][:, others].tocsc()).solve(begin), 0.0)
    return float(leaving @ visits), visits


def _null_vector(generator: csc_matrix, anchor: int) -> np.ndarray:
    """The positive null vector of an irreducible generator: its entry `anchor` is set, the others follow."""
    n = generator.shape[0]
    if n == 1:
        return np.ones(1)
    others = np.delete(np.arange(n), anchor)
    inner = generator[others][:, others].tocsc()
    found = np.ones(n)
    found[others] = np.maximum(splu(inner).solve(-np.asarray(generator[others][:, [anchor]].todense()).ravel()), 0.0)
    return np.asarray(found / found.sum())
