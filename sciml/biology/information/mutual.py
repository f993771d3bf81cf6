"""Mutual information from samples: one call, whatever the kinds of the two sides."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from sciml.arguments import Seed, checked
from sciml.biology.information.estimators import Estimator, chosen
from sciml.biology.information.estimators import estimator as named
from sciml.biology.information.intervals import over_groups
from sciml.biology.information.result import Estimate, MutualInformation
from sciml.biology.information.samples import Kind, Pair, Side, checked_pair
from sciml.errors import ConfigError
from sciml.seeding import derive, numpy_generator

__all__ = ["measured", "mutual_information"]

_SHUFFLES = 3


@checked
def mutual_information(
    x: Any,
    y: Any,
    *,
    estimator: Any = "auto",
    interval: Literal["auto", "none"] = "auto",
    groups: Any = None,
    x_kind: Kind = "auto",
    y_kind: Kind = "auto",
    readout: str = "snapshot",
    seed: Seed = 0,
) -> MutualInformation:
    """I(X;Y) = sum p(x,y) log2 p(x,y) / (p(x) p(y)), in bits, from joint samples; row i of `x` and `y` is one cell.

    `x`, `y` [n] or [n, d]: numbers, or texts for a discrete side. A side of numbers is discrete where it has at most 64 different rows
    that come ten times each or more on average (doses); `x_kind`, `y_kind` say otherwise. `estimator`: "auto" takes the first row of
    `estimator_rule()` that holds, a name forces one, an object with the calls of `Estimator` is used as it is. `groups` [n]: rows that
    belong together (replicate, day, donor); the interval then comes from leaving out whole groups. `interval="none"` spares the fits that
    an interval and the baseline take: these are then NaN. `readout`: what y is, for the sentence in the result.

    Raises DataError for sides of different length, rows that are not numbers (with the row), numbers given as texts and a table joined
    twice, ConfigError for an estimator, the rule's own too, that cannot be used on these sides, as with too few rows.
    """
    pair = checked_pair(x, y, groups, x_kind=x_kind, y_kind=y_kind)
    return measured(None if pair.constant else _method(estimator, pair), pair, interval, readout, seed)


def measured(method: Estimator | None, pair: Pair, interval: str, readout: str, seed: int) -> MutualInformation:
    """What `method` finds in the pair, with interval and baseline; None where a side is constant."""
    bound = min(pair.x.entropy, pair.y.entropy)
    if method is None:
        found = Estimate(
            0.0, 0.0, 0.0, 0.0, "none needed", "exact: a side is constant" if pair.constant else "exact: z leaves nothing of a side"
        )
        return _result(found, pair, 0.0, bound, readout, seed)
    if interval == "none":
        found = Estimate(method.point(pair, seed), math.nan, math.nan, math.nan, method.name, "none asked for")
        return _result(found, pair, math.nan, bound, readout, seed)
    found = method.estimate(pair, seed)
    if pair.groups is not None:
        found = over_groups(pair, method.point, found, seed)
    return _result(found, pair, _baseline(method, pair, seed), bound, readout, seed)


def _method(wanted: Any, pair: Pair) -> Estimator:
    method: Estimator = chosen(pair)[0] if wanted == "auto" else named(wanted) if isinstance(wanted, str) else wanted
    lacking = [call for call in ("name", "refuses", "point", "estimate") if not hasattr(method, call)]
    if lacking:
        raise ConfigError(f"estimator: found {type(method).__name__} without {', '.join(lacking)}, expected a name or an object with these")
    if why := method.refuses(pair):
        raise ConfigError(f"estimator {method.name!r}: {why}")
    return method


def _baseline(method: Estimator, pair: Pair, seed: int) -> float:
    """Mean over shuffled pairs; their information is 0."""
    shuffles = getattr(method, "shuffles", _SHUFFLES)
    values = [method.point(pair.shuffled(numpy_generator(seed, "shuffle", k)), derive(seed, "shuffle", k)) for k in range(shuffles)]
    return float(np.mean(values)) if values else math.nan


def _result(found: Estimate, pair: Pair, baseline: float, bound: float, readout: str, seed: int) -> MutualInformation:
    notes = tuple(dict.fromkeys((*pair.x.notes, *pair.y.notes, *(pair.z.notes if pair.z else ()), *found.notes)))
    if found.bits > bound:
        notes = (*notes, f"warning: above the entropy of the discrete side, {bound:.4f} bit: too high; take `clipped`")
    return MutualInformation(
        bits=float(found.bits), low=float(found.low), high=float(found.high), standard_error=float(found.standard_error),
        estimator=found.estimator, interval=found.interval, extrapolation=found.extrapolation, baseline=float(baseline),
        input_law=_input_law(pair.x), readout=readout, entropy_bound=float(bound), n=len(pair), seed=int(seed), notes=notes,
    )  # fmt: skip


def _input_law(side: Side) -> str:
    if side.codes is None:
        return f"x as sampled, {side.values.shape[1]} column{'s' if side.values.shape[1] != 1 else ''}"
    shares = np.bincount(side.codes, minlength=len(side.levels)) / len(side.codes)
    if np.ptp(shares) * len(side.codes) <= 1.5:
        return f"{len(shares)} levels of x, equally likely"
    return f"{len(shares)} levels of x as sampled, {shares.min():.2g} to {shares.max():.2g} each"
