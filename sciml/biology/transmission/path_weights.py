"""Information between whole traces by path weights: exact sampling of ln p(s, x) - ln p(s) - ln p(x)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciml.biology.kernels.native import Native, native
from sciml.biology.simulation.blocks import Progress, run_blocks
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.transmission.observation import Observation, observe
from sciml.biology.transmission.path_loop import BROKEN, FINE, View, follow
from sciml.errors import ConvergenceError, DataError
from sciml.seeding import derive

__all__ = ["PathSample", "path_sample"]

_BLOCK = 4
_MOST_MORE = 64  # times as many particles, for a trajectory that lost all of them


@dataclass(frozen=True)
class PathSample:
    """Per trajectory [n, K], in nats, at the times `grid` [K].

    `density`: ln p(s, x) / (p(s) p(x)) from the filters, less a martingale of mean zero that follows its chance. `missing`: what makes up
    for the bias of its logarithms, to be added.
    """

    grid: np.ndarray
    density: np.ndarray
    missing: np.ndarray


def path_sample(
    model: JumpModel, states: tuple[int, int], grid: np.ndarray, before: float, n: int, particles: int, seed: int, *,
    threads: int | None = None, progress: Progress | None = None,
) -> PathSample:  # fmt: skip
    """n trajectories that begin `before` time 0 at the model's start and are watched up to the times `grid` [K], ascending.

    `states`: dose and read-out. What both traces, or one of them, leaves unseen is summed over by filters of `particles` trajectories that
    are drawn again by their weights; where a trace determines all that its law depends on, one is enough and the weight exact. All is given
    the whole state at time 0. A trajectory that loses all its particles is followed again with four times as many, up to 64 times; then
    ConvergenceError is raised. Raises also what an exact run raises.
    Source: Reinhardt, Tkacik and ten Wolde, Phys. Rev. X 13 (2023) 041017: p(x|s) = p(s, x) / p(s), with feedback too.
    """
    observations = [observe(model, watched) for watched in (states, states[:1], states[1:])]
    views, keepers = zip(*(_view(model, o, observations) for o in observations), strict=True)
    counts = np.array([1 if o.certain else particles for o in observations], dtype=np.int64)
    replicas = np.array([1 if o.certain else 2 for o in observations], dtype=np.int64)
    out = np.zeros((n, len(grid), 3))
    start, p = (np.ascontiguousarray(row[0], dtype=float) for row in (model.molecules.start, model.molecules.parameters))
    stream = np.uint64(derive(seed, "path_weights"))

    def work(first: int, count: int, signals: np.ndarray) -> None:
        done, more = 0, 1
        while done < count and signals[0] == 0:
            part = out[first + done : first + (count if more == 1 else done + 1)]
            enough = np.where(counts > 1, counts * more, counts)
            fault, trajectory = follow(views, enough, replicas, stream, first + done, start, p, float(before), grid, part, signals)
            if fault == BROKEN:
                raise DataError(
                    f"{model.name}: in trajectory {trajectory} a propensity is negative or no number, or a reaction lacks what it takes; "
                    "simulate_ssa says which"
                )
            if fault != FINE and more == _MOST_MORE:
                raise ConvergenceError(
                    f"{model.name}: in trajectory {trajectory} none of {particles * more} particles could make a change that was seen; "
                    "expected more particles"
                )
            done = int(trajectory) - first
            more = 1 if fault == FINE else 4 * more

    if not run_blocks(n, work, threads=threads, progress=progress, block=_BLOCK):
        raise KeyboardInterrupt
    del keepers  # what the addresses in `views` belong to
    return PathSample(grid, out[..., 0] - out[..., 2], out[..., 1])


def _view(model: JumpModel, observation: Observation, all_: list[Observation]) -> tuple[View, Native]:
    channels, graph = observation.channels, model.jumps.graph
    place = {c: k for k, c in enumerate(channels)}
    function = native(graph, [model.jumps.channels[c].node for c in channels], model.molecules.parameters.shape[1])
    pairs = [model.jumps.channels[c].change for c in channels]
    group = {c: g for g, members in enumerate(observation.members) for c in members}
    joint, dose, readout = all_
    other = [(v, o.groups.index(change)) for change in joint.groups for v, o in ((1, dose), (2, readout)) if change in o.groups]
    return View(
        function.address,
        function.context,
        _whole(np.cumsum([0, *(len(p) for p in pairs)])),
        _whole([state for p in pairs for state, _ in p]),
        np.array([by for p in pairs for _, by in p], dtype=float),
        _whole([group.get(c, -1) for c in channels]),
        _whole(np.cumsum([0, *(len(m) for m in observation.members)])),
        _whole([place[c] for m in observation.members for c in m]),
        _whole([group.get(c, -1) for c in joint.channels]),
        _whole([v for v, _ in other]),
        _whole([g for _, g in other]),
    ), function


def _whole(values: object) -> np.ndarray:
    return np.array(values, dtype=np.int64).reshape(-1)
