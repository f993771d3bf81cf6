"""Laws of doses or classes against a response: measured in one or two columns, along a path, or counted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np

from sciml.biology.information.quadrature import integral

__all__ = ["DoseNormals", "DosePaths", "DoseResponse", "Part", "Table", "poisson_table"]


@dataclass(frozen=True)
class Part:
    """A share of the responses at a dose: a family of scipy.stats with its numbers, or "atom" with the value that all of them have."""

    share: float
    family: str
    numbers: tuple[float, ...]


def _doses(generator: np.random.Generator, n: int, count: int) -> np.ndarray:
    """[n] codes of `count` doses, as equally many cells each as n allows, in random order."""
    return generator.permutation(np.arange(n) % count)


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """Equally many cells at each dose; `responses[k]` are the parts of the law at dose k, cut to `limits` (saturation) where given."""

    truth: ClassVar[str] = "quadrature"
    responses: tuple[tuple[Part, ...], ...]
    limits: tuple[float, float] | None = None

    def bits(self) -> float:
        """Sum over values that many cells have, and quadrature between the quantiles 1e-13 of all parts, to 1e-9 bit."""
        at = np.array(self._atoms)[:, None]
        found = sum(self._mean_ratio(k, at).sum() for k in range(len(self.responses)))
        edges = self._edges()
        for k in range(len(self.responses)):
            found += integral(partial(self._mean_ratio, k), [edges], 12)
        return float(found / len(self.responses))

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes of doses [n] and responses [n, 1]."""
        doses = _doses(generator, n, len(self.responses))
        y = np.empty(n)
        for k, parts in enumerate(self.responses):
            rows = np.flatnonzero(doses == k)
            part = generator.choice(len(parts), size=len(rows), p=[p.share for p in parts])
            for j, p in enumerate(parts):
                chosen = rows[part == j]
                y[chosen] = p.numbers[0] if p.family == "atom" else self._frozen(p).rvs(size=len(chosen), random_state=generator)
        return doses, (np.clip(y, *self.limits) if self.limits else y)[:, None]

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        given = self._given(y)
        return np.log2(given[x, np.arange(len(x))] / given.mean(axis=0))

    def _given(self, y: np.ndarray) -> np.ndarray:
        """[doses, n] probability of values that are atoms of any dose, density of others."""
        values = y[:, 0]
        is_atom = np.isin(values, self._atoms)
        return np.array([np.where(is_atom, self._mass(parts, values), self._density(parts, values)) for parts in self.responses])

    def _density(self, parts: tuple[Part, ...], y: np.ndarray) -> np.ndarray:
        return sum((p.share * self._frozen(p).pdf(y) for p in parts if p.family != "atom"), np.zeros(len(y)))

    def _mass(self, parts: tuple[Part, ...], y: np.ndarray) -> np.ndarray:
        found = sum((p.share * (y == p.numbers[0]) for p in parts if p.family == "atom"), np.zeros(len(y)))
        if self.limits:
            low, high = self.limits
            for p in parts:
                found = found + p.share * (self._frozen(p).cdf(low) * (y == low) + self._frozen(p).sf(high) * (y == high))
        return np.asarray(found)

    def _mean_ratio(self, k: int, y: np.ndarray) -> np.ndarray:
        """p(y | k) log2(p(y | k) / p(y)), 0 where dose k never gives y."""
        given = self._given(y)
        inside = given[k] > 0
        return np.where(inside, given[k] * np.log2(np.where(inside, given[k], 1) / np.where(inside, given.mean(axis=0), 1)), 0.0)

    @cached_property
    def _atoms(self) -> tuple[float, ...]:
        return tuple({p.numbers[0] for parts in self.responses for p in parts if p.family == "atom"} | set(self.limits or ()))

    def _edges(self) -> list[float]:
        quantiles = (1e-13, 1e-3, 0.5, 1 - 1e-3, 1 - 1e-13)
        found = np.unique([self._frozen(p).ppf(q) for parts in self.responses for p in parts if p.family != "atom" for q in quantiles])
        return [float(v) for v in (np.unique(np.clip(found, *self.limits)) if self.limits else found)]

    def _frozen(self, part: Part) -> Any:
        from scipy import stats

        return getattr(stats, part.family)(*part.numbers)


@dataclass(frozen=True, eq=False)
class DoseNormals:
    """Equally many cells at each dose; the response at dose k is N(means[k], covariances[k]) in two columns."""

    truth: ClassVar[str] = "quadrature"
    means: np.ndarray
    covariances: np.ndarray

    def bits(self) -> float:
        """Quadrature over a rectangle 8 sd beyond the means, to 1e-8 bit."""
        sd = np.sqrt(np.diagonal(self.covariances, axis1=1, axis2=2))
        edges = np.stack([(self.means - 8 * sd).min(axis=0), (self.means + 8 * sd).max(axis=0)], axis=1)

        def mean_ratio(y: np.ndarray) -> np.ndarray:
            given = self._log_given(y)
            ratio = given - np.logaddexp.reduce(given, axis=0) + np.log(len(given))
            return (np.exp(given) * ratio).mean(axis=0) / np.log(2)

        return integral(mean_ratio, edges.tolist(), 30)

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes of doses [n] and responses [n, 2]."""
        doses = _doses(generator, n, len(self.means))
        noise = np.einsum("nij,nj->ni", np.linalg.cholesky(self.covariances)[doses], generator.normal(size=(n, 2)))
        return doses, self.means[doses] + noise

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        given = self._log_given(y)
        return (given[x, np.arange(len(x))] - np.logaddexp.reduce(given, axis=0) + np.log(len(given))) / np.log(2)

    def _log_given(self, y: np.ndarray) -> np.ndarray:
        """[doses, n] natural logarithms of the densities."""
        apart = y - self.means[:, None]
        square = np.einsum("kni,kij,knj->kn", apart, np.linalg.inv(self.covariances), apart)
        return -0.5 * square - 0.5 * np.linalg.slogdet(2 * np.pi * self.covariances)[1][:, None]


@dataclass(frozen=True, eq=False)
class DosePaths:
    """Equally many cells at each dose, measured at several times: heights[k] * shape + noise of covariance [T, T], alike for all doses.

    y' S^-1 shape is sufficient, so the information is that of one column: N(heights[k] d, 1) with d^2 = shape' S^-1 shape.
    """

    truth: ClassVar[str] = "quadrature"
    heights: tuple[float, ...]
    shape: np.ndarray
    covariance: np.ndarray

    def bits(self) -> float:
        """Quadrature in that column, to 1e-9 bit."""
        d = float(np.sqrt(self.shape @ np.linalg.solve(self.covariance, self.shape)))
        return DoseResponse(tuple((Part(1.0, "norm", (height * d, 1.0)),) for height in self.heights)).bits()

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes of doses [n] and paths [n, T]."""
        doses = _doses(generator, n, len(self.heights))
        noise = generator.normal(size=(n, len(self.shape))) @ np.linalg.cholesky(self.covariance).T
        return doses, np.array(self.heights)[doses, None] * self.shape + noise

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits, from the densities of whole paths."""
        apart = y - np.multiply.outer(self.heights, self.shape)[:, None]
        given = -0.5 * np.einsum("kni,ij,knj->kn", apart, np.linalg.inv(self.covariance), apart)
        return (given[x, np.arange(len(x))] - np.logaddexp.reduce(given, axis=0) + np.log(len(given))) / np.log(2)


@dataclass(frozen=True, eq=False)
class Table:
    """Classes against classes: joint probabilities p [n_x, n_y]; sides are codes from 0. `balanced`: as many rows in each class of x."""

    truth: ClassVar[str] = "sum"
    p: np.ndarray
    balanced: bool = False

    def bits(self) -> float:
        """The sum over the table."""
        seen = self.p > 0
        return float((self.p[seen] * np.log2((self.p / np.outer(self.p.sum(axis=1), self.p.sum(axis=0)))[seen])).sum())

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes [n] and [n]."""
        p_x = self.p.sum(axis=1)
        x = _doses(generator, n, len(p_x)) if self.balanced else generator.choice(len(p_x), size=n, p=p_x)
        below = np.cumsum(self.p / p_x[:, None], axis=1)[x]
        return x, np.minimum((generator.random((n, 1)) > below).sum(axis=1), self.p.shape[1] - 1)

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] bits."""
        return np.log2(self.p[x, y] / (self.p.sum(axis=1)[x] * self.p.sum(axis=0)[y]))


def poisson_table(means: tuple[float, ...]) -> Table:
    """Equally likely doses against Poisson counts; what lies 9 standard deviations and 20 counts beyond the mean is left out."""
    from scipy.special import gammaln, xlogy

    counts, mean = np.arange(int(max(means) + 9 * np.sqrt(max(means)) + 20)), np.array(means)[:, None]
    p = np.exp(xlogy(counts, mean) - mean - gammaln(counts + 1))
    return Table(p / p.sum(axis=1, keepdims=True) / len(means), balanced=True)
