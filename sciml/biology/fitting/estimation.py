"""`fit`: many local fits from spread starts, the best of them, and how well the data determine it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked
from sciml.biology.fitting.measured_network import measured_network
from sciml.biology.fitting.minimum import Evaluated, Minimum, minimise
from sciml.biology.fitting.objective import Objective, Point
from sciml.biology.fitting.parameters import log_prior, scaled, unscaled
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.profiles import BetterError, Side, profile_side, quantile_root
from sciml.biology.fitting.result import Failure, Fit, Profile
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.requests import Count, Seed
from sciml.errors import ConfigError, ConvergenceError, DataError
from sciml.seeding import derive

__all__ = ["fit"]

_LOG = logging.getLogger("sciml.biology.fitting")
_NUMBER = re.compile(r"[-+]?\b(\d+\.?\d*([eE][-+]?\d+)?|nan|inf)\b")
_Level = Annotated[float, Bound("a number between 0 and 1", lambda x: 0 < x < 1)]
_AGAIN = 5  # times that a profile may find a better fit


@checked
def fit(
    problem_or_net: Problem | Network,
    data: Any = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    noise: str = "normal",
    starts: Count = 20,
    seed: Seed = 0,
    profiles: bool | Sequence[str] = True,
    level: _Level = 0.95,
    iterations: Count = 500,
) -> Fit:
    """The parameters with the highest likelihood times prior: the best of local fits from a Latin hypercube of `starts` points.

    For a network: `data` {formula: (times, values)} or {formula: (times, values, sd)}, values [T] or [replicates, T], sd a number, an array
    or a formula; without sd one is estimated for the formula (`sd_<formula>`). Several experiments: a list of (settings {id: value}, such
    data); or a table (also the name of a CSV file) with the columns observable, time, value, sd, and a column for each setting.
    `parameters` {id: (lower, upper)}: fitted on a logarithmic scale where lower > 0; or a `FitParameter` with prior and scale. `noise`:
    "normal", "laplace" or "lognormal" (sd of the logarithm).

    `profiles`: for which parameters intervals at `level` are made (True: all, False: none). Gradients are by forward
    sensitivities; by central differences where events, or conditions on what is fitted, let the states jump, and for very large models.
    Raises ConfigError and DataError for what does not fit together, ConvergenceError where every start failed.
    """
    problem = problem_or_net if isinstance(problem_or_net, Problem) else measured_network(problem_or_net, data, parameters, noise)
    if isinstance(problem_or_net, Problem) and (data is not None or parameters is not None):
        raise ConfigError("fit: a problem has its own data and parameters; give data= and parameters= with a network only")
    wanted = _wanted(problem, profiles)
    search = _Search(problem, seed, iterations)
    ends, failed = search.from_starts(starts)
    best, sides, notes = search.certain(ends[0], wanted, quantile_root(level))
    return _result(search, best, [end.value for end in ends], failed, sides, level, notes)


def _wanted(problem: Problem, profiles: bool | Sequence[str]) -> list[int]:
    """The numbers of the estimated parameters whose profiles are asked for."""
    ids = [p.id for p in problem.estimated]
    if not ids:
        raise ConfigError(f"{problem.name}: no parameter is estimated")
    if isinstance(profiles, bool):
        return list(range(len(ids))) if profiles else []
    for id in profiles:
        if id not in ids:
            raise ConfigError(f"profiles: {id!r} is no estimated parameter{nearest(id, ids)}")
    return [ids.index(id) for id in profiles]


class _Search:
    """Local fits of one problem, on the scales of its estimated parameters."""

    def __init__(self, problem: Problem, seed: int, iterations: int) -> None:
        self.problem, self.seed, self.iterations = problem, seed, iterations
        self.objective: Objective = problem.objective
        self.began = self.objective.evaluations
        scales = [p.scale for p in problem.estimated]
        self.lower = scaled([p.lower for p in problem.estimated], scales)
        self.upper = scaled([p.upper for p in problem.estimated], scales)

    def evaluate(self, x: np.ndarray) -> Evaluated:
        point = self.objective.at(x)
        return point.value, point.gradient, point.information

    def from_starts(self, count: int) -> tuple[list[Minimum], tuple[Failure, ...]]:
        """(ends of all starts that have one, best first; the others by kind of failure)."""
        ends: list[Minimum] = []
        kinds: dict[str, list[str]] = {}
        for number, x in enumerate(self.start_points(count)):
            try:
                ends.append(minimise(self.evaluate, x, self.lower, self.upper, iterations=self.iterations))
                _LOG.info("start %d of %d: %.6g after %d steps", number + 1, count, ends[-1].value, ends[-1].iterations)
            except (DataError, ConvergenceError) as error:
                shown = ", ".join(f"{p.id} = {v:.4g}" for p, v in zip(self.problem.estimated, self._values(x), strict=True))
                kinds.setdefault(_NUMBER.sub("#", str(error)), []).append(f"{error} (at {shown})")
        failed = tuple(Failure(len(messages), messages[0]) for messages in kinds.values())
        if not ends:
            lines = "; ".join(f"{f.count} x {f.message}" for f in failed)
            raise ConvergenceError(f"{self.problem.name}: all {count} starts failed: {lines}")
        for f in failed:
            _LOG.warning("%d of %d starts failed: %s", f.count, count, f.message)
        return sorted(ends, key=lambda end: end.value), failed

    def start_points(self, count: int) -> np.ndarray:
        """[count, K]: a Latin hypercube between the bounds, or through the law that a parameter's starts are drawn from."""
        from scipy.stats import qmc

        cube = qmc.LatinHypercube(len(self.lower), seed=derive(self.seed, "starts") % 2**32).random(count)
        with np.errstate(invalid="ignore"):
            found = self.lower + cube * (self.upper - self.lower)
        for k, p in enumerate(self.problem.estimated):
            if p.start is not None:
                values = [p.start.quantile(float(u), p.scale) for u in cube[:, k]]
                found[:, k] = np.clip(scaled(values, [p.scale] * count), self.lower[k], self.upper[k])
            elif not (np.isfinite(self.lower[k]) and np.isfinite(self.upper[k])):
                raise ConfigError(
                    f"{self.problem.name}: parameter {p.id!r}: its bounds {p.lower:g} and {p.upper:g} are not finite on its scale "
                    f"{p.scale}; give finite ones, or a law for its starts"
                )
        return found

    def certain(self, end: Minimum, wanted: Sequence[int], root: float) -> tuple[Point, dict[int, tuple[Side, Side]], tuple[str, ...]]:
        """The end made exact, and the profiles from it; a better point that a profile meets becomes the start of another round."""
        x, notes = end.x, []
        for _ in range(_AGAIN):
            found = minimise(self.evaluate, x, self.lower, self.upper, tolerance=1e-10, iterations=self.iterations)
            best = self.objective.at(found.x)
            try:
                sides = {k: (self._side(best, k, False, root), self._side(best, k, True, root)) for k in wanted}
            except BetterError as better:
                x = better.x
                notes = ["A profile led to a better fit than the starts had found: more starts are advisable."]
                continue
            if not end.converged:
                notes.append(f"The best start had not converged after {end.iterations} steps.")
            return best, sides, tuple(notes)
        raise ConvergenceError(f"{self.problem.name}: profiles led to better fits {_AGAIN} times; give more starts")

    def _side(self, best: Point, k: int, upwards: bool, root: float) -> Side:
        bounds = (self.lower, self.upper)
        return profile_side(self.evaluate, best.x, best.value, best.information, k, bounds, upwards=upwards, root=root)

    def _values(self, x: np.ndarray) -> np.ndarray:
        return unscaled(x, [p.scale for p in self.problem.estimated])


def _result(
    search: _Search, best: Point, values: list[float], failed: tuple[Failure, ...], sides: Any, level: float, notes: tuple[str, ...]
) -> Fit:
    problem, estimated = search.problem, search.problem.estimated
    full = search.objective.full(best.x)
    errors, undetermined = _determined(best.information, [p.id for p in estimated], search.upper - search.lower)
    found = {}
    for k, (low, high) in sides.items():
        p = estimated[k]
        points = [*reversed(low.points), (float(best.x[k]), 0.0), *high.points]
        points.sort()
        ends = unscaled([low.end, high.end], [p.scale] * 2)
        held = unscaled([x for x, _ in points], [p.scale] * len(points))
        found[p.id] = Profile(
            p.id, level, float(ends[0]), float(ends[1]), low.bounded, high.bounded, tuple(held.tolist()), tuple(d for _, d in points)
        )
    return Fit(
        problem=problem,
        parameters={p.id: float(v) for p, v in zip(problem.parameters, full, strict=True)},
        log_likelihood=best.log_likelihood,
        log_prior=log_prior(estimated, full[search.objective.estimated])[0],
        profiles=found,
        failed=failed,
        standard_errors={p.id: float(e) for p, e in zip(estimated, errors, strict=True)},
        undetermined=undetermined,
        values=(best.value, *values[1:]),
        evaluations=search.objective.evaluations - search.began,
        seed=search.seed,
        notes=notes,
    )


def _determined(information: np.ndarray, ids: Sequence[str], widths: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """(standard errors, directions that are not determined) from the eigenvectors of the Fisher information.

    A direction counts as undetermined where its standard error is larger than the width between the bounds along it.
    """
    eigenvalues, vectors = np.linalg.eigh(information)
    floor = max(float(eigenvalues.max(initial=0.0)), 1e-300) * 1e-13
    inverse = np.where(eigenvalues > floor, 1.0 / np.maximum(eigenvalues, floor), np.inf)
    with np.errstate(invalid="ignore"):
        variance = np.where(np.abs(vectors) > 1e-9, vectors**2 * inverse, 0.0).sum(axis=1)
    directions = []
    for value, vector in zip(inverse, vectors.T, strict=True):
        with np.errstate(divide="ignore"):
            room = float(np.min(np.where(np.abs(vector) > 0.1, widths / np.abs(vector), np.inf)))
        if np.sqrt(value) > room:
            parts = sorted(zip(vector, ids, strict=True), key=lambda part: -abs(part[0]))
            directions.append(" ".join(f"{weight:+.2f} {id}" for weight, id in parts if abs(weight) > 0.1))
    return np.sqrt(variance), tuple(directions)
