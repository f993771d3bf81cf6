"""One simulation for each point of a grid of parameters: scans and dose-response curves."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.methods import METHODS, Method
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.requests import Count, Seed
from sciml.biology.simulation.steady_state import steady_state
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError
from sciml.seeding import derive

if TYPE_CHECKING:
    import pandas

__all__ = ["Scan", "scan"]

_REST = "steady_state"
_Method = Annotated[str, Bound(" or ".join(map(repr, (*METHODS, _REST))), lambda name: name in METHODS or name == _REST)]


@dataclass(frozen=True, repr=False)
class Scan:
    """`mean` [*grid, T, S] amounts of `species` at `times` (of a steady state T = 1); the grid has one axis for each key of `values`, in
    order, or one for all of them where they were scanned `together`. `std` is the standard deviation, by `n` trajectories or by linear
    noise; None of one trajectory and of a deterministic method."""

    values: Mapping[str, np.ndarray]
    times: np.ndarray
    species: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray | None
    method: str
    n: int
    seed: int
    together: bool = False

    @checked
    def select(self, species: str) -> np.ndarray:
        """[*grid, T]: mean amounts of a species; with one parameter and one time a dose-response curve."""
        if species not in self.species:
            raise ConfigError(f"select: {species!r} is no species of this scan{nearest(species, self.species)}")
        return np.asarray(self.mean[..., self.species.index(species)])

    def to_pandas(self) -> pandas.DataFrame:
        """One row per grid point and time, one column of mean amounts per species."""
        import pandas as pd

        names = [*self.values, "time"]
        if self.together:
            index = pd.MultiIndex.from_tuples(
                [(*row, t) for row in zip(*self.values.values(), strict=True) for t in self.times], names=names
            )
        else:
            index = pd.MultiIndex.from_product([*self.values.values(), self.times], names=names)
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
            "together": self.together,
        }


@checked
def scan(
    net: Network,
    values: Mapping[str, Sequence[float] | float],
    times: Any,
    method: _Method = "ode",
    *,
    parameters: Mapping[str, float] | None = None,
    together: bool = False,
    n: Count = 1000,
    seed: Seed = 0,
    **options: Any,
) -> Scan:
    """Simulate at every combination of `values` {id: numbers}, the others from the model and `parameters`.

    `together`: the first numbers of all ids, then the second ones, and so on, instead of every combination. `method`: "ode" (all points in
    one batch), "lna" (linear noise), "ssa", "tau", "hybrid" or "langevin" (`n` trajectories a point, streams from `seed` and the point's
    number), "steady_state" (`times` is not used). `options` go to that call. Raises ConfigError for an unknown method, for empty values and
    for unequally many of them `together`; KeyboardInterrupt where the user stops it.
    """
    axes = {id: np.atleast_1d(np.asarray(v, dtype=float)) for id, v in values.items()}
    if not axes or not all(v.size for v in axes.values()):
        raise ConfigError("scan: found no values, expected {id: numbers} with at least one number each")
    if both := axes.keys() & (parameters or {}).keys():
        raise ConfigError(f"scan: {sorted(both)[0]!r} stands in values and in parameters")
    lengths = tuple(len(v) for v in axes.values())
    if together and len(set(lengths)) > 1:
        found = ", ".join(f"{count} of {id!r}" for id, count in zip(axes, lengths, strict=True))
        raise ConfigError(f"scan: found {found}, expected equally many values of what is scanned together")
    rows = zip(*axes.values(), strict=True) if together else itertools.product(*axes.values())
    points = [{**(parameters or {}), **dict(zip(axes, row, strict=True))} for row in rows]
    if method == "ode":
        solution = simulate_ode(net, times, {id: np.array([point[id] for point in points]) for id in points[0]}, **options)
        asked, species, mean, std = solution.times, solution.species, solution.amounts, None
    elif method == _REST:
        rests = [steady_state(net, point, **options) for point in points]
        asked, species, mean, std = np.array([np.inf]), rests[0].species, np.stack([rest.amounts for rest in rests])[:, None], None
    else:
        asked, species, mean, std = _one_by_one(METHODS[method], net, checked_times(times), points, n, seed, options)
    grid = lengths[:1] if together else lengths
    count = n if method in METHODS and METHODS[method].sampled else 1
    kept = None if std is None else std.reshape(*grid, *std.shape[1:])
    return Scan(axes, asked, species, mean.reshape(*grid, *mean.shape[1:]), kept, method, count, seed, together)


def _one_by_one(
    method: Method, net: Network, times: np.ndarray, points: Sequence[Mapping[str, float]], n: int, seed: int, options: Mapping[str, Any]
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, np.ndarray | None]:
    """(times, species, means and standard deviations [points, T, S]; None of one trajectory)."""
    means, stds = [], []
    for index, point in enumerate(points):
        own = {"n": n, "seed": derive(seed, "scan", index)} if method.sampled else {}
        run = method.call(net, times, parameters=point, **own, **options)
        if method.sampled and not run.complete:
            raise KeyboardInterrupt  # a point with fewer trajectories would look like the others
        means.append(run.mean)
        stds.append(run.std)
    return run.times, run.species, np.stack(means), None if method.sampled and n == 1 else np.stack(stds)
