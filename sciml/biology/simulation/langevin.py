"""The chemical Langevin equation: real-valued amounts with Gaussian noise for each reaction."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from sciml.arguments import checked
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.blocks import Progress
from sciml.biology.simulation.burn_in import begin_cells
from sciml.biology.simulation.costs import exact_seconds, langevin_seconds
from sciml.biology.simulation.jump_model import CountingOptions, JumpModel, jump_model
from sciml.biology.simulation.langevin_loop import run_langevin
from sciml.biology.simulation.leap_run import LeapRun
from sciml.biology.simulation.records import Record, recorded
from sciml.biology.simulation.requests import Before, Count, Epsilon, Laws, Seed, Start, check_cells
from sciml.biology.simulation.time_breaks import smooth_in_time
from sciml.biology.simulation.timed_events import Kick, timed_kicks
from sciml.biology.simulation.trajectories import Ensemble, Moments, checked_times
from sciml.errors import ConfigError

__all__ = ["LangevinEnsemble", "simulate_langevin"]

_log = logging.getLogger(__name__)
_LASTING = 0.05  # the part of the time at zero from which it is said
_PILOT_STEPS, _PILOT_FROM = 100_000, 10
_LONG = 10.0  # seconds from which another method is named


@dataclass(frozen=True, repr=False)
class LangevinEnsemble(Ensemble):
    """Real-valued trajectories [n, T, S]; there are no `.counts`.

    `boundary` names what happened at zero, `time_at_zero` [n, s] is the time that each state (`system.states`) spent at zero or below:
    where it is a sizeable part of the run, the Langevin equation is not fit for that species.
    """

    boundary: str = field(default="free", kw_only=True)
    time_at_zero: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), kw_only=True)


@checked
def simulate_langevin(
    net: Network,
    times: Any,
    n: Count = 1000,
    seed: Seed = 0,
    *,
    boundary: Literal["free", "reflect"] = "free",
    epsilon: Epsilon = 0.03,
    parameters: Mapping[str, Any] | None = None,
    extrinsic: Laws | None = None,
    start: Start = "given",
    before: Before | None = None,
    silent: Iterable[str] | None = None,
    record: Record = "grid",
    threads: Count | None = None,
    progress: Progress | None = None,
    **counting: Unpack[CountingOptions],
) -> LangevinEnsemble | Moments:
    """dX = sum_r v_r (a_r(X) dt + sqrt(a_r(X)) dW_r), one Wiener process for each reaction.

    A step is chosen from the state before it, as in `simulate_tau` (a share `epsilon` of change or of relaxation time, at least a change by
    a quarter of a firing); its mean follows the rate equations to order 4, its noise is that of sqrt(int a dt). `boundary="free"`: amounts
    may go below zero by the last step's noise, laws see zero there, and totals are conserved; "reflect": an amount below zero is turned to
    its opposite, and conserved totals drift. `time_at_zero` says how often, and `notes` name each species that is there for more than 5 %
    of the time. Between whole numbers a law such as X (X - 1) that is negative counts as zero.

    `silent`: ids of reactions without noise, which go on in the mean; the random numbers of the others stay the same.

    `parameters`, `extrinsic`, `start`, `before`, `record`, `threads`, `progress` and how amounts become molecules (`initial`, `substance`,
    `split_reversible`, `discrete_mass_action`) are those of `simulate_ssa`, only that starts need not be whole; Ctrl-C keeps what is done.
    Where a run will be long the log names what is faster. Events at known times are made. Raises ConfigError for other events, rate
    rules, laws that move smoothly with time and arguments that cannot be meant, DataError for starts below zero, units that count no
    molecules, and a propensity that is no number.
    Source: Gillespie, J. Chem. Phys. 113 (2000) 297.
    """
    check_cells(net, start, before, extrinsic, parameters)
    asked = checked_times(times)
    own: dict[str, Any] = {"epsilon": epsilon, "boundary": boundary, "silent": tuple(silent or ()), "threads": threads, **counting}
    given, _ = begin_cells(simulate_langevin, net, n, seed, parameters, extrinsic, start, before, **own)
    moved = start != "given"  # then cells begin where a run ended, at real numbers
    counting["initial"] = None if moved else counting.get("initial")
    model = jump_model(
        net, "simulate_langevin", n=n, seed=seed, parameters=given, timed=True, real=True, stops=True, signed=moved, **counting
    )
    channels = model.jumps.channels
    if moving := smooth_in_time(model.jumps.graph, [c.node for c in channels]):
        names = ", ".join(repr(name) for name in channels[moving[0]].names)
        raise ConfigError(f"{net.id}: the law of {names} moves with time, which a step takes as it is when it begins; use simulate_ssa")
    at_zero = np.zeros((0 if record == "moments" else n, model.changes.shape[1]))
    run = LangevinRun(model, asked, epsilon, seed, "simulate_langevin", record == "final", reflect=boundary == "reflect", at_zero=at_zero)
    run.loud[:] = _loud(model, own["silent"])
    if n >= _PILOT_FROM and asked.max() > 0:
        run.advise(n)
    found = recorded(run, n, record, threads, progress)
    for note in run.notes[len(model.molecules.notes) :]:
        _log.warning("%s: %s", net.id, note)
    return found  # type: ignore[return-value]


@dataclass
class LangevinRun(LeapRun):
    """Blocks of trajectories, each from one event to the next."""

    reflect: bool = False
    at_zero: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))  # [n, s] where trajectories are kept
    sums: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)  # of blocks: trajectories that are done, their time at zero [s]
    loud: np.ndarray = field(init=False)  # [R] factor of each channel's noise
    kernel: ClassVar[str] = "langevin64"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.loud = np.ones(len(self.model.jumps.channels))

    @cached_property
    def kicks(self) -> list[Kick]:
        """The events."""
        return timed_kicks(self.model, float(self.times[-1]))

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        """Trajectories first, first + 1, ... into `out`."""
        at_zero, counted = self.run(first, out, signals)
        done[:] = counted[:, 2] >= self.times[-1]
        self.sums[first] = int(done.sum()), at_zero[done == 1].sum(axis=0)
        if len(self.at_zero):
            self.at_zero[first : first + len(out)] = at_zero

    @property
    def notes(self) -> tuple[str, ...]:
        """Of the model, and which species that reactions change were at zero for long."""
        sums = list(self.sums.values())
        whole = sum(n for n, _ in sums) * self.times[-1]
        shares = sum(part for _, part in sums) / whole if whole else np.zeros(self.model.changes.shape[1])
        long = np.flatnonzero((shares > _LASTING) & self.model.changes.any(axis=0))
        said = (f"{self.model.jumps.system.states[s]!r} is at zero or below for {shares[s]:.0%} of the time" for s in long)
        return self.molecules.notes + tuple(f"{text}: the Langevin equation is not fit for it, simulate_ssa is" for text in said)

    def run(self, first: int, out: np.ndarray, signals: np.ndarray, most: int = sys.maxsize) -> tuple[np.ndarray, np.ndarray]:
        """(time at zero [n, s]; steps, firings, time reached [n, 3]) of at most so many steps between two events."""
        y, parameters = self.started(first, len(out))
        at_zero, failed, counted = np.zeros_like(y), np.zeros(len(out), dtype=np.int64), np.zeros((len(out), 3))
        own = JumpModel(replace(self.molecules, parameters=parameters))
        begin = 0.0
        for number, kick in enumerate([*self.kicks, None]):
            end = np.inf if kick is None else kick.time
            run_langevin(
                self.leaps.code, self.scratch(), self.stream(number), first, parameters, self.times, self.breaks, self.leaps.timed,
                self.epsilon, self.skipped, begin, end, self.reflect, self.loud, most, y, out, at_zero, failed, counted, signals,
            )  # fmt: skip
            self.check(first, failed, y)
            if kick is None or signals[0] != 0 or (counted[:, 2] < end).any():
                break
            y, begin = np.ascontiguousarray(kick.applied(own, y)), end
            self.check_laws(y, parameters, first)
        return at_zero, counted

    def check_laws(self, y: np.ndarray, parameters: np.ndarray, first: int) -> None:
        """DataError where what an event set makes a law negative at whole numbers, where none is negative by itself."""
        jumps = self.model.jumps
        states = np.where(jumps.counted, np.rint(np.maximum(y, 0.0)), y)
        for channel, rates in enumerate(jumps.graph.evaluate(self.model.nodes, states=list(states.T), params=list(parameters.T), time=0.0)):
            bad = np.flatnonzero(np.broadcast_to(rates, len(y)) < 0)
            if len(bad):
                raise self.model.refused(channel, states[bad[0]], float(np.broadcast_to(rates, len(y))[bad[0]]))

    def ensemble(self, states: np.ndarray, chosen: slice | np.ndarray = slice(None), notes: tuple[str, ...] = ()) -> LangevinEnsemble:
        """The result of the trajectories `chosen`, whose states are given."""
        there = self.at_zero[chosen] if len(self.at_zero) else self.at_zero  # of moments it is summed up alone
        said: dict[str, Any] = {"boundary": "reflect" if self.reflect else "free", "time_at_zero": there, "whole": False}
        return LangevinEnsemble(**self.described(states, chosen, notes), **said)

    def advise(self, n: int) -> None:
        """Before a long run: say so, and what is faster, by the first steps of one trajectory."""
        counted = self.run(0, self.room(1)[0], np.zeros(2, dtype=np.int64), _PILOT_STEPS)[1]
        steps, firings, reached = counted[0]
        whole = n * self.times[-1] / reached
        seconds = langevin_seconds(self.model.jumps, whole * steps)
        if seconds < _LONG:
            return
        exact = exact_seconds(self.model.jumps, whole * firings)
        better = (
            f"simulate_ssa is exact and takes about {exact:.2g} s" if exact < seconds else "linear_noise gives mean and spread in one run"
        )
        _log.warning(
            "%s: about %.2g steps of the Langevin equation, %.2g s on one core; %s", self.model.name, whole * steps, seconds, better
        )


def _loud(model: JumpModel, silent: Iterable[str]) -> np.ndarray:
    """[R]: 0 for channels whose noise is off. ConfigError for what is no reaction, and for a part of reactions that are one channel."""
    asked = set(silent)
    channels = [set(channel.names) for channel in model.jumps.channels]
    known = sorted(set().union(*channels))
    if unknown := sorted(asked - set(known)):
        raise ConfigError(f"silent: {unknown[0]!r} is no reaction of {model.name!r} that changes anything{nearest(unknown[0], known)}")
    for names in channels:
        if names & asked and names - asked:
            together = ", ".join(map(repr, sorted(names)))
            raise ConfigError(
                f"silent: {together} change the same species by the same numbers and have one noise; expected all of them or none"
            )
    return np.array([0.0 if names & asked else 1.0 for names in channels])
