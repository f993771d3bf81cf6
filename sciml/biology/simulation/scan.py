"""One simulation for each point of a grid of parameters: scans and dose-response curves."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sciml.arguments import checked
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError
from sciml.seeding import derive

if TYPE_CHECKING:
    import pandas

__all__ = ["Scan", "scan"]

METHODS = ("ode", "ssa", "tau", "langevin", "steady_state")


@dataclass(frozen=True, repr=False)
class Scan:
    """`mean` [*grid, T, S] amounts of `species` at `times` (of a steady state T = 1); the grid has one axis for each key of `values`, in
    order. `std` is the standard deviation over `n` trajectories of a stochastic method, else None."""

    values: Mapping[str, np.ndarray]
    times: np.ndarray
    species: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray | None
    method: str
    n: int
    seed: int

    @checked
    def select(self, species: str) -> np.ndarray:
        """[*grid, T]: mean amounts of a species; with one parameter and one time a dose-response curve."""
        if species not in self.species:
            raise ConfigError(f"select: {species!r} is no species of this scan{nearest(species, self.species)}")
        return np.asarray(self.mean[..., self.species.index(species)])

    def to_pandas(self) -> pandas.DataFrame:
        """One row per grid point and time, one column of mean amounts per species."""
        import pandas as pd

        index = pd.MultiIndex.from_product([*self.values.values(), self.times], names=[*self.values, "time"])
        return pd.DataFrame(self.mean.reshape(-1, len(self.species)), index=index, columns=list(self.species))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {
            "values": {id: v.tolist() for id, v in self.values.items()},
            "times": self.times.tolist(),
            "species": list(self.species),
            "mean": self.mean.tolist(),
            "std": None if self.std is None else self.std.tolist(),
            "method": self.method,
        }


@checked
def scan(
    net: Network,
    values: Mapping[str, Sequence[float] | float],
    times: Any,
    method: str = "ode",
    *,
    parameters: Mapping[str, float] | None = None,
    n: int = 1000,
    seed: int = 0,
    **options: Any,
) -> Scan:
    """Simulate at every combination of `values` {id: numbers}, the others from the model and `parameters`.

    `method`: "ode" (all points in one batch), "ssa", "tau" or "langevin" (`n` trajectories a point, streams from `seed` and the point's
    number), "steady_state" (`times` is not used). `options` go to that call. Raises ConfigError for an unknown method or empty values.
    """
    if method not in METHODS:
        raise ConfigError(f"method: found {method!r}, expected one of {', '.join(METHODS)}")
    axes = {id: np.atleast_1d(np.asarray(v, dtype=float)) for id, v in values.items()}
    if not axes or not all(v.size for v in axes.values()):
        raise ConfigError("scan: found no values, expected {id: numbers} with at least one number each")
    if both := axes.keys() & (parameters or {}).keys():
        raise ConfigError(f"scan: {sorted(both)[0]!r} stands in values and in parameters")
    if n < 1:
        raise ConfigError(f"n: found {n}, expected at least 1 trajectory")
    shape = tuple(len(v) for v in axes.values())
    points = [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]
    fixed = dict(parameters or {})
    std: np.ndarray | None = None
    if method == "ode":
        columns = {id: np.array([point[id] for point in points]) for id in axes}
        solution = simulate_ode(net, times, {**fixed, **columns}, **options)
        asked, species, mean = solution.times, solution.species, solution.amounts
    elif method == "steady_state":
        from sciml.biology.simulation.steady_state import steady_state

        rests = [steady_state(net, {**fixed, **point}, **options) for point in points]
        asked, species, mean = np.array([np.inf]), rests[0].species, np.stack([rest.amounts for rest in rests])[:, None]
    else:
        asked = checked_times(times)
        runs = []
        for index, point in enumerate(points):
            runs.append(_simulator(method)(net, asked, n, derive(seed, "scan", index), parameters={**fixed, **point}, **options))
            if any(note.startswith("stopped by the user") for note in runs[-1].notes):
                raise KeyboardInterrupt  # a point with fewer trajectories would look like the others
        species = runs[0].species
        mean, std = np.stack([r.amounts.mean(axis=0) for r in runs]), np.stack([r.amounts.std(axis=0, ddof=1) for r in runs])
    whole = (*shape, *mean.shape[1:])
    kept = None if std is None else std.reshape(whole)
    return Scan(axes, asked, species, mean.reshape(whole), kept, method, 1 if std is None else n, seed)


def _simulator(method: str) -> Any:
    if method == "ssa":
        from sciml.biology.simulation.ssa import simulate_ssa

        return simulate_ssa
    if method == "tau":
        from sciml.biology.simulation.tau_leaping import simulate_tau

        return simulate_tau
    from sciml.biology.simulation.langevin import simulate_langevin

    return simulate_langevin
