"""What a simulation gives: times, amounts, concentrations, volumes, and any symbol of the model over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from sciml.arguments import checked, shown
from sciml.biology.kernels.system import System
from sciml.biology.network import nearest
from sciml.errors import ConfigError

if TYPE_CHECKING:
    import pandas
    import xarray

__all__ = ["Ensemble", "Moments", "Solution", "Spread", "Trajectories", "checked_times", "merged"]

_PART_BYTES = 1 << 24


def checked_times(times: Any) -> np.ndarray:
    """Times as float64 [T] in the order asked for; a single number is one time. ConfigError for none, negative, NaN or infinite ones."""
    try:
        found = np.atleast_1d(np.asarray(times))
        if found.dtype.kind not in "iufO" or None in found.ravel().tolist():  # numpy would read texts as numbers, None as NaN
            raise TypeError
        found = found.astype(float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"times: found {shown(times)}, expected numbers >= 0") from error
    if found.ndim != 1 or not found.size:
        raise ConfigError(f"times: found shape {found.shape}, expected at least one time in one row")
    if not np.isfinite(found).all() or (found < 0).any():
        bad = found[~(np.isfinite(found) & (found >= 0))][0]
        raise ConfigError(f"times: found {shown(bad)}, expected finite numbers >= 0; the start is at time 0")
    return found


@dataclass(frozen=True, repr=False)
class Trajectories:
    """States y over time with what is needed to say what they mean.

    `times` [T] in the order asked; `states` [..., T, n] in the order of `system.states`, `parameters` [..., m]; `lags` [..., T, L] where
    the model looks back in time. The leading axes are a batch or an ensemble; none for a single deterministic run.
    """

    system: System
    times: np.ndarray
    states: np.ndarray
    parameters: np.ndarray
    lags: np.ndarray | None = field(default=None, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def species(self) -> tuple[str, ...]:
        """Ids of all species, boundary, constant and rule-driven ones too: the last axis of `amounts`."""
        return tuple(s.id for s in self.system.network.species)

    @cached_property
    def amounts(self) -> np.ndarray:
        """[..., T, S] in the model's unit of substance."""
        return self._stacked([self.system.amounts[id] for id in self.species])

    @cached_property
    def volumes(self) -> np.ndarray:
        """[..., T, S]: size of each species' compartment."""
        return self._stacked([self.system.volumes[id] for id in self.species])

    @cached_property
    def concentrations(self) -> np.ndarray:
        """[..., T, S]: amount / volume."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.amounts / self.volumes

    @checked
    def select(self, name: str) -> np.ndarray:
        """[..., T]: what an id means in formulas over time: species, parameter, compartment, reaction (its rate), rule-driven symbol.

        Raises ConfigError for an id that the model does not have.
        """
        if name not in self.system.values:
            raise ConfigError(f"select: {name!r} is no symbol of {self.system.network.id!r}{nearest(name, self.system.values)}")
        return self._stacked([self.system.values[name]])[..., 0]

    def to_pandas(self) -> pandas.DataFrame:
        """One row per time (and trajectory, in the index), one column of amounts per species."""
        import pandas as pd

        flat = self.amounts.reshape(-1, len(self.times), len(self.species))
        names = ["time"] if self.amounts.ndim == 2 else ["trajectory", "time"]
        rows = [self.times] if self.amounts.ndim == 2 else [np.arange(len(flat)), self.times]
        index = pd.MultiIndex.from_product(rows, names=names) if len(rows) > 1 else pd.Index(self.times, name="time")
        return pd.DataFrame(flat.reshape(-1, len(self.species)), index=index, columns=list(self.species))

    def to_xarray(self) -> xarray.Dataset:
        """Variables `amounts`, `concentrations`, `volumes` over (trajectory,) time and species. Needs the package xarray."""
        try:
            import xarray as xr
        except ImportError as error:
            raise ConfigError("to_xarray needs the package xarray: pip install xarray") from error
        axes = (*(["trajectory"] if self.amounts.ndim == 3 else []), "time", "species")
        data = {name: (axes, getattr(self, name)) for name in ("amounts", "concentrations", "volumes")}
        return xr.Dataset(data, coords={"time": self.times, "species": list(self.species)})

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: times, species, amounts."""
        return {"times": self.times.tolist(), "species": list(self.species), "amounts": self.amounts.tolist(), "notes": list(self.notes)}

    def __repr__(self) -> str:
        shape = " x ".join(str(n) for n in self.states.shape[:-1])
        return f"<{type(self).__name__} of {self.system.network.id!r}: {shape} times, {len(self.species)} species>"

    def _stacked(self, nodes: list[int]) -> np.ndarray:
        """[..., T, len(nodes)]: nodes evaluated at all times."""
        graph = self.system.graph
        if self.states.dtype == float and nodes == [graph.leaf("state", i) for i in range(self.states.shape[-1])]:
            return self.states
        y, p = np.moveaxis(self.states, -1, 0), np.moveaxis(self.parameters, -1, 0)[..., None]
        lags = () if self.lags is None else np.moveaxis(self.lags, -1, 0)
        found = graph.evaluate(nodes, states=list(y), params=list(p), time=self.times, lags=list(lags))
        shape = self.states.shape[:-1]
        return np.stack([np.broadcast_to(v, shape) for v in found], axis=-1) if found else np.zeros((*shape, 0))


@dataclass(frozen=True, repr=False)
class Solution(Trajectories):
    """A deterministic run: arrays [T, S]; of a batch of parameter sets [B, T, S]. `statistics` counts steps and evaluations."""

    statistics: Mapping[str, Any] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, repr=False)
class Ensemble(Trajectories):
    """Stochastic trajectories: arrays [n, T, S]. `seed` and `kernel` (the arithmetic) say how to get the same bits again.

    `molecules`: per unit of a species' amount, by id (1 where it is not said). `whole`: amounts are whole numbers of molecules.
    `asked`: for how many trajectories; a run that was stopped holds fewer.
    """

    seed: int = field(default=0, kw_only=True)
    kernel: str = field(default="", kw_only=True)
    molecules: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    whole: bool = field(default=True, kw_only=True)
    asked: int = field(default=0, kw_only=True)

    @property
    def complete(self) -> bool:
        """Whether all trajectories that were asked for are there."""
        return len(self.states) >= self.asked

    @cached_property
    def counts(self) -> np.ndarray:
        """Molecules, int64 [n, T, S]; what a rule or a constant gives is rounded. ConfigError where amounts are real numbers (Langevin)."""
        if not self.whole:
            raise ConfigError(f"counts: the amounts of {self.kernel!r} are real numbers; use .amounts")
        place = {id: index for index, id in enumerate(self.system.states)}
        if self.states.dtype == np.int64 and self.system.states == self.species and not self.molecules:
            return self.states
        found = np.empty((*self.states.shape[:-1], len(self.species)), dtype=np.int64)
        for j, id in enumerate(self.species):
            amount = self.states[..., place[id]] if id in place else self._stacked([self.system.amounts[id]])[..., 0]
            whole = amount.dtype == np.int64 and id not in self.molecules
            found[..., j] = amount if whole else np.rint(amount * self.molecules.get(id, 1.0))
        return found

    @property
    def mean(self) -> np.ndarray:
        """Mean amounts over the trajectories [T, S]."""
        return self._spread.mean

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of amounts over the trajectories [T, S], with n - 1 below; NaN for one trajectory."""
        return self._spread.std

    @cached_property
    def _spread(self) -> Spread:
        """By parts, so that what lies on a disk is never in memory as a whole."""
        size = max(1, _PART_BYTES // max(1, self.states[:1].nbytes))
        parts = [slice(first, first + size) for first in range(0, max(1, len(self.states)), size)]
        raw = self.parameters
        each = (replace(self, states=self.states[part], parameters=raw[part] if raw.ndim > 1 else raw) for part in parts)
        return merged(Spread.of(part.amounts) for part in each)


@dataclass(frozen=True)
class Spread:
    """Number, mean and sum of squared deviations [T, S] of amounts."""

    n: int
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, amounts: np.ndarray) -> Spread:
        """Of amounts [n, T, S]."""
        mean = amounts.mean(axis=0)
        return cls(len(amounts), mean, ((amounts - mean) ** 2).sum(axis=0))

    @property
    def std(self) -> np.ndarray:
        """Standard deviation [T, S], with n - 1 below; NaN for one."""
        return np.sqrt(self.squares / (self.n - 1)) if self.n > 1 else np.full_like(self.mean, np.nan)


def merged(parts: Iterable[Spread]) -> Spread:
    """The spread of all parts together (Chan, Golub, LeVeque 1983)."""

    def both(a: Spread, b: Spread) -> Spread:
        shift, n = b.mean - a.mean, a.n + b.n
        return Spread(n, a.mean + shift * (b.n / n), a.squares + b.squares + shift**2 * (a.n * b.n / n))

    return reduce(both, parts)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation [T, S] of the amounts of `n` trajectories of those `asked` for, none kept (`record="moments"`)."""

    times: np.ndarray
    species: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    n: int
    seed: int
    kernel: str
    notes: tuple[str, ...] = ()
    asked: int = 0

    @property
    def complete(self) -> bool:
        """Whether all trajectories that were asked for went into it."""
        return self.n >= self.asked

    @checked
    def select(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(mean, standard deviation) [T] of a species."""
        if name not in self.species:
            raise ConfigError(f"select: {name!r} is no species{nearest(name, self.species)}")
        index = self.species.index(name)
        return self.mean[:, index], self.std[:, index]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        said = {"n": self.n, "seed": self.seed, "kernel": self.kernel, "notes": list(self.notes), "species": list(self.species)}
        return {"times": self.times.tolist(), "mean": self.mean.tolist(), "std": self.std.tolist(), **said}
