"""A density of both sides whose margins are known: mixtures of Gaussian or Student-t components, fitted by EM.

If (x, y) is a mixture of components with means (m_x, m_y) and scales with blocks C_xx, C_yy, so are x and y, with the same weights; so the
log ratio log q(x, y) / (q(x) q(y)) is closed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sciml.compiling import compiled

__all__ = ["Mixture", "fit_mixture", "improve_mixture"]

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
        arrays = (np.ascontiguousarray(a) for a in (points, self.weights, self.means, self.scales))
        found: np.ndarray = _expected(*arrays, self.freedom)[0]
        return found

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


def fit_mixture(points: np.ndarray, prior: np.ndarray, parts: int, freedom: float, generator: np.random.Generator) -> Mixture:
    """The likeliest mixture of `parts` components that some short runs of EM find; `points` [n, d].

    `prior` [d, d]: the covariance of the row that is added to each component, so that none collapses.
    """
    if parts == 1:
        return improve_mixture(points, prior, _from_labels(points, prior, np.zeros(len(points), dtype=int), 1, freedom))
    found = [_improved(points, prior, _start(points, prior, parts, freedom, generator, k), _SHORT) for k in range(_STARTS)]
    return improve_mixture(points, prior, max(found, key=lambda pair: pair[1])[0])


def improve_mixture(points: np.ndarray, prior: np.ndarray, mixture: Mixture, steps: int = _LONG) -> Mixture:
    """EM from a given mixture until the mean log likelihood gains less than 3e-5 nats a step."""
    return _improved(points, prior, mixture, steps)[0]


def _improved(points: np.ndarray, prior: np.ndarray, mixture: Mixture, steps: int) -> tuple[Mixture, float]:
    """The mixture after EM, and about the mean log likelihood that it reached."""
    weights, means, scales = mixture.weights.copy(), mixture.means.copy(), mixture.scales.copy()
    reached = _expect_maximize(np.ascontiguousarray(points), prior, weights, means, scales, mixture.freedom, steps)
    return Mixture(weights, means, scales, mixture.freedom), reached


def _start(points: np.ndarray, prior: np.ndarray, parts: int, freedom: float, generator: np.random.Generator, kind: int) -> Mixture:
    """Labels by the nearest of some rows in turn among the columns, among products of columns (components that differ in covariance
    alone), and at random."""
    n, d = points.shape
    if kind % 3 == 2:
        return _from_labels(points, prior, generator.permutation(n) % parts, parts, freedom)
    places = points
    if kind % 3 == 1:
        places = (points @ generator.normal(size=(d, 6 * d))) * (points @ generator.normal(size=(d, 6 * d)))
    seeds = places[generator.choice(n, parts, replace=False)]
    nearest: np.ndarray = np.argmin((seeds**2).sum(axis=1) - 2 * places @ seeds.T, axis=1)
    return _from_labels(points, prior, nearest, parts, freedom)


def _from_labels(points: np.ndarray, prior: np.ndarray, labels: np.ndarray, parts: int, freedom: float) -> Mixture:
    d = points.shape[1]
    shares = 0.9 * np.eye(parts)[labels] + 0.1 / parts
    weights, means, scales = np.empty(parts), np.zeros((parts, d)), np.empty((parts, d, d))
    _maximize(np.ascontiguousarray(points), prior, shares, np.full(shares.shape, float(d)), freedom, weights, means, scales)
    return Mixture(weights, means, scales, freedom)


@compiled()
def _expect_maximize(
    points: np.ndarray, prior: np.ndarray, weights: np.ndarray, means: np.ndarray, scales: np.ndarray, freedom: float, steps: int
) -> float:
    """EM in place; returns the mean log likelihood of a step or two before the last."""
    last = -np.inf
    for _ in range(steps):
        total, shares, squares = _expected(points, weights, means, scales, freedom)
        _maximize(points, prior, shares, squares, freedom, weights, means, scales)
        reached = total.mean()
        if reached - last < _TOLERANCE:
            break
        last = reached
    return last


@compiled()
def _expected(
    points: np.ndarray, weights: np.ndarray, means: np.ndarray, scales: np.ndarray, freedom: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[n] log density, [n, k] share of each component in a row, [n, k] squared distance in the component's own scale."""
    n, d = points.shape
    parts = len(weights)
    shares, squares, total = np.empty((n, parts)), np.empty((n, parts)), np.empty(n)
    heavy = np.isfinite(freedom)
    if heavy:
        constant = math.lgamma((freedom + d) / 2) - math.lgamma(freedom / 2) - d / 2 * math.log(freedom * math.pi)
    else:
        constant = -d / 2 * math.log(2 * math.pi)
    column, square, solved = np.empty(n), np.empty(n), np.empty((d, n))
    across = np.ascontiguousarray(points.T)
    for k in range(parts):
        root = np.linalg.cholesky(scales[k])
        own = constant + math.log(weights[k])
        square[:] = 0.0
        for a in range(d):  # whole columns at a time: vectors of the processor
            own -= math.log(root[a, a])
            column[:] = across[a] - means[k, a]
            for b in range(a):
                column -= root[a, b] * solved[b]
            column *= 1 / root[a, a]
            solved[a] = column
            square += column * column
        squares[:, k] = square
        if heavy:
            for i in range(n):
                shares[i, k] = own - (freedom + d) / 2 * math.log1p(square[i] / freedom)
        else:
            for i in range(n):
                shares[i, k] = own - square[i] / 2
    for i in range(n):
        largest = shares[i].max()
        mass = 0.0
        for k in range(parts):
            shares[i, k] = math.exp(shares[i, k] - largest)
            mass += shares[i, k]
        scale = 1 / mass
        for k in range(parts):
            shares[i, k] *= scale
        total[i] = largest + math.log(mass)
    return total, shares, squares


@compiled()
def _maximize(
    points: np.ndarray, prior: np.ndarray, shares: np.ndarray, squares: np.ndarray, freedom: float, weights: np.ndarray, means: np.ndarray,
    scales: np.ndarray,
) -> None:  # fmt: skip
    """M step, written to `weights`, `means`, `scales`; Student-t rows weigh (v + d) / (v + distance^2), divided by their sum (Kent, Tyler
    and Vardi 1994: converges faster)."""
    n, d = points.shape
    for k in range(len(weights)):
        weight, pulls, moved, spread = 1e-9, 1e-9, np.zeros(d), np.zeros((d, d))
        for i in range(n):
            share = shares[i, k]
            weight += share
            if np.isfinite(freedom):
                share *= (freedom + d) / (freedom + squares[i, k])
            pulls += share
            for a in range(d):
                apart = share * (points[i, a] - means[k, a])
                moved[a] += apart
                for b in range(a + 1):
                    spread[a, b] += apart * (points[i, b] - means[k, b])
        weights[k] = weight
        for a in range(d):
            for b in range(a + 1):
                # About the new mean, from moments about the old one.
                entry = (spread[a, b] - moved[a] * moved[b] / pulls + prior[a, b]) / (pulls + 1)
                scales[k, a, b] = entry
                scales[k, b, a] = entry
        means[k] += moved / pulls
    weights /= weights.sum()
