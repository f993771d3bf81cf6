"""Transforms of one side alone, which leave the information as it is and bring the side close to a Gaussian."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from sciml.biology.information.components import independent_components
from sciml.biology.information.curves import along_curves
from sciml.biology.information.gaussian import gaussian_nats
from sciml.biology.information.samples import Pair
from sciml.biology.information.scores import normal_scores
from sciml.errors import DataError
from sciml.seeding import numpy_generator

__all__ = ["Transformed", "gaussianized"]

_NOISE = 1e-6  # of the spread of a column


@dataclass(frozen=True)
class Transformed:
    """A side after its transform: `values` [n, d], each column as nearly standard normal as may be; `words` name the transform; `ranked`:
    some column is known by its ranks alone."""

    values: np.ndarray
    words: str
    ranked: bool

    @property
    def columns(self) -> int:
        """How many."""
        return int(self.values.shape[1])


def gaussianized(pair: Pair, seed: int) -> tuple[Transformed, Transformed]:
    """Both sides, each by the transform that lets the Gaussian formula see most.

    Pairs of columns on a curve become the position along it. Then columns become normal scores, or the independent components do: these are
    taken where the formula gains more by them than it would by chance, four standard deviations of 1/2 log |S_x| |S_y| / |S| of independent
    sides. Columns that the others of their side give are left out, since they tell nothing more. Raises DataError where a side gives a
    column of the other, or its order: no finite number would be right.
    """
    generator = numpy_generator(seed, "transforms")
    choices = list(itertools.product(_options(pair.x.values, generator), _options(pair.y.values, generator)))
    seen = [gaussian_nats(x.values, y.values) for x, y in choices]
    plain = choices[0]
    chance = math.sqrt(2 * plain[0].values.shape[1] * plain[1].values.shape[1]) / (2 * len(pair))
    best = int(np.argmax(seen))
    x, y = choices[best] if seen[best] > seen[0] + 4 * chance else plain
    for first, second in ((x.values, y.values), (_ranked(pair.x.values), _ranked(pair.y.values))):
        if len(_spanning(np.hstack([first, second]))) < len(_spanning(first)) + len(_spanning(second)):
            raise DataError(
                f"{pair.x.name} and {pair.y.name}: in these {len(pair)} rows one gives a column of the other, or its order, without an "
                "exception, so their information cannot be told from infinite; expected more rows, noise in one of them, or levels "
                "(x_kind, y_kind='discrete')"
            )
    return x, y


def _options(values: np.ndarray, generator: np.random.Generator) -> list[Transformed]:
    straight, curves = along_curves(values)
    straight = straight[:, _spanning(_ranked(straight))]
    first = f"position along {curves} curve{'s' * (curves > 1)}, " if curves else ""
    found = [_scored(straight, f"{first}normal scores", generator)]
    parts = independent_components(straight, generator) if straight.shape[1] > 1 else None
    if parts is not None:
        found.append(_scored(parts, f"{first}normal scores of independent components", generator))
    return found


def _ranked(values: np.ndarray) -> np.ndarray:
    """Normal scores in which equal values stay equal."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri(rankdata(values, axis=0) / (len(values) + 1)))


def _spanning(values: np.ndarray) -> np.ndarray:
    """Indices of columns of `values` [n, d] that give the others as sums, to 1 part in 1e6 of their spread."""
    from scipy.linalg import qr

    centred = values - values.mean(axis=0)
    centred /= centred.std(axis=0)
    found, order = qr(centred, mode="r", pivoting=True)
    left = np.abs(np.diag(found))
    return np.sort(order[: len(left)][left > _NOISE * left[0]])


def _scored(values: np.ndarray, words: str, generator: np.random.Generator) -> Transformed:
    """Normal scores of columns that give the others; a column that is as straight against them as 99 of 100 normal samples stays as it is:
    ranks would add noise where x and y agree closely."""
    n = len(values)
    scores, ranked = normal_scores(values, generator), False
    for column in range(values.shape[1]):
        given = values[:, column]
        if 1 - np.corrcoef(given, scores[:, column])[0, 1] ** 2 < 0.7 * math.log(n) / n:
            scores[:, column] = (given - given.mean()) / given.std()
        else:
            ranked = True
    return Transformed(scores[:, _spanning(scores)], words, ranked)
