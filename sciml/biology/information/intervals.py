"""Intervals of estimates that must not be resampled with replacement: equal rows look like neighbours at distance 0.

Disjoint halves measure the spread of an estimator and what it gains with N; leaving out whole groups measures what differs between
replicates, days or donors. Each costs at most 20 fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sciml.biology.information.samples import Pair
from sciml.errors import ConfigError
from sciml.seeding import numpy_generator

__all__ = ["ONE_SIDED", "Groups", "Halves", "Z95", "disjoint_halves", "leave_groups_out"]

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
        half = _half(pair, generator)
        firsts.append(point(pair.take(np.flatnonzero(half)), seed + 2 * split + 1))
        seconds.append(point(pair.take(np.flatnonzero(~half)), seed + 2 * split + 2))
    one, two = np.array(firsts), np.array(seconds)
    means = 0.5 * (one + two)
    return Halves(float(means.mean()), float(np.sqrt(np.mean((one - two) ** 2) / 4)), float(means.std(ddof=1) / np.sqrt(len(means))))


def leave_groups_out(pair: Pair, point: Callable[[Pair, int], float], seed: int) -> Groups:
    """Leave out each group of `pair.groups`; more than 20 groups are joined into 20 blocks first.

    sd^2 = (g - 1) / g sum (I_(-k) - mean)^2, with Student's t of g - 1 degrees of freedom (Efron and Stein, Ann. Stat. 9 (1981) 586).
    """
    from scipy.stats import t

    if pair.groups is None:
        raise ConfigError("groups: none were given")
    number = int(pair.groups.max()) + 1
    block = numpy_generator(seed, "groups").permutation(number) % min(number, _MOST_FITS)
    blocks = block[pair.groups]
    values = np.array([point(pair.take(np.flatnonzero(blocks != k)), seed) for k in range(int(blocks.max()) + 1)])
    g = len(values)
    return Groups(float(np.sqrt((g - 1) / g * ((values - values.mean()) ** 2).sum())), float(t.ppf(0.975, g - 1)), g)


def _half(pair: Pair, generator: np.random.Generator) -> np.ndarray:
    """[n] truth values: a random half, within each level of the first discrete side; an odd row falls to either half."""
    n = len(pair)
    codes = next((side.codes for side in (pair.x, pair.y) if side.codes is not None), np.zeros(n, dtype=int))
    order = np.lexsort((generator.random(n), codes))
    place = np.empty(n, dtype=int)
    place[order] = np.arange(n)
    return np.asarray((place + generator.integers(2)) % 2 == 0)
