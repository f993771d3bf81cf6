"""Intervals of estimates that must not be resampled with replacement: equal rows look like neighbours at distance 0.

Disjoint halves measure the spread of an estimator and what it gains with N; leaving out whole groups measures what differs between
replicates, days or donors. Each costs at most 20 fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.errors import ConfigError, DataError
from sciml.seeding import numpy_generator

__all__ = ["ONE_SIDED", "Groups", "Halves", "Z95", "check_levels", "disjoint_halves", "leave_groups_out", "over_groups", "random_half"]

Z95 = 1.959963984540054
ONE_SIDED = 1.6448536269514722
_MOST_FITS = 20


@dataclass(frozen=True)
class Halves:
    """Of `splits` random divisions into two halves: `mean` of the estimate at N / 2, `standard_error` of the estimate at N."""

    mean: float
    standard_error: float
    mean_error: float


@dataclass(frozen=True)
class Groups:
    """Of an estimate with each group left out in turn: its jackknife standard error and the quantile of Student's t that goes with it."""

    standard_error: float
    quantile: float
    groups: int


def disjoint_halves(pair: Pair, point: Callable[[Pair, int], float], seed: int, splits: int = 10) -> Halves:
    """Fit both halves of `splits` random divisions, made within each level of a discrete side.

    The halves are independent, so sd^2(N) = mean (I_1 - I_2)^2 / 4 where the variance falls as 1 / N. `mean_error`: standard error of
    `mean` from the divisions alone (they share the data).
    """
    generator = numpy_generator(seed, "halves")
    firsts, seconds = [], []
    for split in range(min(splits, _MOST_FITS // 2)):
        half = random_half(pair, generator)
        firsts.append(point(pair.take(np.flatnonzero(half)), seed + 2 * split + 1))
        seconds.append(point(pair.take(np.flatnonzero(~half)), seed + 2 * split + 2))
    one, two = np.array(firsts), np.array(seconds)
    means = 0.5 * (one + two)
    return Halves(float(means.mean()), float(np.sqrt(np.mean((one - two) ** 2) / 4)), float(means.std(ddof=1) / np.sqrt(len(means))))


def leave_groups_out(pair: Pair, point: Callable[[Pair, int], float], seed: int) -> Groups:
    """Leave out each group of `pair.groups`; more than 20 groups are joined into 20 blocks first.

    sd^2 = (g - 1) / g sum (I_(-k) - mean)^2, with Student's t of g - 1 degrees of freedom (Efron and Stein, Ann. Stat. 9 (1981) 586).
    Raises DataError where a group holds all cells of a level.
    """
    from scipy.stats import t

    if pair.groups is None:
        raise ConfigError("groups: none were given")
    number = int(pair.groups.max()) + 1
    block = numpy_generator(seed, "groups").permutation(number) % min(number, _MOST_FITS)
    blocks = block[pair.groups]
    check_levels(pair, blocks)
    values = np.array([point(pair.take(np.flatnonzero(blocks != k)), seed) for k in range(int(blocks.max()) + 1)])
    g = len(values)
    return Groups(float(np.sqrt((g - 1) / g * ((values - values.mean()) ** 2).sum())), float(t.ppf(0.975, g - 1)), g)


def over_groups(pair: Pair, point: Callable[[Pair, int], float], found: Estimate, seed: int) -> Estimate:
    """`found` with the interval that leaving out whole groups gives, never narrower than its own."""
    over = leave_groups_out(pair, point, seed)
    within = (found.high - found.low) / (2 * Z95) if math.isfinite(found.high) else (found.bits - found.low) / ONE_SIDED
    error = max(over.standard_error, within)  # a few groups may agree by chance: never below what the cells alone leave open
    notes = (*found.notes, f"interval from leaving out each of {over.groups} groups")
    if over.groups < 6:
        notes = (*notes, f"only {over.groups} groups: the interval is itself uncertain")
    high = found.bits + over.quantile * error if math.isfinite(found.high) else math.inf
    words = f"leave-one-group-out jackknife, {over.groups} groups, Student's t"
    return replace(found, standard_error=error, low=found.bits - over.quantile * error, high=high, interval=words, notes=notes)


def check_levels(pair: Pair, blocks: np.ndarray) -> None:
    """DataError where a level stands in one block [n] alone: it would be lost with it, and what differs between replicates is not known."""
    for side in (pair.x, pair.y):
        for code, level in enumerate(side.levels):
            held = np.unique(blocks[side.codes == code])
            if len(held) == 1:
                raise DataError(
                    f"groups: all cells of {side.name} = {level!r} are in one group (or block), so leaving it out would leave out "
                    "the level; expected every level in two groups or more, or groups=None for an interval that holds within these groups"
                )


def random_half(pair: Pair, generator: np.random.Generator) -> np.ndarray:
    """[n] truth values: a random half, within each level of the first discrete side; an odd row falls to either half."""
    n = len(pair)
    codes = next((side.codes for side in (pair.x, pair.y) if side.codes is not None), np.zeros(n, dtype=int))
    order = np.lexsort((generator.random(n), codes))
    place = np.empty(n, dtype=int)
    place[order] = np.arange(n)
    return np.asarray((place + generator.integers(2)) % 2 == 0)
