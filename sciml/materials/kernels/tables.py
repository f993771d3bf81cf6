"""Real spherical harmonics and their couplings as exact tables, computed here once (no e3nn at run time).

Convention `sciml-o3-1`, stored in every model file: polar axis y, components m = -l..l in the order of e3nn 0.6
((x, y, z) for l = 1), norm `component` (sum over m of Y_lm(u)^2 = 2l + 1 for a unit vector u), no Condon-Shortley phase.
Couplings are integrals of three harmonics over the sphere (Gaunt), scaled to Frobenius norm 1 for each (l1, l2, L); they exist for
l1 + l2 + L even only, so that a feature of degree l always has parity (-1)^l and energies are equal for mirror images.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

CONVENTION = "sciml-o3-1"
Polynomial = dict[tuple[int, int, int], float]  # exponents of (x, y, z) -> coefficient


class Couplings(NamedTuple):
    """Non-zero coefficients of the products (a b)_out, one entry each; all arrays have shape [entries]."""

    out: np.ndarray  # int64, component of the result
    left: np.ndarray  # int64, component of a
    right: np.ndarray  # int64, component of b
    path: np.ndarray  # int64, which (l1, l2, L) the entry belongs to
    coefficient: np.ndarray  # float64
    paths: tuple[tuple[int, int, int], ...]  # (l1, l2, L) by path number


def degrees(l_max: int) -> np.ndarray:
    """Degree l of every component, shape [(l_max + 1)^2]."""
    return np.repeat(np.arange(l_max + 1), 2 * np.arange(l_max + 1) + 1)


def _solid_harmonic(degree: int, order: int) -> Polynomial:
    """r^l Y_lm as a polynomial: Pi_l^|m|(polar, r^2) times the real (m >= 0) or imaginary part of (first + i second)^|m|."""
    m = abs(order)
    polynomial: Polynomial = {}
    for k in range((degree - m) // 2 + 1):
        outer = (-1) ** k * 2.0**-degree * math.comb(degree, k) * math.comb(2 * degree - 2 * k, degree)
        outer *= math.factorial(degree - 2 * k) / math.factorial(degree - 2 * k - m)
        for a, b in [(p, q) for p in range(k + 1) for q in range(k - p + 1)]:
            inner = math.factorial(k) / (math.factorial(a) * math.factorial(b) * math.factorial(k - a - b))
            for p in range(m + 1):
                phase = ((1, 0, -1, 0) if order >= 0 else (0, 1, 0, -1))[(m - p) % 4]
                exponents = (2 * b + m - p, degree - 2 * k - m + 2 * (k - a - b), 2 * a + p)  # (x, y, z), polar axis y
                polynomial[exponents] = polynomial.get(exponents, 0.0) + outer * inner * math.comb(m, p) * phase
    norm = math.sqrt((2 * degree + 1) * (1 if m == 0 else 2) * math.factorial(degree - m) / math.factorial(degree + m))
    return {key: value * norm for key, value in polynomial.items() if value}


def _double_factorial(n: int) -> int:
    return math.prod(range(n, 0, -2)) if n > 0 else 1


def _sphere_mean(exponents: tuple[int, ...]) -> float:
    """Mean of x^a y^b z^c over the unit sphere."""
    if any(e % 2 for e in exponents):
        return 0.0
    return math.prod(_double_factorial(e - 1) for e in exponents) / _double_factorial(sum(exponents) + 1)


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    product: Polynomial = {}
    for i, u in a.items():
        for j, v in b.items():
            key = (i[0] + j[0], i[1] + j[1], i[2] + j[2])
            product[key] = product.get(key, 0.0) + u * v
    return product


@lru_cache
def harmonic_polynomials(l_max: int) -> tuple[Polynomial, ...]:
    """The (l_max + 1)^2 solid harmonics r^l Y_lm(u) as polynomials of x, y, z."""
    return tuple(_solid_harmonic(degree, order) for degree in range(l_max + 1) for order in range(-degree, degree + 1))


@lru_cache
def gaunt(l_max: int) -> np.ndarray:
    """Mean over the sphere of Y_a Y_b Y_c, shape [(l_max + 1)^2] * 3."""
    rows = harmonic_polynomials(l_max)
    table = np.zeros((len(rows),) * 3)
    for i, a in enumerate(rows):
        for j, b in enumerate(rows[: i + 1]):
            product = _times(a, b)
            for k, c in enumerate(rows[: j + 1]):
                value = sum(v * _sphere_mean(key) for key, v in _times(product, c).items())
                for triple in {(i, j, k), (i, k, j), (j, i, k), (j, k, i), (k, i, j), (k, j, i)}:
                    table[triple] = value
    return table


@lru_cache
def couplings(l_max: int) -> Couplings:
    """All products of two features of degrees <= l_max into a third, each unordered pair of degrees once (the product is commutative)."""
    table = gaunt(l_max)
    entries: list[tuple[int, int, int, int, float]] = []
    paths: list[tuple[int, int, int]] = []
    for total in range(l_max + 1):
        for first in range(l_max + 1):
            for second in range(first, l_max + 1):
                if (first + second + total) % 2 or not second - first <= total <= first + second:
                    continue
                block = table[first**2 : (first + 1) ** 2, second**2 : (second + 1) ** 2, total**2 : (total + 1) ** 2]
                block = block / np.linalg.norm(block)
                for a, b, c in zip(*np.nonzero(np.abs(block) > 1e-12), strict=True):
                    entries.append((total**2 + c, first**2 + a, second**2 + b, len(paths), block[a, b, c]))
                paths.append((first, second, total))
    out, left, right, path, coefficient = (np.array(column) for column in zip(*entries, strict=True))
    return Couplings(out, left, right, path, coefficient, tuple(paths))
