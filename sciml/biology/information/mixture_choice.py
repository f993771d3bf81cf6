"""How many components, and how heavy their tails: chosen by the likelihood of rows that were left out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sciml.biology.information.mixture import Mixture, fit_mixture, improve_mixture

__all__ = ["Fit", "chosen_fit"]

_FREEDOMS = (10.0, 5.0, 3.0, 2.0, 1.0)
_PARTS = (2, 3, 4, 6, 8, 12, 16, 24, 36)
_ROOMS = (0.0, 1.0)  # components as wide as all rows together, or each with its share of the volume (Fraley and Raftery 2007)
_FEW_COLUMNS = 4  # beyond, parts^(2 / d) is near 1
_FOLDS = 5
_MOST_ROWS = 5_000  # for the choice; the chosen mixture is fitted to all rows
_FOLD_STEPS = 30


@dataclass(frozen=True)
class Fit:
    """A mixture fitted to all rows, and what it says of them, nats a row.

    `points` [n, d] are the rows on the scale of the mixture (Student-t scores where its tails are heavy). `inside` [n]: log ratio of each
    row by the mixture that saw it; `outside` [n]: by one that did not; `likelihood` [n]: log density of left-out rows on the scale of
    the normal scores, comparable between fits. `prior` [d, d]: covariance of the row that was added to each component, that of all rows
    over parts^(2 room / d).
    """

    mixture: Mixture
    points: np.ndarray
    prior: np.ndarray
    room: float
    inside: np.ndarray
    outside: np.ndarray
    likelihood: np.ndarray

    @property
    def parts(self) -> int:
        """Number of components."""
        return len(self.mixture.weights)

    @property
    def gaussian(self) -> bool:
        """One Gaussian component: the closed formula holds."""
        return self.parts == 1 and math.isinf(self.mixture.freedom)


def chosen_fit(x: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> Fit:
    """The fit of (x, y), normal scores [n, dx] and [n, dy], under which left-out rows are likeliest.

    One Gaussian component unless the gain of another is above two standard errors; heavier tails as long as they gain, then more
    components, of Gaussians and of the heavy tails, wide and narrow ones, until two steps in a row gain nothing.
    """
    n, dx = len(x), x.shape[1]
    rows = slice(None) if n <= _MOST_ROWS else np.sort(generator.choice(n, _MOST_ROWS, replace=False))
    some = np.hstack([x, y])[rows]
    fold = generator.permutation(len(some)) % _FOLDS
    plain = best = tails = _fit(some, dx, 1, math.inf, 0.0, fold, generator)
    for freedom in _FREEDOMS:
        found = _fit(some, dx, 1, freedom, 0.0, fold, generator)
        if found.likelihood.mean() <= tails.likelihood.mean():
            break
        tails = found
    best = tails
    for freedom in {math.inf, tails.mixture.freedom}:
        for room in _ROOMS if some.shape[1] <= _FEW_COLUMNS else _ROOMS[:1]:
            best = max(best, _more_parts(some, dx, freedom, room, fold, generator), key=_mean_likelihood)
    gain = best.likelihood - plain.likelihood
    if gain.mean() <= 2 * gain.std() / math.sqrt(len(gain)):
        best = plain
    if len(some) == n:
        return best
    return _fit(np.hstack([x, y]), dx, best.parts, best.mixture.freedom, best.room, generator.permutation(n) % _FOLDS, generator)


def _more_parts(points: np.ndarray, dx: int, freedom: float, room: float, fold: np.ndarray, generator: np.random.Generator) -> Fit:
    tried: list[Fit] = []
    for parts in _PARTS:
        if parts * points.shape[1] ** 2 > 2 * len(points):
            break
        tried.append(_fit(points, dx, parts, freedom, room, fold, generator))
        if len(tried) > 2 and max(tried[:-2], key=_mean_likelihood) is max(tried, key=_mean_likelihood):
            break
    return max(tried, key=_mean_likelihood) if tried else _fit(points, dx, 1, freedom, room, fold, generator)


def _mean_likelihood(fit: Fit) -> float:
    return float(fit.likelihood.mean())


def _fit(scores: np.ndarray, dx: int, parts: int, freedom: float, room: float, fold: np.ndarray, generator: np.random.Generator) -> Fit:
    points, stretch = _heavier(scores, freedom)
    x, y = points[:, :dx], points[:, dx:]
    prior = np.cov(scores, rowvar=False) / parts ** (2 * room / scores.shape[1])
    mixture = fit_mixture(points, prior, parts, freedom, generator)
    outside, likelihood = np.empty(len(points)), np.empty(len(points))
    for k in range(_FOLDS):
        out = fold == k
        left = improve_mixture(points[~out], prior, mixture, _FOLD_STEPS)
        outside[out] = left.log_ratio(x[out], y[out])
        likelihood[out] = left.log_density(points[out])
    return Fit(mixture, points, prior, room, mixture.log_ratio(x, y), outside, likelihood + stretch)


def _heavier(scores: np.ndarray, freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Normal scores as scores of Student's t, and the log of what this stretches each row by."""
    from scipy.stats import norm, t

    if math.isinf(freedom):
        return scores, np.zeros(len(scores))
    points = t.ppf(norm.cdf(scores), freedom)
    return points, (norm.logpdf(scores) - t.logpdf(points, freedom)).sum(axis=1)
