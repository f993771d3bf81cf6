"""Integrals over boxes by Gauss-Legendre panels, and the mean over a sum of chi-squares: truths of known laws to some ten digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

__all__ = ["chi_square_mean", "integral", "panels"]

_ORDER = 16


def panels(edges: Sequence[float], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights [k] of 16-point Gauss-Legendre on `count` equal panels between each two neighbours of `edges` (rising).

    An edge stands where an integrand has a kink or a step.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    cuts = np.concatenate([np.linspace(a, b, count + 1)[:-1] for a, b in pairwise(edges)] + [[edges[-1]]])
    half = np.diff(cuts) / 2
    middle = cuts[:-1] + half
    return (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()


def integral(integrand: Callable[[np.ndarray], np.ndarray], edges: Sequence[Sequence[float]], count: int) -> float:
    """Integral of `integrand` ([k, d] -> [k]) over the box of `edges`, one rising list a dimension, 1 or 2 of them."""
    grids = [panels(row, count) for row in edges]
    points = np.stack([axis.ravel() for axis in np.meshgrid(*(nodes for nodes, _ in grids), indexing="ij")], axis=1)
    weights = grids[0][1] if len(grids) == 1 else np.outer(grids[0][1], grids[1][1]).ravel()
    return float(weights @ integrand(points))


def chi_square_mean(of: Callable[[np.ndarray], np.ndarray], factors: np.ndarray) -> float:
    """Mean of `of`(L) for L = sum_j factors[j] C_j, C_j independent chi-squares of one degree of freedom (7 or more factors).

    The density of L is the Fourier transform of its characteristic function prod (1 - 2 i t factors[j])^(-1/2), by the trapezoidal rule on
    2^18 points; what is cut off falls as t^(1 - k/2) and is below 1e-7 for eight factors of order 1.
    """
    count, step = 2**18, 0.02
    t = step * np.arange(count)
    phi = np.prod((1 - 2j * np.multiply.outer(factors, t)) ** -0.5, axis=0)
    phi[0] /= 2
    density = 2 * np.real(np.fft.fft(phi)) * step / (2 * np.pi)
    spacing = 2 * np.pi / (count * step)
    places = spacing * np.fft.fftfreq(count, 1 / count)
    return float((density * of(places)).sum() * spacing)
