"""Exact stochastic simulation: trajectories of the jump process, by the direct method (Gillespie, J. Phys. Chem. 81 (1977) 2340)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sciml.biology.kernels.lanes import lane_program
from sciml.biology.network import Network
from sciml.biology.simulation.blocks import Progress, run_blocks
from sciml.biology.simulation.molecules import Molecules, in_molecules, require_rates
from sciml.biology.simulation.trajectories import Ensemble, Moments, checked_times
from sciml.errors import ConfigError
from sciml.seeding import derive

if TYPE_CHECKING:
    from sciml.biology.distributions import Law
    from sciml.biology.simulation.scalar_runs import ScalarRuns

__all__ = ["simulate_ssa"]

_log = logging.getLogger("sciml.biology.simulation")
_SMALLEST, _LARGEST = 1e-30, 1e30  # coefficients outside are no numbers for single precision
_MOMENT_BYTES = 1 << 24
_DEVICE_BLOCK = 1 << 20  # trajectories that a GPU gets at once
_LONG = 2e9  # reactions, by the rates at the start, from which a forecast is made

Record = Literal["grid", "final", "moments"]


def simulate_ssa(
    net: Network,
    times: Any,
    n: int = 1000,
    seed: int = 0,
    *,
    parameters: Mapping[str, Any] | None = None,
    extrinsic: Mapping[str, Law] | None = None,
    start: Literal["given", "steady_state"] | float = "given",
    before: Mapping[str, float] | None = None,
    record: Record = "grid",
    initial: Literal["round", "stochastic"] | None = None,
    substance: Literal["item", "mole"] | None = None,
    split_reversible: bool = True,
    discrete_mass_action: bool = False,
    budget: float | None = None,
    device: Literal["cpu", "cuda"] = "cpu",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Ensemble | Moments:
    """Exact trajectories: P(tau, r) = a_r exp(-a tau), a = sum_r a_r, for the waiting time tau and the next reaction r.

    `times` as for all simulators: the start is at 0. `parameters` {id: number or array [n], one for each trajectory}; `extrinsic`
    {id: law} draws one value for each. `start`: as the model says, "steady_state" of its rate equations, or how long each trajectory runs
    before time 0; during that `before` {id: number} holds, as in {"ligand": 0}. `budget`: a run that is forecast to take more seconds is a
    ConfigError; without it the forecast of a long run is logged. `record`: "grid"
    keeps every trajectory at all times, "final" at the last one only ([n, 1, S]), "moments" only mean and standard deviation. Start numbers
    must be whole, unless `initial` rounds them or draws the whole numbers around them. `substance` says what a model counts that does not.
    A net law that can be negative is split into a forward and a backward reaction (`split_reversible`); a literal k S^2 becomes k S (S - 1)
    only with `discrete_mass_action`. `progress(done, n)` is called about once a second; Ctrl-C ends the run and keeps what is done.

    The arithmetic, `kernel`, follows from model and options: "lanes32" (single precision, 64 trajectories side by side; the draw of the
    reaction resolves 2^-45 of the total), "scalar64" for what needs double precision, or both, where trajectories passed from one to
    the other by their own state. Trajectory k depends on (seed, k) alone: the same bits for any n, threads and caches. `device` "cuda" runs
    one trajectory a thread of a GPU ("threads64"), equal in distribution.
    Raises DataError for what cannot be simulated in whole molecules, all of it at once, and for a propensity that is negative or no number.
    """
    if record not in ("grid", "final", "moments"):
        raise ConfigError(f"record: found {record!r}, expected 'grid', 'final' or 'moments'")
    if not hasattr(n, "__index__") or int(n) < 1:
        raise ConfigError(f"n: found {n!r}, expected a whole number >= 1")
    if device not in ("cpu", "cuda"):
        raise ConfigError(f"device: found {device!r}, expected 'cpu' or 'cuda'")
    asked, n = checked_times(times), int(n)
    given: dict[str, Any] = dict(parameters or {})
    if extrinsic:
        from sciml.biology.simulation.extrinsic import cell_options

        given, drawn = cell_options(net, extrinsic, n, seed, parameters, initial)
        initial = "stochastic" if drawn == "stochastic" else initial
    counting: dict[str, Any] = {"initial": initial, "substance": substance, "split_reversible": split_reversible}
    counting["discrete_mass_action"] = discrete_mass_action
    if start != "given" or before:
        from sciml.biology.simulation.burn_in import started

        given = started(simulate_ssa, net, start, n, seed, without=before, parameters=given, threads=threads, **counting)
        counting["initial"] = initial = initial or "stochastic"
    molecules = in_molecules(net, n, seed, parameters=given, **counting)
    _announce(net, asked, n, molecules, budget, record, given, counting)
    for note in molecules.notes:
        _log.warning("%s: %s", net.id, note)
    run = _Run(molecules, np.unique(asked), derive(seed, "simulate_ssa"), initial is not None, device)
    if record == "moments":
        return _moments(run, asked, n, seed, threads, progress)
    return _kept(run, asked, n, seed, record == "final", threads, progress)


def _kept(run: _Run, asked: np.ndarray, n: int, seed: int, final: bool, threads: int | None, progress: Progress | None) -> Ensemble:
    """All trajectories at all times, or at the last one; those that were finished where the user stops the run."""
    molecules = run.molecules
    name = molecules.jumps.system.network.id
    skipped = len(run.times) - 1 if final else 0
    states = np.empty((n, len(run.times) - skipped, len(molecules.jumps.system.states)), dtype=run.dtype)
    done = np.zeros(n, dtype=np.uint8)

    def work(first: int, count: int, signals: np.ndarray) -> None:
        part = slice(first, first + count)
        run.block(first, skipped, states[part], done[part], signals)

    large = _DEVICE_BLOCK if run.device == "cuda" else None
    finished = run_blocks(n, work, threads=1 if large else threads, progress=progress, block=large)
    notes, raw = molecules.notes, molecules.raw
    if not finished:
        notes += (f"stopped by the user after {int(done.sum())} of {n} trajectories",)
        states, raw = states[done == 1], raw[done == 1] if raw.ndim > 1 else raw
        _log.warning("%s: %d of %d trajectories are missing", name, n - len(states), n)
    if final:
        return run.ensemble(run.times[-1:], states, raw, seed, notes)
    order = np.searchsorted(run.times, asked)
    return run.ensemble(asked, states if np.array_equal(order, np.arange(len(run.times))) else states[:, order], raw, seed, notes)


def _announce(
    net: Network,
    asked: np.ndarray,
    n: int,
    molecules: Molecules,
    budget: float | None,
    record: str,
    given: dict[str, Any],
    counting: dict[str, Any],
) -> None:
    """Say what a long run will take, or refuse it beyond the budget. A glance at the start decides whether it may be long."""
    rates = require_rates(molecules)
    if budget is None and float(np.nansum(rates)) * asked.max() * n < _LONG:
        return
    if budget is not None and not budget > 0:
        raise ConfigError(f"budget: found {budget!r}, expected seconds > 0")
    from sciml.biology.simulation.forecast import forecast

    means = {id: float(np.mean(value)) for id, value in given.items()}
    found = forecast(net, asked, n, record=record, parameters=means, **{**counting, "initial": counting["initial"] or "round"})
    if budget is not None and found.seconds > budget:
        raise ConfigError(f"{net.id}: {found}, beyond the budget of {budget:g} s; ask for fewer, or use simulate_tau or linear_noise")
    _log.warning("%s: %s", net.id, found)


class _Run:
    """What all blocks of a run share: the program, its coefficients, start and parameters."""

    def __init__(self, molecules: Molecules, times: np.ndarray, stream: int, rounds: bool, device: str) -> None:
        self.molecules, self.times, self.stream, self.rounds, self.device = molecules, times, np.uint64(stream), rounds, device
        jumps = molecules.jumps
        self.program = lane_program(jumps) if device == "cpu" else None
        self.left = False
        if self.program is not None:
            columns = list(molecules.parameters.T)
            single = _rows(jumps.graph.evaluate(self.program.single, params=columns), len(molecules.parameters))
            fits = (single == 0) | ((np.abs(single) >= _SMALLEST) & (np.abs(single) <= _LARGEST))
            if fits.all():
                self.single = single.astype(np.float32)
                self.double = _rows(jumps.graph.evaluate(self.program.double, params=columns), len(molecules.parameters))
            else:
                self.program = None
        self.dtype = np.int64 if all(jumps.counted) else np.float64

    @property
    def kernel(self) -> str:
        """Which arithmetic was used."""
        if self.device == "cuda":
            return "threads64"
        return "scalar64" if self.program is None else "lanes32+scalar64" if self.left else "lanes32"

    @cached_property
    def scalar(self) -> ScalarRuns:
        """The double kernel, made where it is needed."""
        from sciml.biology.simulation.scalar_runs import ScalarRuns

        m = self.molecules
        return ScalarRuns(m.jumps, m.parameters, self.times, int(self.stream), self.rounds)

    def block(self, first: int, kept: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`."""
        count, m = len(out), self.molecules
        if self.device == "cuda":
            from sciml.biology.simulation.thread_runs import run_threads

            out[:] = run_threads(m, self.times, first, count, int(self.stream))[:, kept:]
            done[:] = 1
            signals[1] += count
            return
        left = np.full((count, out.shape[2] + 2), np.nan)
        part = slice(first, first + count)
        if self.program is None:
            left[:, :2] = 0.0
            left[:, 2:] = m.start[part] if len(m.start) > 1 else m.start
            self.scalar.run(first, left, kept, out, done, signals)
            return
        from sciml.biology.simulation.lane_driver import run_lanes

        start, single, double = (r[part] if len(r) > 1 else r for r in (m.start, self.single, self.double))
        if run_lanes(self.program, int(self.stream), first, start, single, double, self.times, kept, out, left, done, signals):
            self.left = True
            self.scalar.run(first, left, kept, out, done, signals)

    def ensemble(self, asked: np.ndarray, states: np.ndarray, raw: np.ndarray, seed: int, notes: tuple[str, ...]) -> Ensemble:
        """The result in the model's units."""
        m = self.molecules
        if m.per_unit:
            states = states / m.jumps.molecules
        return Ensemble(m.jumps.system, asked, states, raw, notes=notes, seed=int(seed), kernel=self.kernel, molecules=m.per_unit)


def _rows(columns: list[np.ndarray], count: int) -> np.ndarray:
    """[count, columns]."""
    return np.ascontiguousarray(np.stack([np.broadcast_to(c, count) for c in columns], axis=1)) if columns else np.zeros((1, 0))


def _moments(run: _Run, asked: np.ndarray, n: int, seed: int, threads: int | None, progress: Progress | None) -> Moments:
    """Means and sums of squares of blocks, merged in their order (Chan, Golub, LeVeque 1983): the same bits for any threads."""
    jumps = run.molecules.jumps
    row = max(1, len(run.times) * len(jumps.system.states) * 8)
    size = max(64, _MOMENT_BYTES // row // 64 * 64)
    parts: dict[int, tuple[int, np.ndarray, np.ndarray]] = {}

    def work(first: int, count: int, signals: np.ndarray) -> None:
        states = np.empty((count, len(run.times), len(jumps.system.states)), dtype=run.dtype)
        done = np.zeros(count, dtype=np.uint8)
        run.block(first, 0, states, done, signals)
        if done.all():
            raw = run.molecules.raw
            amounts = run.ensemble(run.times, states, raw[first : first + count] if raw.ndim > 1 else raw, seed, ()).amounts
            mean = amounts.mean(axis=0)
            parts[first] = (count, mean, ((amounts - mean) ** 2).sum(axis=0))

    finished = run_blocks(n, work, threads=threads, progress=progress, block=size)
    total, mean, squares = 0, np.zeros(()), np.zeros(())
    for first in sorted(parts):
        count, block_mean, block_squares = parts[first]
        shift = block_mean - mean if total else np.zeros_like(block_mean)
        mean = block_mean if not total else mean + shift * (count / (total + count))
        squares = squares + block_squares + shift**2 * (total * count / (total + count))
        total += count
    if not total:
        raise KeyboardInterrupt
    notes = run.molecules.notes + (() if finished else (f"stopped by the user after {total} of {n} trajectories",))
    std = np.sqrt(squares / (total - 1)) if total > 1 else np.full_like(mean, np.nan)
    order = np.searchsorted(run.times, asked)
    species = tuple(s.id for s in jumps.system.network.species)
    return Moments(asked, species, mean[order], std[order], total, int(seed), run.kernel, notes)
