"""When a network first meets a condition: the law of that time by state projection, or a sample of it by exact simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Unpack

import numpy as np
from scipy.sparse import csc_matrix
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import splu

from sciml.arguments import Bound, checked
from sciml.biology.expressions import COMPARISONS, LOGIC, Expression
from sciml.biology.formula import as_expression
from sciml.biology.network import Network
from sciml.biology.simulation.jump_model import CountingOptions, JumpModel, jump_model, observed
from sciml.biology.simulation.passage_sample import passage_times
from sciml.biology.simulation.projection_flow import flow
from sciml.biology.simulation.requests import Count, Loss, Seed
from sciml.biology.simulation.state_space import StateSpace
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError, DataError

__all__ = ["FirstPassage", "first_passage"]

_Condition = Annotated[str | Expression, Bound("a formula such as 'P >= 30'", lambda c: isinstance(c, Expression) or c != "")]
_MAY_HOLD = frozenset((*COMPARISONS, *LOGIC, "true", "false", "call", "piecewise"))
_MOST_LAYERS = 1 << 20


@dataclass(frozen=True)
class FirstPassage:
    """The law of the first time T at which a condition holds.

    `probability` [T] is P(T <= t) at `times`: by projection a lower bound, at most `lost` [T] below the truth; from a sample its share,
    with `error` [T] its standard error. `reached`: P(T < inf) (of a sample: by the last time). `mean`, `std`: of T where it is reached, in
    the model's unit of time; estimates. By projection `cut_off` is the probability that left the set of states for good. `sample` [n]:
    the times themselves, inf where the condition was not met by the last time.
    """

    condition: str
    times: np.ndarray
    probability: np.ndarray
    lost: np.ndarray
    error: np.ndarray
    reached: float
    mean: float
    std: float
    cut_off: float
    method: str
    sample: np.ndarray | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}


@checked
def first_passage(
    net: Network,
    condition: _Condition,
    times: Any = (),
    *,
    method: Literal["projection", "simulation"] = "projection",
    parameters: Mapping[str, Any] | None = None,
    tolerance: Loss = 1e-9,
    max_states: Count = 200_000,
    n: Count = 1000,
    seed: Seed = 0,
    threads: Count | None = None,
    **counting: Unpack[CountingOptions],
) -> FirstPassage:
    """T = min {t >= 0: condition holds}, from the network's start: e.g. `first_passage(net, "P >= 30")`; switching times likewise.

    "projection": states where the condition holds are made absorbing; P(T <= t) is what they hold, and moments solve A z = -p(0) on the
    others, on a set that grows until less than `tolerance` leaves it. "simulation": n exact trajectories until the condition or the last of
    `times`, which are then needed. Raises ConfigError for a condition that names time or what the model does not have.
    """
    by_projection = method == "projection"
    several = [id for id, value in (parameters or {}).items() if np.ndim(value)]
    if by_projection and several:
        raise ConfigError(
            f"parameters: {several[0]!r}: found an array, expected a number; method='simulation' takes one for each trajectory"
        )
    asked = np.unique(checked_times(times)) if np.size(times) else np.zeros(0)
    if not by_projection and not len(asked):
        raise ConfigError("times: method='simulation' ends a trajectory at the last of times; found none")
    model = jump_model(net, "first_passage", n=int(n), seed=seed, parameters=parameters, single=by_projection, **counting)
    node = _met(model, condition)
    if by_projection:
        return _by_projection(model, node, str(condition), asked, tolerance, max_states)
    return _by_simulation(model, node, str(condition), asked, int(n), seed, threads)


def _met(model: JumpModel, condition: str | Expression) -> int:
    """The node of a condition on the state."""
    try:
        expression = as_expression(condition)
        node = observed(model.jumps.system, expression)
    except DataError as error:
        raise ConfigError(f"condition: {error}") from error
    if expression.op not in _MAY_HOLD:
        raise ConfigError(f"condition: found {condition!r}, which is a number; expected what is true or false, such as 'P >= 30'")
    if model.jumps.system.graph.leaves([node], "time") or model.jumps.system.graph.leaves([node], "lag"):
        raise ConfigError(f"condition: found {condition!r}, which names time; a first passage is a matter of the state")
    return node


def _by_projection(model: JumpModel, node: int, condition: str, times: np.ndarray, tolerance: float, max_states: int) -> FirstPassage:
    graph, raw = model.jumps.system.graph, model.described()["parameters"]

    def met(states: np.ndarray) -> np.ndarray:
        columns = list((states / model.jumps.molecules).T)
        return np.broadcast_to(graph.evaluate([node], states=columns, params=list(raw))[0] != 0, len(states))

    def rates(states: np.ndarray) -> np.ndarray:
        return np.where(met(states)[:, None], 0.0, model.rates(states))

    space = StateSpace(model.molecules.start, model.changes, rates, max_states)
    if len(times):
        law = flow(space, np.ones(1), times, tolerance)
        probability, lost = law.p[:, met(space.states)].sum(axis=1), np.maximum(1.0 - law.p.sum(axis=1), 0.0)
    else:
        probability = lost = np.zeros(0)
    reached, mean, std, cut_off = _moments(space, met, tolerance)
    return FirstPassage(condition, times, probability, lost, np.zeros_like(lost), reached, mean, std, cut_off, "projection")


def _moments(space: StateSpace, met: Any, tolerance: float) -> tuple[float, float, float, float]:
    """(P(T < inf), mean and std of T given that, probability that left the set)."""
    layers = 1
    if met(space.states[:1])[0]:
        return 1.0, 0.0, 0.0, 0.0
    while True:
        goal = met(space.states)
        stay = _able(space, goal)
        if not len(stay):
            return 0.0, float("nan"), float("nan"), 0.0
        inner = splu(space.generator()[stay][:, stay].tocsc())
        begin = np.zeros(len(stay))
        begin[0] = 1.0  # the start is state 0, and it is able to pass
        spent = -inner.solve(begin)  # expected time in each state
        leaving = space.leaving()[stay] * spent
        if leaving.sum() <= tolerance or space.full:
            break
        order = np.argsort(-leaving, kind="stable")
        count = int(np.count_nonzero(leaving.sum() - np.cumsum(leaving[order]) > 0.5 * tolerance)) + 1
        space.grow(np.sort(stay[order[:count]]), layers)
        layers = min(2 * layers, _MOST_LAYERS)
    hit = -inner.solve(_into(space, stay, goal), trans="T")  # P(passage) from each state
    reached = float(hit[0])
    weighted = spent * hit  # time spent by those that pass
    mean = float(weighted.sum() / reached)
    second = float(2.0 * (-inner.solve(spent) @ hit) / reached)
    return reached, mean, float(np.sqrt(max(second - mean**2, 0.0))), float(leaving.sum())


def _able(space: StateSpace, goal: np.ndarray) -> np.ndarray:
    """Indices of states from which the goal, or the outside, can be reached, and that are not in it; state 0 first if it is one."""
    n = len(space)
    links = space.generator().tocoo()
    keep = (links.row != links.col) & (links.data > 0)
    ends = np.flatnonzero(goal | (space.leaving() > 0))
    # one more node that all ends lead to; the walk goes backwards from it: transposed links are rows to columns
    rows = np.concatenate([links.row[keep], np.full(len(ends), n)])
    columns = np.concatenate([links.col[keep], ends])
    back = csc_matrix((np.ones(len(rows)), (rows, columns)), shape=(n + 1, n + 1)).tocsr()
    found = breadth_first_order(back, n, directed=True, return_predecessors=False)
    found = found[found < n]
    found = np.sort(found[~goal[found]])
    return found if len(found) and found[0] == 0 else np.zeros(0, dtype=np.int64)


def _into(space: StateSpace, stay: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Rate at which each of the states passes into the goal."""
    targets = space.targets[stay]
    inside = (targets >= 0) & goal[np.maximum(targets, 0)]
    return np.asarray(np.where(inside, space.rates[stay], 0.0).sum(axis=1))


def _by_simulation(model: JumpModel, node: int, condition: str, times: np.ndarray, n: int, seed: int, threads: int | None) -> FirstPassage:
    sample = passage_times(model, node, float(times[-1]), n, seed, threads)
    share = (sample[:, None] <= times).mean(axis=0)
    passed = sample[np.isfinite(sample)]
    mean, std = (float(passed.mean()), float(passed.std())) if len(passed) else (float("nan"), float("nan"))
    error = np.sqrt(share * (1 - share) / n)
    return FirstPassage(condition, times, share, np.zeros_like(share), error, len(passed) / n, mean, std, 0.0, "simulation", sample)
