"""Cells that differ: parameters and starts drawn for each, and how much of the spread of a species comes from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sciml.biology.distributions import Law
from sciml.biology.kernels.symbols import values_given
from sciml.biology.network import Network, Species, nearest
from sciml.biology.simulation.streams import stream_words
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError, DataError
from sciml.seeding import derive

__all__ = ["Cells", "NoiseParts", "cell_options", "draw_cells", "noise_parts"]

Cells = Mapping[str, Law]


@dataclass(frozen=True)
class NoiseParts:
    """Variances [T, S] of amounts over cells: `total` = `extrinsic` (of the mean in a cell) + `intrinsic` (mean of the variance in a cell).

    `*_error` [T, S]: standard errors. Estimates from two trajectories in each of `n` cells; an extrinsic part may come out below zero.
    """

    times: np.ndarray
    species: tuple[str, ...]
    mean: np.ndarray
    total: np.ndarray
    extrinsic: np.ndarray
    intrinsic: np.ndarray
    total_error: np.ndarray
    extrinsic_error: np.ndarray
    intrinsic_error: np.ndarray
    n: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(self).items()}


def draw_cells(network: Network, extrinsic: Cells, n: int, seed: int) -> dict[str, np.ndarray]:
    """{id: [n]}: a value for each cell. Cell k depends on (seed, id, k) alone, whatever n is and whatever else is drawn.

    A law without a mean of its own lies around what the network states. Raises ConfigError for what is no law, an unknown id and one whose
    value the network does not state, and DataError for a drawn start or compartment below zero.
    """
    known = values_given(network)
    found: dict[str, np.ndarray] = {}
    for id, law in extrinsic.items():
        if not isinstance(law, Law):
            raise ConfigError(f"extrinsic: {id!r}: found {law!r}, expected a law such as LogNormal(cv=0.3)")
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
    network: Network, extrinsic: Cells | None, n: int, seed: int, parameters: Mapping[str, Any] | None, initial: str | None
) -> tuple[dict[str, Any], str | None]:
    """(parameters, initial) of a simulator with what was drawn put in: starts that are no whole numbers are drawn whole around it."""
    if not extrinsic:
        return dict(parameters or {}), initial
    if twice := sorted(set(extrinsic) & set(parameters or {})):
        raise ConfigError(f"extrinsic: {twice[0]!r} is given in parameters as well")
    drawn = draw_cells(network, extrinsic, n, seed)
    starts = any(isinstance(network.elements.get(id), Species) for id in drawn)
    return {**(parameters or {}), **drawn}, initial or ("stochastic" if starts else None)


def noise_parts(
    simulate: Callable[..., Any],
    network: Network,
    times: Any,
    extrinsic: Cells,
    n: int = 1000,
    seed: int = 0,
    *,
    parameters: Mapping[str, Any] | None = None,
    **options: Any,
) -> NoiseParts:
    """Var X = Var E[X | cell] + E Var[X | cell], from two trajectories X, X' of each cell: Cov(X, X') and E (X - X')^2 / 2.

    `simulate` is `simulate_ssa`, `simulate_tau` or `simulate_langevin`, with its options. The estimators are unbiased; standard errors come
    from the spread of their terms over cells. Source: Hilfinger and Paulsson, PNAS 108 (2011) 12167.
    """
    if n < 2:
        raise ConfigError(f"n: found {n!r}, expected at least two cells")
    given, initial = cell_options(network, extrinsic, n, seed, parameters, options.pop("initial", None))
    runs = [simulate(network, times, n, derive(seed, "noise_parts", k), parameters=given, initial=initial, **options) for k in (0, 1)]
    first, second = (run.amounts for run in runs)
    mean = 0.5 * (first.mean(axis=0) + second.mean(axis=0))
    common = (first - first.mean(axis=0)) * (second - second.mean(axis=0)) * (n / (n - 1))
    own = 0.5 * (first - second) ** 2

    def error(terms: np.ndarray) -> np.ndarray:
        return np.asarray(terms.std(axis=0, ddof=1) / np.sqrt(n))

    return NoiseParts(
        times=checked_times(times),
        species=runs[0].species,
        mean=mean,
        total=(common + own).mean(axis=0),
        extrinsic=common.mean(axis=0),
        intrinsic=own.mean(axis=0),
        total_error=error(common + own),
        extrinsic_error=error(common),
        intrinsic_error=error(own),
        n=n,
    )
