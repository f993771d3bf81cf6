"""How far a leap may go, and how often each channel is expected to fire in it: shared by tau-leaping and the Langevin equation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.native import Native, call, native
from sciml.biology.simulation.jump_model import JumpModel
from sciml.compiling import compiled

__all__ = ["LeapCode", "LeapTables", "Leaps", "Scratch", "expected", "leaps_of", "longest_leap", "next_stop", "put_records", "scratch"]

_TIMED_PIECES = 64.0  # steps between two stops, at least, where a law moves with time


class LeapTables(NamedTuple):
    """Arrays for the loops. Channel r changes states[starts[r]:starts[r+1]] by `amounts`.

    Slopes k: d a[channel[k]] / d y[state[k]] (state -1: d/dt), `own[k]` what the channel changes that state by. `largest` [s]: the most
    that one firing changes a state by.
    """

    starts: np.ndarray
    states: np.ndarray
    amounts: np.ndarray
    channel: np.ndarray
    state: np.ndarray
    own: np.ndarray
    largest: np.ndarray


class LeapCode(NamedTuple):
    """For the loops: addresses and contexts of the functions that write [R] propensities, and [R + K] propensities and slopes."""

    rates: int
    rates_context: np.ndarray
    slopes: int
    slopes_context: np.ndarray
    tables: LeapTables


class Leaps(NamedTuple):
    """`code` for the loops, and what its addresses belong to. `timed`: a law moves with time."""

    code: LeapCode
    keepers: tuple[Native, Native]
    timed: bool


class Scratch(NamedTuple):
    """Room for one trajectory: propensities and slopes, expected and drawn firings, pieces that they use, the state after a leap."""

    values: np.ndarray
    means: np.ndarray
    fired: np.ndarray
    pieces: np.ndarray
    critical: np.ndarray
    work: np.ndarray
    new: np.ndarray


def scratch(channels: int, slopes: int, size: int) -> Scratch:
    """Room for a jump process of so many channels, slopes and states."""
    return Scratch(
        np.zeros(channels + slopes), np.zeros(channels), np.zeros(channels), np.zeros(channels, dtype=np.int64),
        np.zeros(channels, dtype=np.bool_), np.zeros((6, max(channels, size))), np.zeros(size),
    )  # fmt: skip


def leaps_of(model: JumpModel) -> Leaps:
    """Compiled propensities and slopes of a jump process."""
    graph, nodes, size = model.jumps.graph, model.nodes, model.molecules.parameters.shape[1]
    changes = model.changes
    found = [(r, s, node) for r, row in enumerate(partials(graph, nodes, "state")) for s, node in sorted(row.items())]
    found += [(r, -1, node) for r, row in enumerate(partials(graph, nodes, "time")) for node in row.values()]
    channel, state = (np.array([f[i] for f in found], dtype=np.int64) for i in (0, 1))
    own = np.array([0.0 if s < 0 else changes[r, s] for r, s, _ in found], dtype=float)
    largest = np.abs(changes).max(axis=0, initial=0).astype(float)
    tables = LeapTables(*model.sparse_changes(), channel, state, own, largest)
    rates, slopes = native(graph, nodes, size), native(graph, [*nodes, *(f[2] for f in found)], size)
    code = LeapCode(rates.address, rates.context, slopes.address, slopes.context, tables)
    return Leaps(code, (rates, slopes), bool((state < 0).any()))


@compiled(error_model="numpy")
def put_records(y: Any, t: float, end: float, times: Any, record: int, skipped: int, out: Any) -> int:
    """Write y at the times that are due before `end` into out [T - skipped, s]; returns the next record."""
    while record < len(times) and times[record] <= t and times[record] < end:
        if record >= skipped:
            for i in range(len(y)):
                out[record - skipped, i] = y[i]
        record += 1
    return record


@compiled(error_model="numpy")
def next_stop(t: float, begin: float, end: float, times: Any, record: int, breaks: Any, piece: int, timed: bool) -> Any:
    """(the time that a step from t may not pass, the time at which laws are asked: that of the piece which begins at a break)."""
    stop, now = min(times[record], end), t
    if len(breaks):
        now = np.nextafter(t, np.inf)
        stop = min(stop, breaks[piece]) if piece < len(breaks) else stop
    if timed:
        last = max(times[record - 1] if record else begin, breaks[piece - 1] if piece else begin)
        stop = min(stop, t + (stop - max(last, begin)) / _TIMED_PIECES)
    return stop, now


@compiled(error_model="numpy")
def longest_leap(tables: Any, values: Any, y: Any, critical: Any, epsilon: float, least: float, work: Any) -> float:
    """The longest time over which no propensity is expected to change by much more than a share `epsilon`.

    Per state that a law sees: mean and spread of its change stay below max(epsilon y / g, least firings), g the largest elasticity
    d ln a / d ln y of any propensity (the g_i of Cao, Gillespie and Petzold, J. Chem. Phys. 124 (2006) 044109, for any law); and the time
    stays below epsilon over its own relaxation rate, so that spreads stay right in stiff networks. `critical` channels do not count.
    `work` [4, s].
    """
    channels = len(tables.starts) - 1
    mean, spread, elasticity, relaxation = work[0], work[1], work[2], work[3]
    for i in range(len(y)):
        mean[i], spread[i], elasticity[i], relaxation[i] = 0.0, 0.0, 0.0, 0.0
    found, total = np.inf, 0.0
    for r in range(channels):
        total += values[r]
        if not critical[r]:
            for j in range(tables.starts[r], tables.starts[r + 1]):
                mean[tables.states[j]] += tables.amounts[j] * values[r]
                spread[tables.states[j]] += tables.amounts[j] ** 2 * values[r]
    for k in range(len(tables.channel)):
        r, i, slope = tables.channel[k], tables.state[k], values[channels + k]
        if not np.isfinite(slope):
            continue
        if i < 0:
            if slope != 0.0:
                found = min(found, epsilon * max(values[r], 0.1 * total) / abs(slope))
            continue
        elasticity[i] = max(elasticity[i], 1.0)
        if values[r] > 0.0:
            elasticity[i] = max(elasticity[i], abs(y[i] * slope / values[r]))
        if not critical[r]:
            relaxation[i] += abs(tables.own[k] * slope)
    for i in range(len(y)):
        if elasticity[i] > 0.0 and spread[i] > 0.0:
            change = max(epsilon * abs(y[i]) / elasticity[i], least * tables.largest[i])
            if mean[i] != 0.0:
                found = min(found, change / abs(mean[i]))
            found = min(found, change * change / spread[i])
            if relaxation[i] > 0.0:
                found = min(found, epsilon / relaxation[i])
    return found


@compiled(error_model="numpy")
def expected(
    code: Any, t: float, tau: float, latest: float, y: Any, p: Any, values: Any, critical: Any, floor: bool, out: Any, work: Any
) -> bool:  # fmt: skip
    """int a_r dt over tau along the mean path dz/dt = sum v_r a_r(z) from y, by Runge and Kutta's order 4, into `out` [R].

    Critical channels rest. Laws are asked no later than `latest`. `floor`: laws see max(z, 0), and what is negative between whole numbers
    is zero. `values`: propensities at y. False where a propensity is negative or no number. `work` [6, max(R, s)].
    """
    tables = code.tables
    channels = len(tables.starts) - 1
    stage, z = work[4], work[5]
    for r in range(channels):
        out[r], stage[r] = 0.0, values[r]
    for step in range(4):
        weight = tau / 6.0 if step in (0, 3) else tau / 3.0
        for r in range(channels):
            if not critical[r]:
                out[r] += weight * stage[r]
        if step == 3:
            break
        reach = tau if step == 2 else 0.5 * tau
        for i in range(len(y)):
            z[i] = y[i]
        for r in range(channels):
            if not critical[r]:
                for j in range(tables.starts[r], tables.starts[r + 1]):
                    z[tables.states[j]] += reach * tables.amounts[j] * stage[r]
        if floor:
            for i in range(len(y)):
                z[i] = max(z[i], 0.0)
        call(code.rates, min(t + reach, latest), z, p, stage, code.rates_context)  # type: ignore[call-arg]
        for r in range(channels):
            if floor:
                stage[r] = max(stage[r], 0.0)
            if not (0.0 <= stage[r] < np.inf) and not critical[r]:
                return False
    for r in range(channels):
        if out[r] < 0.0:
            return False
    return True
