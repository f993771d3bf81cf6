"""Information between two discrete sides, from the table of their counts: the jackknife, less its bias in tables like this one.

The plug-in estimate is high by about (k_x - 1)(k_y - 1) / (2 N) nats, the jackknife by less, but by much where cells hold few counts. The
law of density ratios is fitted to the table (`ratio_law`), tables of known information are drawn from it, and what the jackknife gets wrong
there is taken off. For independent sides the fitted ratios are all 1, and next to nothing is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from sciml.biology.information.intervals import Z95
from sciml.biology.information.ratio_law import ratio_law
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.seeding import numpy_generator

__all__ = ["Discrete", "counted", "information_from_counts", "moments"]

Array = np.ndarray
_BIT = math.log(2)
_TABLES, _FEWEST, _CELLS = 60, 16, 2_000_000  # drawn tables: as many as hold so many cells together


@dataclass(frozen=True)
class Discrete:
    """The jackknife on the table of counts, less its simulated bias."""

    name: str = "discrete"

    def refuses(self, pair: Pair) -> str:
        """It takes levels on both sides."""
        return "" if pair.x.discrete and pair.y.discrete else "it takes two discrete sides; x_kind='discrete' takes numbers as levels"

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        return information_from_counts(counted(pair), seed).bits

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits with a two-sided interval."""
        return information_from_counts(counted(pair), seed)


def counted(pair: Pair) -> Array:
    """The table of counts [levels of x, levels of y]."""
    x, y = pair.x.codes, pair.y.codes
    if x is None or y is None:
        raise ValueError("a side is not discrete")
    table = np.zeros((int(x.max()) + 1, int(y.max()) + 1), dtype=np.int64)
    np.add.at(table, (x, y), 1)
    return table


def information_from_counts(counts: Array, seed: int = 0) -> Estimate:
    """I(X;Y) in bits with a 95 % interval from `counts` [kx, ky]; rows and columns of zeros count for nothing.

    Where all rows (or columns) hold equally many counts, their law is taken as set by design, not by chance.
    Interval: Wilson's, (I - I_0)^2 = z^2 (k I / N + s), k I the variance of the log ratio and s what the drawn tables vary beyond it or, if
    more, that of chi-squared; moved by half of the bias that was taken off to either side.
    """
    table = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    if min(table.shape) < 2:
        return Estimate(0.0, 0.0, 0.0, 0.0, Discrete.name, "exact: a side is constant")
    if np.ptp(table.sum(0)) <= 1 < np.ptp(table.sum(1)):
        table = table.T
    n, designed = int(table.sum()), bool(np.ptp(table.sum(1)) <= 1)
    plug_in, variance = moments(table / n, designed)
    first = _jackknife(table)
    errors, spreads, grown = _drawn(table, designed, seed)
    bias = float(errors.mean())
    nats = first - bias
    gained = abs(plug_in - nats)
    slope = max(variance - grown, 0.0) / nats if nats > gained else 2.0  # near independence the variance is 2 I
    rest = max(gained / n, float(errors.var(ddof=1)) - spreads / n)
    low, high = _wilson(nats - 0.5 * abs(bias), slope / n, rest, -1), _wilson(nats + 0.5 * abs(bias), slope / n, rest, 1)
    high = max(high, 0.0)  # a table more even than chance makes it (all combinations equally often) says no more than "nothing"
    error = math.sqrt(slope * max(nats, 0.0) / n + rest)
    notes = [f"plug-in {plug_in / _BIT:.4f} bit, jackknife {first / _BIT:.4f} bit, its bias {bias / _BIT:+.4f} bit"]
    if abs(bias) > error:
        half = f"half of the bias that was taken off, {0.5 * abs(bias) / _BIT:.3f} bit, is in the interval on either side"
        notes.append(f"undersampled: {n:,} pairs for {table.size:,} cells; {half}")
    if designed:
        notes.append(f"{len(table)} levels equally often: taken as set by design")
    return Estimate(
        nats / _BIT, error / _BIT, low / _BIT, high / _BIT, Discrete.name, "Wilson's, with variances from tables like this one",
        "jackknife, less its bias in tables drawn from the fitted law of density ratios", tuple(notes),
    )  # fmt: skip


def moments(p: Array, designed: bool = False) -> tuple[float, float]:
    """I (nats) of the law p [kx, ky] and the variance of its log ratio; within rows where the law of rows is set by design."""
    rows = p.sum(1, keepdims=True)
    product = rows * p.sum(0)
    ratio = np.log(np.where(p > 0, p, 1.0) / np.where(p > 0, product, 1.0))
    mean, square = (p * ratio).sum(1), float((p * ratio**2).sum())
    information = float(mean.sum())
    taken = float((mean**2 / np.maximum(rows[:, 0], 1e-300)).sum()) if designed else information**2
    return information, max(square - taken, 0.0)


def _jackknife(table: Array) -> float:
    n = int(table.sum())
    return _jackknifed(table.sum(1), n) + _jackknifed(table.sum(0), n) - _jackknifed(table.ravel(), n)


def _jackknifed(counts: Array, n: int) -> float:
    """Entropy (nats): n H - (n - 1) / n sum_i H without pair i (Zahl, Ecology 58 (1977) 907)."""
    k = counts[counts > 0].astype(float)
    own = xlogy(k, k)
    total = float(own.sum())
    without = n * math.log(n - 1) - (n * total - float((k * (own - xlogy(k - 1, k - 1))).sum())) / (n - 1)
    return n * math.log(n) - total - (n - 1) / n * without


def _drawn(table: Array, designed: bool, seed: int) -> tuple[Array, float, float]:
    """Of tables like this one: errors of the jackknife, the mean variance of their log ratio, and by how much counts overstate that."""
    generator = numpy_generator(seed, "tables")
    n, rows = int(table.sum()), table.sum(1)
    number = int(np.clip(_CELLS // table.size, _FEWEST, _TABLES))
    errors, spreads, grown = [], [], []
    for p in ratio_law(table).tables(generator, number):
        if designed:
            p = p / p.sum(1, keepdims=True)
            drawn = generator.multinomial(rows, p)
            p = p * (rows / n)[:, None]
        else:
            drawn = generator.multinomial(n, p.ravel()).reshape(p.shape)
        information, spread = moments(p, designed)
        errors.append(_jackknife(drawn) - information)
        spreads.append(spread)
        grown.append(moments(drawn / n, designed)[1] - spread)
    return np.array(errors), float(np.mean(spreads)), float(np.mean(grown))


def _wilson(at: float, slope: float, rest: float, side: int) -> float:
    """I with I - side * z sqrt(slope max(I, 0) + rest) = at."""
    middle = at + 0.5 * Z95**2 * slope
    apart = middle**2 - (at**2 - Z95**2 * rest)
    found = middle + side * math.sqrt(max(apart, 0.0))
    return found if found >= 0 else at + side * Z95 * math.sqrt(rest)
