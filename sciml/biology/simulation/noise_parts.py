"""How much of the spread of a species comes from differences between cells, and how much from chance within each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked, shown
from sciml.biology.network import Network
from sciml.biology.simulation.extrinsic import cell_options
from sciml.biology.simulation.methods import METHODS
from sciml.biology.simulation.requests import Laws, Seed, check_cells
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError
from sciml.seeding import derive

__all__ = ["NoiseParts", "noise_parts"]


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


@checked
def noise_parts(
    simulate: Callable[..., Any],
    net: Network,
    times: Any,
    extrinsic: Laws,
    n: Annotated[int, Bound("at least two cells", lambda n: 2 <= n < 2**63)] = 1000,
    seed: Seed = 0,
    *,
    parameters: Mapping[str, Any] | None = None,
    **options: Any,
) -> NoiseParts:
    """Var X = Var E[X | cell] + E Var[X | cell] over n cells.

    `simulate` is `simulate_ssa`, `simulate_tau`, `simulate_hybrid` or `simulate_langevin`, with its options: from two trajectories X, X' of
    each cell, Cov(X, X') and E (X - X')^2 / 2 (Hilfinger and Paulsson, PNAS 108 (2011) 12167). `linear_noise` gives mean and variance of
    each cell itself; with `simulate_ode` nothing is left to chance within a cell. The estimators are unbiased; standard errors come from
    the spread of their terms over cells. Raises ConfigError for another call, a single cell, laws of what the network does not have and
    options that keep trajectories elsewhere or not, and what `simulate` raises.
    """
    kind = next((name for name, method in METHODS.items() if method.call is simulate), None)
    if kind is None:
        calls = ", ".join(method.call.__name__ for method in METHODS.values())
        raise ConfigError(f"simulate: found {shown(simulate)}, expected one of {calls}")
    if options.get("record", "grid") != "grid" or options.get("store") is not None:
        raise ConfigError("noise_parts: compares trajectories at all times, in memory; expected no store= and no record= but 'grid'")
    check_cells(net, extrinsic=extrinsic, parameters=parameters)
    given, initial = cell_options(net, extrinsic, n, seed, parameters, options.pop("initial", None))
    if kind == "lna":
        species, common, own, mean = _by_moments(simulate, net, times, given, n, options)
    elif kind == "ode":
        run = simulate(net, times, given, seed=seed, **options)
        species, common, mean = run.species, _squares(run.amounts, run.amounts), run.amounts.mean(axis=0)
        own = np.zeros_like(common)
    else:
        both = [simulate(net, times, n, derive(seed, "noise_parts", k), parameters=given, initial=initial, **options) for k in (0, 1)]
        if not all(run.complete for run in both):
            raise KeyboardInterrupt
        first, second = (run.amounts for run in both)
        species, common, own = both[0].species, _squares(first, second), 0.5 * (first - second) ** 2
        mean = 0.5 * (first.mean(axis=0) + second.mean(axis=0))
    sums = {"total": common + own, "extrinsic": common, "intrinsic": own}
    values = {name: terms.mean(axis=0) for name, terms in sums.items()}
    errors = {f"{name}_error": np.asarray(terms.std(axis=0, ddof=1) / np.sqrt(n)) for name, terms in sums.items()}
    return NoiseParts(times=checked_times(times), species=species, mean=mean, n=int(n), **values, **errors)


def _squares(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """[n, T, S]: terms whose mean is the unbiased covariance over cells."""
    n = len(first)
    return np.asarray((first - first.mean(axis=0)) * (second - second.mean(axis=0)) * (n / (n - 1)))


def _by_moments(moments: Callable[..., Any], net: Network, times: Any, given: Mapping[str, Any], n: int, options: Any) -> tuple[Any, ...]:
    """(species, terms of the extrinsic and the intrinsic part [n, T, S], mean) by the linear noise of each cell."""
    rows = {id: np.broadcast_to(np.asarray(value, dtype=float), n) for id, value in given.items()}
    cells = [moments(net, times, parameters={id: float(row[k]) for id, row in rows.items()}, **options) for k in range(n)]
    means, variances = np.stack([c.mean for c in cells]), np.stack([c.std**2 for c in cells])
    return cells[0].species, _squares(means, means), variances, means.mean(axis=0)
