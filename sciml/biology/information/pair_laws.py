"""Laws of two continuous sides: Gaussian, Student, mixtures, two signs, uniform noise, exponential and Poisson."""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log, pi
from typing import ClassVar

import numpy as np

from sciml.biology.information.quadrature import chi_square_mean, integral

__all__ = ["Gaussian", "GaussianMixture", "PoissonOfExponential", "Student", "TwoSigns", "UniformNoise", "dense", "paired"]

_LN2 = log(2.0)


def paired(*correlations: float) -> np.ndarray:
    """Covariance [2d, 2d] of d pairs (x_i, y_i) with these correlations, all else independent."""
    r = np.diag(correlations)
    return np.block([[np.eye(len(r)), r], [r, np.eye(len(r))]])


def dense(n: int, correlation: float) -> np.ndarray:
    """Covariance [n, n] with the same correlation between all columns."""
    return np.full((n, n), correlation) + (1 - correlation) * np.eye(n)


def _log_normal_density(points: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """[n] natural logarithm of the density of N(0, covariance)."""
    factor = np.linalg.cholesky(covariance)
    scaled = np.linalg.solve(factor, points.T)
    return -0.5 * (scaled**2).sum(axis=0) - np.log(np.diag(factor)).sum() - 0.5 * len(covariance) * log(2 * pi)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """N(0, covariance [n_x + n_y, same]): I = log2(det S_x det S_y / det S) / 2."""

    truth: ClassVar[str] = "closed form"
    covariance: np.ndarray
    n_x: int

    def bits(self) -> float:
        """The closed form."""
        s, k = self.covariance, self.n_x
        return float(0.5 * (_logdet(s[:k, :k]) + _logdet(s[k:, k:]) - _logdet(s)) / _LN2)

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs."""
        both = generator.normal(size=(n, len(self.covariance))) @ np.linalg.cholesky(self.covariance).T
        return both[:, : self.n_x], both[:, self.n_x :]

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        s, k = self.covariance, self.n_x
        joint = _log_normal_density(np.hstack([x, y]), s)
        return (joint - _log_normal_density(x, s[:k, :k]) - _log_normal_density(y, s[k:, k:])) / _LN2


@dataclass(frozen=True, eq=False)
class Student:
    """Multivariate Student of `df` degrees of freedom: a Gaussian over a shared random scale, dependent even where uncorrelated."""

    truth: ClassVar[str] = "closed form"
    covariance: np.ndarray
    n_x: int
    df: float

    def bits(self) -> float:
        """h(X) + h(Y) - h(X, Y) of closed entropies: the Gaussian term, and one of the degrees of freedom alone."""
        k, d = self.n_x, len(self.covariance)
        return Gaussian(self.covariance, k).bits() + (self._entropy(k) + self._entropy(d - k) - self._entropy(d)) / _LN2

    def _entropy(self, d: int) -> float:
        """Nats of d columns with unit scale."""
        from scipy.special import digamma

        nu = self.df
        norm = d / 2 * log(nu * pi) + lgamma(nu / 2) - lgamma((nu + d) / 2)
        return float(norm + (nu + d) / 2 * (digamma((nu + d) / 2) - digamma(nu / 2)))

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs."""
        x, y = Gaussian(self.covariance, self.n_x).draw(generator, n)
        scale = np.sqrt(self.df / generator.chisquare(self.df, size=(n, 1)))
        return scale * x, scale * y

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        from scipy.stats import multivariate_t

        def log_density(points: np.ndarray, shape: np.ndarray) -> np.ndarray:
            return np.atleast_1d(multivariate_t.logpdf(points, shape=shape, df=self.df))

        s, k = self.covariance, self.n_x
        return (log_density(np.hstack([x, y]), s) - log_density(x, s[:k, :k]) - log_density(y, s[k:, k:])) / _LN2


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """1 + 1 dimensions: equal shares of N(means[k], [[sd^2, r_k sd^2], [r_k sd^2, sd^2]])."""

    truth: ClassVar[str] = "quadrature"
    means: np.ndarray
    correlations: np.ndarray
    sd: float

    def bits(self) -> float:
        """Quadrature over a square 9 sd beyond the means, to 1e-9 bit."""
        sides = [(float(column.min() - 9 * self.sd), float(column.max() + 9 * self.sd)) for column in self.means.T]
        return integral(lambda p: np.exp(self._joint(p)) * self.log_ratio(p[:, :1], p[:, 1:]), sides, 24)

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs."""
        k = generator.integers(len(self.means), size=n)
        r = self.correlations[k]
        x, noise = generator.normal(size=(2, n))
        both = self.means[k] + self.sd * np.stack([x, r * x + np.sqrt(1 - r * r) * noise], axis=1)
        return both[:, :1], both[:, 1:]

    def _joint(self, points: np.ndarray) -> np.ndarray:
        centred = points - self.means[:, None]
        parts = [_log_normal_density(p, self.sd**2 * dense(2, r)) for p, r in zip(centred, self.correlations, strict=True)]
        return np.logaddexp.reduce(parts, axis=0) - log(len(parts))

    def _margin(self, values: np.ndarray, side: int) -> np.ndarray:
        z = (values - self.means[:, side]) / self.sd
        return np.logaddexp.reduce(-0.5 * z * z, axis=1) - log(len(self.means) * self.sd * (2 * pi) ** 0.5)

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        return (self._joint(np.hstack([x, y])) - self._margin(x, 0) - self._margin(y, 1)) / _LN2


@dataclass(frozen=True, eq=False)
class TwoSigns:
    """Pairs of correlations +r in half of the rows and -r in the others: no correlation is left, and no Gaussian formula sees anything."""

    truth: ClassVar[str] = "Fourier integral"
    correlations: np.ndarray

    def bits(self) -> float:
        """I(X;Y | sign) - I(sign; X, Y), since the sign is independent of X and of Y alone.

        The log ratio of the signs is L = sum r A / (1 - r) - r B / (1 + r) under +, with A and B chi-squares: a mean over one dimension.
        """
        r = self.correlations[self.correlations != 0]
        seen = 1 - chi_square_mean(lambda values: np.logaddexp(0, -values) / _LN2, np.concatenate([r / (1 - r), -r / (1 + r)]))
        return Gaussian(paired(*self.correlations), len(self.correlations)).bits() - seen

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs."""
        x, y = Gaussian(paired(*self.correlations), len(self.correlations)).draw(generator, n)
        return x, y * generator.choice([-1.0, 1.0], size=(n, 1))

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        law = Gaussian(paired(*self.correlations), len(self.correlations))
        return np.logaddexp2(law.log_ratio(x, y), law.log_ratio(x, -y)) - 1


@dataclass(frozen=True)
class UniformNoise:
    """X uniform on [0, 1], Y = X + noise uniform on [-width, width], width <= 1/2: I = (width - ln(2 width)) / ln 2 (Czyz et al. 2023)."""

    truth: ClassVar[str] = "closed form"
    width: float

    def bits(self) -> float:
        """The closed form."""
        return (self.width - log(2 * self.width)) / _LN2

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs."""
        x = generator.random((n, 1))
        return x, x + self.width * (2 * generator.random((n, 1)) - 1)

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits: p(y | x) = 1 / (2 width) over p(y), a trapezium."""
        reach = (np.minimum(1, y + self.width) - np.maximum(0, y - self.width))[:, 0]
        return -np.log2(reach)


@dataclass(frozen=True)
class PoissonOfExponential:
    """X exponential of mean 1; Y is 0 with probability `zeros`, else Poisson of mean X (Gao et al., NeurIPS 2017, without zeros).

    Without zeros p(y) = 2^-(y + 1), and I = 2 ln 2 - gamma - sum_k ln(k) 2^-k nats.
    """

    truth: ClassVar[str] = "quadrature"
    zeros: float = 0.0

    def bits(self) -> float:
        """Sum over y of quadratures over x up to 60, to 1e-9 bit."""
        counts = np.arange(80.0)[None, :]

        def at(x: np.ndarray) -> np.ndarray:
            with np.errstate(divide="ignore"):
                log_p = self._log_conditional(x, counts)
            ratio = log_p - np.log(self._marginal(counts))
            return np.exp(-x[:, 0]) * (np.exp(log_p) * np.where(np.isfinite(ratio), ratio, 0.0)).sum(axis=1)

        return integral(at, [(0.0, 1e-6, 1e-3, 1.0, 60.0)], 20) / _LN2

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs."""
        x = generator.exponential(size=(n, 1))
        return x, generator.poisson(x) * (generator.random((n, 1)) >= self.zeros).astype(float)

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        return ((self._log_conditional(x, y) - np.log(self._marginal(y))) / _LN2)[:, 0]

    def _log_conditional(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        from scipy.special import gammaln, xlogy

        count = xlogy(y, x) - x - gammaln(y + 1)
        return np.logaddexp(np.log1p(-self.zeros) + count, np.where(y == 0, log(self.zeros) if self.zeros else -np.inf, -np.inf))

    def _marginal(self, y: np.ndarray) -> np.ndarray:
        return (1 - self.zeros) * 0.5 ** (y + 1) + self.zeros * (y == 0)


def _logdet(matrix: np.ndarray) -> float:
    return float(np.linalg.slogdet(matrix)[1])
