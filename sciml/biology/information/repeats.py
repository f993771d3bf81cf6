"""Rows that stand in a table more than once, told from ties of rounded or counted values: a table that was joined twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Repeats", "repeats"]

_CLEAR = 4.0  # standard errors
_FEW, _EACH = 64, 10


@dataclass(frozen=True)
class Repeats:
    """`copies`: how many rows are exact repeats of an earlier one, beyond what ties explain; row `again` is the first, of row `first`.

    `share`: of all rows, those that have a copy or are one.
    """

    copies: int
    share: float
    first: int
    again: int


def repeats(rows: np.ndarray, of_level: np.ndarray) -> Repeats | None:
    """Copies among `rows` [n, d] that are no ties, or None; `of_level` [n]: how many rows have the dose or name that the row has.

    How often a row stands in the table is, for ties, a Poisson number of a mean that is its own. So n_k, the number of rows that stand
    there k times, has n_k^2 <= (k + 1) / k n_(k-1) n_(k+1) in expectation (Cauchy and Schwarz), whatever the law of the values: rounding
    makes threes where it makes twos, and point masses (drop-outs) are few different rows. Rows joined k times make n_k without its
    neighbours; more than 4 standard errors beyond, they are copies. Of a dose of N cells the number is binomial: the
    bound is (N - k + 1) / (N - k) times as large, and doses whose cells are all alike are no evidence (sparse counts of few cells a dose).
    """
    _, start, place, times = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    if len(times) <= _FEW and len(rows) >= _EACH * len(times):  # few values, each many times: a table of counts
        return None
    n = np.bincount(times, minlength=4).astype(float)
    n = np.append(n, 0.0)
    joined = [k for k in np.unique(times[times > 1]) if _too_many(of_level[start[times == k]], k, n[k - 1] + 1, n[k + 1] + 1)]
    if not joined:
        return None
    copied = np.isin(times, joined)
    place = place.reshape(-1)
    later = np.flatnonzero(copied[place] & (start[place] != np.arange(len(rows))))
    again = int(later[0])
    return Repeats(len(later), float(times[copied].sum() / len(rows)), int(start[place[again]]), again)


def _too_many(of_level: np.ndarray, k: int, below: float, above: float) -> bool:
    """More rows stand there k times than neighbours allow, one more than were seen: none seen is not none expected."""
    larger = of_level[of_level > k]
    if not len(larger):
        return False
    level = larger.min()
    most = np.sqrt((k + 1) / k * (level - k + 1) / (level - k) * below * above)
    return bool(len(larger) - most > _CLEAR * np.sqrt(len(larger) + most**2 / 4 * (1 / below + 1 / above)))
