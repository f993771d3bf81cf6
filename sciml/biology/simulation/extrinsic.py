"""Cells that differ: parameters and starts drawn for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sciml.biology.kernels.symbols import values_given
from sciml.biology.network import Network, Species, nearest
from sciml.biology.simulation.requests import Laws
from sciml.biology.simulation.streams import stream_words
from sciml.errors import ConfigError, DataError
from sciml.seeding import derive

__all__ = ["cell_options", "draw_cells"]


def draw_cells(network: Network, extrinsic: Laws, n: int, seed: int) -> dict[str, np.ndarray]:
    """{id: [n]}: a value for each cell. Cell k depends on (seed, id, k) alone, whatever n is and whatever else is drawn.

    A law without a mean of its own lies around what the network states. Raises ConfigError for an unknown id and one whose value the
    network does not state, and DataError for a drawn start or compartment below zero.
    """
    known = values_given(network)
    found: dict[str, np.ndarray] = {}
    for id, law in extrinsic.items():
        if id not in known:
            raise ConfigError(f"extrinsic: {id!r} is no parameter, species or compartment of {network.id!r}{nearest(id, known)}")
        stated = id not in dict(network.initial_assignments) and np.isfinite(known[id])
        if not stated and getattr(law, "mean", None) is None:
            raise ConfigError(f"extrinsic: {network.id!r} states no number for {id!r}; give its law a mean")
        uniforms = ((stream_words(derive(seed, "extrinsic", id), 0, n)[:, 0] >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52
        values = law.quantile(uniforms, float(known[id]) if stated else 1.0)
        if isinstance(network.elements.get(id), Species) and (values < 0).any():
            raise DataError(f"extrinsic: {id!r}: cell {int(np.argmax(values < 0))} starts at {values.min():g}, below zero; use another law")
        found[id] = values
    return found


def cell_options(
    network: Network, extrinsic: Laws | None, n: int, seed: int, parameters: Mapping[str, Any] | None, initial: str | None
) -> tuple[dict[str, Any], str | None]:
    """(parameters, initial) of a simulator with what was drawn put in: starts that are no whole numbers are drawn whole around it."""
    if not extrinsic:
        return dict(parameters or {}), initial
    drawn = draw_cells(network, extrinsic, n, seed)
    starts = any(isinstance(network.elements.get(id), Species) for id in drawn)
    return {**(parameters or {}), **drawn}, initial or ("stochastic" if starts else None)
