"""The cell on which a method is tried before it is chosen: nothing is drawn for it, so that any n and seed choose alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sciml.biology.kernels.symbols import values_given
from sciml.biology.network import Network
from sciml.biology.simulation.burn_in import started
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.requests import Laws, Start
from sciml.errors import ConvergenceError

__all__ = ["pilot_model"]


def pilot_model(
    model: JumpModel, parameters: Mapping[str, Any] | None, extrinsic: Laws | None, start: Start, before: Mapping[str, float] | None
) -> JumpModel:
    """The jump process of `model` with one row of starts and parameters.

    What is given as a number holds; what is drawn, or given as one value for each trajectory, is the mean that its law states, else what
    the network states, else the first value given. It is brought to its `start` by the rate equations (where these have no end it stays
    as the model says), and its molecules are rounded.
    """
    jumps = model.jumps
    network = jumps.system.network
    given = _numbers(network, parameters, extrinsic)
    try:
        given = started(simulate_ode, network, start, 1, 0, before=before, parameters=given)
    except ConvergenceError:
        pass
    y, p = jumps.system.begin({id: float(np.ravel(value)[0]) for id, value in given.items()})
    counts = np.maximum(y * jumps.molecules, 0.0)
    whole = np.where(jumps.counted, np.rint(counts), counts)
    return JumpModel(replace(model.molecules, start=whole[None], parameters=jumps.parameters(p)[None], raw=p))


def _numbers(network: Network, parameters: Mapping[str, Any] | None, extrinsic: Laws | None) -> dict[str, float]:
    """{id: number} of one cell, for what differs from what the network states."""
    stated = values_given(network)
    found = {id: float(mean) for id, law in (extrinsic or {}).items() if (mean := getattr(law, "mean", None)) is not None}
    for id, value in (parameters or {}).items():
        if np.ndim(value) == 0 or not np.isfinite(stated.get(id, np.nan)):
            found[id] = float(np.ravel(value)[0])
    return found
