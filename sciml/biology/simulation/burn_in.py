"""Starts that are not those of the model: cells brought to rest without ligand before they are dosed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.system import System
from sciml.biology.network import Network, Species
from sciml.biology.simulation.linear_noise import steady_means
from sciml.errors import ConfigError
from sciml.seeding import derive

__all__ = ["started"]


def started(
    simulate: Callable[..., Any],
    network: Network,
    start: str | float,
    n: int,
    seed: int,
    *,
    without: Mapping[str, float] | None = None,
    parameters: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """`parameters` for a run that begins elsewhere, {species: [n]} among them, in the quantities that the model states.

    `start`: "given" (as the model says), "steady_state" (where the rate equations come to rest, for each cell), or a time: each cell is
    simulated for so long before time 0. During that `without` holds, e.g. {"ligand": 0.0}; afterwards these are as in the model or in
    `parameters`. Real-valued starts need initial="stochastic" in the run. Raises ConvergenceError where there is no steady state.
    """
    given = dict(parameters or {})
    if start == "given":
        return given
    before = {**given, **(without or {})}
    system = system_of(network)
    if start == "steady_state":
        amounts = np.atleast_2d(steady_means(network, before))
        volumes = _volumes(system, amounts, np.atleast_2d(system.begin(before)[1]))
    elif isinstance(start, int | float) and not isinstance(start, bool) and np.isfinite(start) and start >= 0:
        ensemble = simulate(network, [float(start)], n, derive(seed, "burn_in"), parameters=before, **options)
        place = [ensemble.species.index(id) if id in ensemble.species else -1 for id in system.states]
        amounts, volumes = (array[:, 0][:, place] for array in (ensemble.amounts, ensemble.volumes))
    else:
        raise ConfigError(f"start: found {start!r}, expected 'given', 'steady_state' or a time >= 0 to simulate before")
    for state, id in enumerate(system.states):
        element = network.elements[id]
        if isinstance(element, Species) and id not in (without or {}):
            values = amounts[:, state] / (volumes[:, state] if element.initial_is_concentration else 1.0)
            given[id] = values if len(values) == n else np.full(n, values[0])
    return given


def _volumes(system: System, states: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """[B, s]: the volume in which each state lies; 1 for what is no species."""
    found = np.ones_like(states)
    for state, id in enumerate(system.states):
        if id in system.volumes:
            found[:, state] = system.graph.evaluate([system.volumes[id]], states=list(states.T), params=list(parameters.T))[0]
    return found
