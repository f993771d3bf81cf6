"""Random numbers of compiled loops against their laws: chi-square over cells of at least 20 expected, p > 1e-4 each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from scipy import stats

from sciml.biology.simulation.draws import begin_stream, binomial, exponential, normal, poisson, uniform

_N = 100_000
_LEAST_P = 1e-4


@numba.njit
def _poissons(n: int, mean: float, shift: float) -> Any:
    s = begin_stream(7, 0, 0)
    return np.array([poisson(s, mean) + shift for _ in range(n)])


@numba.njit
def _binomials(n: int, trials: float, p: float) -> Any:
    s = begin_stream(7, 1, 0)
    return np.array([binomial(s, trials, p) for _ in range(n)])


@numba.njit
def _reals(n: int) -> Any:
    s = begin_stream(7, 2, 0)
    found = np.empty((3, n))
    for i in range(n):
        found[0, i], found[1, i], found[2, i] = uniform(s), exponential(s), normal(s)
    return found


@numba.njit
def _first_words(seeds: Any, indices: Any, purposes: Any) -> Any:
    return np.array([begin_stream(seeds[i], indices[i], purposes[i])[0] for i in range(len(seeds))])


def _p_value(sample: np.ndarray, pmf: Callable[[np.ndarray], np.ndarray]) -> float:
    """Chi-square of whole numbers, cells joined from the left until each holds 20."""
    values = np.arange(sample.min(), sample.max() + 1)
    expected, observed = len(sample) * pmf(values), np.array([np.count_nonzero(sample == v) for v in values])
    cells, sums = [], [0.0, 0.0]
    for e, o in zip(expected, observed, strict=True):
        sums = [sums[0] + e, sums[1] + o]
        if sums[0] >= 20:
            cells.append(sums)
            sums = [0.0, 0.0]
    cells[-1][0] += len(sample) - sum(c[0] for c in cells)
    cells[-1][1] += sums[1]
    e, o = np.array(cells).T
    return float(stats.chi2.sf(((o - e) ** 2 / e).sum(), len(e) - 1))


@pytest.mark.parametrize("mean", [0.3, 4.0, 9.99, 10.0, 35.0, 1000.0])
def test_poisson_numbers(mean: float) -> None:
    assert _p_value(_poissons(_N, mean, 0.0), stats.poisson(mean).pmf) > _LEAST_P


def test_a_shifted_poisson_number_fails() -> None:
    assert _p_value(_poissons(_N, 35.3, 0.0), stats.poisson(35.0).pmf) < _LEAST_P


@pytest.mark.parametrize(("trials", "p"), [(1, 0.5), (10, 0.2), (25, 0.9), (60, 0.4), (1000, 0.02), (10_000, 0.97), (50_000, 0.5)])
def test_binomial_numbers(trials: float, p: float) -> None:
    assert _p_value(_binomials(_N, float(trials), p), stats.binom(trials, p).pmf) > _LEAST_P


def test_large_means_keep_their_moments() -> None:
    for mean in (1e6, 1e12):
        sample = _poissons(_N, mean, -mean)
        assert abs(sample.mean() / np.sqrt(mean / _N)) < 4.5
        assert abs(sample.var() / mean - 1) < 4.5 * np.sqrt(2 / _N)


def test_real_numbers() -> None:
    u, e, z = _reals(_N)
    assert 0 < u.min() and u.max() < 1
    for sample, law in ((u, "uniform"), (e, "expon"), (z, "norm")):
        assert stats.kstest(sample, law).pvalue > _LEAST_P


def test_streams_depend_on_all_64_bits_of_seed_index_and_purpose() -> None:
    seeds, indices, purposes = (np.array(a, dtype=np.uint64) for a in zip(*_KEYS, strict=True))
    assert len(set(_first_words(seeds, indices, purposes).tolist())) == len(_KEYS)


_KEYS = [(s, i, p) for s in (0, 1, 2**32, 2**63, 2**64 - 1) for i in (0, 1, 2**32, 2**40, 2**63) for p in (0, 1, 5)]
