"""The law of density ratios p(x,y) / (p(x) p(y)) over the cells of a table of counts, by maximum likelihood, and tables drawn from it.

Counts are taken as Poisson, k ~ Poisson(e v) with e = n_x n_y / n and v ~ G. The G of maximum likelihood (Kiefer and Wolfowitz, Ann. Math.
Stat. 27 (1956) 887) sits on one point, v = 1, for independent sides and on as many as the data show otherwise, however few the counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

__all__ = ["RatioLaw", "ratio_law"]

Array = np.ndarray
_STEP = 1.2  # between neighbouring ratios on the grid
_LEAST = 0.03
_BIN = 0.03  # expected counts that agree to 3 % share a row of likelihoods
_MOST_STEPS, _STILL = 1500, 1e-7


@dataclass(frozen=True)
class RatioLaw:
    """`ratios` [g] with what each cell's count says of them: `posterior` [r, g], cell i of `expected` [kx, ky] in row `row` [kx * ky]."""

    ratios: Array
    posterior: Array
    row: Array
    expected: Array

    def tables(self, generator: np.random.Generator, number: int) -> Iterator[Array]:
        """Laws p(x,y) [kx, ky]: each cell's ratio drawn from what its count says."""
        grid = len(self.ratios)
        cumulated = (self.posterior.cumsum(axis=1) + np.arange(len(self.posterior))[:, None]).ravel()
        for _ in range(number):
            drawn = np.searchsorted(cumulated, self.row + generator.random(len(self.row))) - grid * self.row
            p = self.expected * self.ratios[np.clip(drawn, 0, grid - 1)].reshape(self.expected.shape)
            yield p / p.sum()


def ratio_law(counts: Array) -> RatioLaw:
    """Fit the law to `counts` [kx, ky], no row or column of which is empty, by expectation and maximisation."""
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    bins = np.rint(np.log(expected) / _BIN).astype(int)
    kinds = np.stack([(bins - bins.min()).ravel(), counts.ravel()], axis=1)
    kinds, row, cells = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
    row = row.reshape(-1)
    e, k = np.bincount(row, weights=expected.ravel()) / cells, kinds[:, 1].astype(float)
    top = max(3.0, _STEP * float((counts / expected).max()))
    steps = np.arange(-np.ceil(np.log(1 / _LEAST) / np.log(_STEP)), np.ceil(np.log(top) / np.log(_STEP)) + 1)
    ratios = np.append(0.0, _STEP**steps)
    x = e[:, None] * ratios
    with np.errstate(divide="ignore"):
        logs = xlogy(k[:, None], x) - x
    likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))
    return RatioLaw(ratios, _posterior(likelihood, cells / cells.sum()), row, expected)


def _posterior(likelihood: Array, weights: Array) -> Array:
    prior = np.full(likelihood.shape[1], 1.0 / likelihood.shape[1])
    for _ in range(_MOST_STEPS):
        old = prior
        prior = prior * ((weights / (likelihood @ prior)) @ likelihood)
        if np.abs(prior - old).max() < _STILL:
            break
    joint = likelihood * prior
    posterior: Array = joint / joint.sum(axis=1, keepdims=True)
    return posterior
