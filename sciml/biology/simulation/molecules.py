"""A network in whole molecules: its jump process, the numbers it starts from, its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.jumps import Jumps, compile_jumps
from sciml.biology.network import Network
from sciml.biology.sbml import Counting, molecules_per_unit
from sciml.biology.sbml.semantics import AVOGADRO
from sciml.biology.simulation.streams import stream_words
from sciml.errors import ConfigError, DataError
from sciml.seeding import derive

__all__ = ["Molecules", "in_molecules", "require_rates", "whole_after"]

_WHOLE = 1e-9
_LARGEST = 2.0**53  # whole numbers up to here are exact in double precision


@dataclass(frozen=True)
class Molecules:
    """`start` float64 [1 or n, s] (whole where `jumps.counted`) and `parameters` [1 or n, m] of `jumps`, one row for all or one each.

    `per_unit`: molecules per unit of amount of the species where it is not 1. `raw` [m] or [n, m]: parameters as the system has them.
    """

    jumps: Jumps
    start: np.ndarray
    parameters: np.ndarray
    raw: np.ndarray
    per_unit: Mapping[str, float]
    notes: tuple[str, ...]


def in_molecules(
    network: Network,
    n: int,
    seed: int,
    *,
    parameters: Mapping[str, Any] | None = None,
    initial: str | None = None,
    substance: str | None = None,
    split_reversible: bool = True,
    discrete_mass_action: bool = False,
    whole: bool = True,
    signed: bool = False,
) -> Molecules:
    """The jump process of a network for n trajectories; without `whole` they start from real numbers, below zero too where `signed`.

    Raises DataError for what cannot be run in whole molecules: units that count none, start amounts that are not whole (unless `initial`
    says "round" or "stochastic"), laws of changing sign and what else `compile_jumps` lists; ConfigError for options that do not fit.
    """
    system = system_of(network)
    y, p = system.begin(parameters)
    if y.ndim > 1 and len(y) != n:
        raise ConfigError(f"parameters: found arrays of {len(y)} values, expected one for each of the {n} trajectories")
    counting = molecules_per_unit(network, substance)
    per_substance, per_extent = _counted(network, counting, y)
    per_unit = {s.id: unit for s in network.species if (unit := counting.of(s.id) or per_substance) != 1.0}
    jumps = compile_jumps(system, p, y, per_unit, per_extent, split_reversible=split_reversible, discrete_mass_action=discrete_mass_action)
    real = np.atleast_2d(y) * jumps.molecules
    start = _whole(jumps, real, initial, n, seed) if whole else _finite(jumps, real, -np.inf if signed else 0.0)
    notes = counting.notes + jumps.notes + _vanished(jumps, real, start)
    return Molecules(jumps, start, np.atleast_2d(jumps.parameters(p)), p, per_unit, notes)


def _counted(network: Network, counting: Counting, y: np.ndarray) -> tuple[float, float]:
    """Molecules per unit of substance and reactions per unit of extent; refused where a level 2 model does not say."""
    if counting.per_substance is not None and counting.per_extent is not None:
        return counting.per_substance, counting.per_extent
    largest = float(np.abs(y).max(initial=0.0))
    raise DataError(
        f"{network.id}: the model does not say what its amounts count: the largest start amount, {largest:g}, is {largest:g} molecules if "
        f"it is in items and {largest * AVOGADRO:g} if in moles (the standard of level 2); give substance='item' or substance='mole'"
    )


def _finite(jumps: Jumps, start: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Start numbers as they are, refused where one is not finite or below `least`."""
    for s in np.flatnonzero(jumps.counted):
        if not (np.isfinite(start[:, s]) & (start[:, s] >= least)).all():
            id, found = jumps.system.states[s], start[:, s].min()
            raise DataError(f"{jumps.system.network.id}: {id!r} starts at {found:g} molecules, expected a finite number >= 0")
    return start


def _whole(jumps: Jumps, start: np.ndarray, initial: str | None, n: int, seed: int) -> np.ndarray:
    """Start numbers [1 or n, s], whole in what is counted."""
    start = _finite(jumps, start).copy()
    states = jumps.system.states
    faults, drawn = [], []
    for s in np.flatnonzero(jumps.counted):
        column, whole = start[:, s], np.rint(start[:, s])
        if (column > _LARGEST).any():
            raise DataError(
                f"{jumps.system.network.id}: {states[s]!r} starts at {column.max():g} molecules; beyond 2^53 they cannot be counted one "
                "by one: use simulate_ode"
            )
        near = np.abs(column - whole) <= _WHOLE * np.maximum(1.0, np.abs(whole))
        if not near.all() and initial is None:
            faults.append(f"{states[s]!r} at {float(column[~near][0])!r}")
        if near.all() or initial != "stochastic":
            start[:, s] = whole
        else:
            drawn.append((s, near, whole))
    if faults:
        raise DataError(
            f"{jumps.system.network.id}: start numbers of molecules that are not whole: {', '.join(faults)}; give initial='round', or "
            "initial='stochastic' for the whole numbers around it by chance"
        )
    if drawn:
        start = np.array(np.broadcast_to(start, (n, start.shape[1])))
        for s, near, whole in drawn:
            up = (stream_words(derive(seed, "start", states[s]), 0, n)[:, 0] >> np.uint64(11)) * 2.0**-53 < start[:, s] % 1.0
            start[:, s] = np.where(near, whole, np.floor(start[:, s]) + up)
    return start


def _vanished(jumps: Jumps, real: np.ndarray, start: np.ndarray) -> tuple[str, ...]:
    """What is said of start numbers so close to none that they are none."""
    gone = (real != 0) & (np.abs(real) <= _WHOLE) & (start[: len(real)] == 0)
    names = ((jumps.system.states[s], real[gone[:, s], s][0]) for s in np.flatnonzero(gone.any(axis=0)))
    return tuple(f"{name!r} starts at {value:g} molecules, taken as 0" for name, value in names)


def whole_after(jumps: Jumps, y: np.ndarray, t: float, rounds: bool) -> np.ndarray:
    """States [n, s] that an event left at time t, whole in what is counted; DataError where they are not (unless `rounds`) or below 0."""
    counted = np.flatnonzero(jumps.counted)
    found, whole = y[:, counted], np.rint(y[:, counted])
    good = (whole >= 0) & (rounds | (np.abs(found - whole) <= _WHOLE * np.maximum(1.0, np.abs(whole))))
    if not good.all():
        row, column = np.argwhere(~good)[0]
        raise DataError(
            f"{jumps.system.network.id}: at time {t:g} an event sets {jumps.system.states[counted[column]]!r} to {found[row, column]:g} "
            "molecules, expected a whole number >= 0; initial='round' rounds it"
        )
    y = y.copy()
    y[:, counted] = whole
    return y


def require_rates(molecules: Molecules) -> np.ndarray:
    """[channels]: propensities of the first trajectory at the start.

    Raises DataError, with the reaction, where a propensity of any trajectory is negative at the start, or stays so however many molecules
    there are: a rate constant below zero.
    """
    jumps = molecules.jumps
    nodes, columns = [c.node for c in jumps.channels], list(molecules.parameters.T)
    found = []
    for more in (0.0, 1.0, 10.0, 100.0):
        values = jumps.graph.evaluate(nodes, states=list(molecules.start.T + more), params=columns)
        found.append([np.atleast_1d(v) for v in values])
    for channel, *rates in zip(jumps.channels, *found, strict=True):
        negative = [(r < 0).any() for r in rates]
        if negative[0] or all(negative[1:]):
            worst = min(float(r.min()) for r in rates)
            names = " and ".join(repr(n) for n in channel.names)
            raise DataError(
                f"{jumps.system.network.id}: reaction {names} has a negative rate, {worst:g} near the start; rates must be >= 0"
            )
    return np.array([float(v[0]) for v in found[0]])
