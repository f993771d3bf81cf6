"""A density of both sides whose margins are known: mixtures of Gaussian or Student-t components, fitted by EM.

If (x, y) is a mixture of components with means (m_x, m_y) and scales with blocks C_xx, C_yy, so are x and y, with the same weights; so the
log ratio log q(x, y) / (q(x) q(y)) is closed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["Mixture", "fit_mixture", "improve_mixture"]

_PRIOR = 1.0  # rows of unit covariance added to each component
_SHORT, _LONG, _STARTS = 12, 150, 6
_TOLERANCE = 3e-5


@dataclass(frozen=True)
class Mixture:
    """`weights` [k], `means` [k, d], `scales` [k, d, d]; `freedom`: degrees of freedom of Student-t components, inf for Gaussian ones."""

    weights: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    freedom: float = math.inf

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """[n] log q of the rows of `points` [n, d], nats."""
        return _log_sum(self._log_parts(points)[0])

    def side(self, columns: slice) -> Mixture:
        """The law of some of the columns."""
        return Mixture(self.weights, self.means[:, columns], self.scales[:, columns, columns], self.freedom)

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] log q(x, y) / (q(x) q(y)), nats; x [n, dx], y [n, dy] are the first and the last columns."""
        dx = x.shape[1]
        return self.log_density(np.hstack([x, y])) - self.side(slice(0, dx)).log_density(x) - self.side(slice(dx, None)).log_density(y)

    def draw(self, n: int, generator: np.random.Generator) -> np.ndarray:
        """[n, d] rows of the law."""
        part = generator.choice(len(self.weights), size=n, p=self.weights)
        noise = generator.normal(size=(n, self.means.shape[1]))
        if math.isfinite(self.freedom):
            noise *= np.sqrt(self.freedom / generator.chisquare(self.freedom, size=(n, 1)))
        return np.asarray(self.means[part] + np.einsum("nij,nj->ni", np.linalg.cholesky(self.scales)[part], noise))

    def _log_parts(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[n, k] log weight x density, and squared distances in the components' own scales."""
        from scipy.linalg import solve_triangular
        from scipy.special import gammaln

        n, d = points.shape
        parts, squares = np.empty((n, len(self.weights))), np.empty((n, len(self.weights)))
        for k, (weight, mean, scale) in enumerate(zip(self.weights, self.means, self.scales, strict=True)):
            root = np.linalg.cholesky(scale)
            squares[:, k] = (solve_triangular(root, (points - mean).T, lower=True, check_finite=False) ** 2).sum(axis=0)
            parts[:, k] = math.log(weight) - np.log(np.diag(root)).sum()
        if math.isinf(self.freedom):
            return parts - squares / 2 - d / 2 * math.log(2 * math.pi), squares
        v = self.freedom
        constant = gammaln((v + d) / 2) - gammaln(v / 2) - d / 2 * math.log(v * math.pi)
        return parts + constant - (v + d) / 2 * np.log1p(squares / v), squares


def fit_mixture(points: np.ndarray, parts: int, freedom: float, generator: np.random.Generator) -> Mixture:
    """The likeliest mixture of `parts` components that some short runs of EM find; `points` [n, d] of about unit scale."""
    if parts == 1:
        return improve_mixture(points, _from_labels(points, np.zeros(len(points), dtype=int), 1, freedom))
    found = [_expect_maximize(points, _start(points, parts, freedom, generator, k), _SHORT) for k in range(_STARTS)]
    return improve_mixture(points, max(found, key=lambda pair: pair[1])[0])


def improve_mixture(points: np.ndarray, mixture: Mixture, steps: int = _LONG) -> Mixture:
    """EM from a given mixture until the mean log likelihood gains less than 3e-5 nats a step."""
    return _expect_maximize(points, mixture, steps)[0]


def _expect_maximize(points: np.ndarray, mixture: Mixture, steps: int) -> tuple[Mixture, float]:
    last = -math.inf
    for _ in range(steps):
        logs, squares = mixture._log_parts(points)
        total = _log_sum(logs)
        shares = np.exp(logs - total[:, None])
        mixture = _maximized(points, shares, squares, mixture.freedom)
        reached = float(total.mean())
        if reached - last < _TOLERANCE:
            break
        last = reached
    return mixture, last


def _maximized(points: np.ndarray, shares: np.ndarray, squares: np.ndarray, freedom: float) -> Mixture:
    """M step; Student-t rows weigh (v + d) / (v + distance^2), divided by their sum (Kent, Tyler and Vardi 1994: converges faster)."""
    d = points.shape[1]
    pull = shares if math.isinf(freedom) else shares * (freedom + d) / (freedom + squares)
    weights, pulls = shares.sum(axis=0) + 1e-9, pull.sum(axis=0) + 1e-9
    means = pull.T @ points / pulls[:, None]
    scales = np.empty((shares.shape[1], d, d))
    for k in range(shares.shape[1]):
        apart = points - means[k]
        scales[k] = ((apart * pull[:, k : k + 1]).T @ apart + _PRIOR * np.eye(d)) / (pulls[k] + _PRIOR)
    return Mixture(weights / weights.sum(), means, scales, freedom)


def _start(points: np.ndarray, parts: int, freedom: float, generator: np.random.Generator, kind: int) -> Mixture:
    """Labels by the nearest of some rows in turn among the columns, among products of columns (components that differ in covariance
    alone), and at random."""
    n, d = points.shape
    if kind % 3 == 2:
        return _from_labels(points, generator.permutation(n) % parts, parts, freedom)
    places = points
    if kind % 3 == 1:
        places = (points @ generator.normal(size=(d, 6 * d))) * (points @ generator.normal(size=(d, 6 * d)))
    seeds = places[generator.choice(n, parts, replace=False)]
    nearest: np.ndarray = np.argmin((seeds**2).sum(axis=1) - 2 * places @ seeds.T, axis=1)
    return _from_labels(points, nearest, parts, freedom)


def _from_labels(points: np.ndarray, labels: np.ndarray, parts: int, freedom: float) -> Mixture:
    shares = 0.9 * np.eye(parts)[labels] + 0.1 / parts
    return _maximized(points, shares, np.full(shares.shape, float(points.shape[1])), freedom)


def _log_sum(logs: np.ndarray) -> np.ndarray:
    largest = logs.max(axis=1)
    return np.asarray(largest + np.log(np.exp(logs - largest[:, None]).sum(axis=1)))
