"""Smooth functions of responses for a classifier of doses: splines of normal scores, point masses, products of columns, discriminants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["ResponseFeatures", "discriminants", "middle_scores", "response_features", "stretched"]

_PIECES, _PIECES_EACH = 20, 10  # of one column, of each of several
_MOST_COLUMNS = 4
_MOST_SLOPES = 300  # about so many numbers are fitted: features x doses
_EVEN = 0.2  # what a straight line costs beside its curvature
_ATOM = 0.02  # share of cells with one value that makes a point mass
_MOST_ATOMS = 4
_PRODUCT, _CUBIC = 2.0, 10.0


@dataclass(frozen=True)
class ResponseFeatures:
    """`values` [n, p], each of mean 0 and variance 1; `weights` [p] > 0: how much each is penalised, the rougher the more."""

    values: np.ndarray
    weights: np.ndarray


def response_features(responses: np.ndarray, doses: int) -> ResponseFeatures:
    """Features of [n, d] responses, d <= 4, no column constant; fewer the more doses there are to tell apart."""
    scores = 0.5 * (middle_scores(responses) + stretched(responses))
    d = scores.shape[1]
    pieces = _PIECES if d == 1 else _PIECES_EACH
    each = int(np.clip(_MOST_SLOPES // (doses * d), 3, pieces + 2))
    parts = [_spline(column, pieces, each) for column in scores.T] + [_atoms(column) for column in responses.T]
    z = scores / scores.std(axis=0)
    for a in range(d):
        for b in range(a):
            products = np.column_stack([z[:, a] * z[:, b], (z[:, a] ** 2 - 1) * z[:, b], (z[:, b] ** 2 - 1) * z[:, a]])
            parts.append(ResponseFeatures(products, _EVEN + np.array([_PRODUCT, _CUBIC, _CUBIC])))
    values = np.hstack([part.values for part in parts])
    values = values - values.mean(axis=0)
    spread = values.std(axis=0)
    told = spread > 1e-9
    return ResponseFeatures(values[:, told] / spread[told], np.concatenate([part.weights for part in parts])[told])


def middle_scores(values: np.ndarray) -> np.ndarray:
    """[n, d] -> [n, d]: Phi^-1((rank - 1/2) / n) of each column, equal values at the middle of their ranks."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    found: np.ndarray = ndtri((rankdata(values, axis=0) - 0.5) / len(values))
    return found


def stretched(values: np.ndarray) -> np.ndarray:
    """asinh of each column over its spread: ranks close the gaps between clusters, where a smooth function needs room to rise."""
    centred = values - np.median(values, axis=0)
    spread = np.subtract(*np.quantile(values, [0.75, 0.25], axis=0)) / 1.349
    found: np.ndarray = np.arcsinh(centred / np.where(spread > 0, spread, values.std(axis=0)))
    return found


def discriminants(responses: np.ndarray, codes: np.ndarray, folds: np.ndarray, *, curved: bool) -> np.ndarray:
    """[n, d] -> [n, <= 4]: linear discriminants of scores, where `curved` of their squares too (d <= 10: and products).

    Means and the covariance within doses are of the other folds, the covariance shrunk to its diagonal (Chen et al., IEEE Trans. Signal
    Process. 58 (2010) 5016, eq. 23). What is a function of the response alone carries no more than the response.
    """
    z = middle_scores(responses)
    if curved:
        pairs = np.triu_indices(z.shape[1], 1) if z.shape[1] <= 10 else (np.zeros(0, dtype=int), np.zeros(0, dtype=int))
        z = np.hstack([z, z * z, z[:, pairs[0]] * z[:, pairs[1]]])
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    reference = None
    found = np.empty((len(z), min(_MOST_COLUMNS, int(codes.max()), z.shape[1])))
    for fold in range(int(folds.max()) + 1):
        rest = folds != fold
        axes = _axes(z[rest], codes[rest], found.shape[1])
        reference = axes if reference is None else reference
        # Each fold's axes are turned to the first fold's, so that all folds say the same thing by the same column.
        left, _, right = np.linalg.svd(axes.T @ reference)
        found[~rest] = (z[~rest] - z[rest].mean(axis=0)) @ axes @ left @ right
    return found


def _axes(z: np.ndarray, codes: np.ndarray, most: int) -> np.ndarray:
    """[p, most]: directions of the largest variance between doses over that within."""
    n, p = z.shape
    counts = np.bincount(codes)
    present = counts > 0
    means = np.zeros((len(counts), p))
    np.add.at(means, codes, z)
    means[present] /= counts[present, None]
    within = z - means[codes]
    covariance = within.T @ within / n
    square = float((covariance**2).sum())
    trace2 = float(np.trace(covariance)) ** 2
    shrink = min(1.0, ((1 - 2 / p) * square + trace2) / ((n + 1 - 2 / p) * max(square - trace2 / p, 1e-300)))
    covariance = (1 - shrink) * covariance + shrink * np.diag(np.maximum(np.diag(covariance), 1e-6))
    values, vectors = np.linalg.eigh(covariance)
    white = vectors / np.sqrt(np.maximum(values, 1e-9 * values.max()))
    between = (np.sqrt(counts / n)[:, None] * (means - z.mean(axis=0))) @ white
    _, _, turned = np.linalg.svd(between, full_matrices=False)
    return np.asarray(white @ turned[:most].T)


def _spline(scores: np.ndarray, pieces: int, most: int) -> ResponseFeatures:
    """Cubic splines of one column in the order of their roughness (Demmler and Reinsch, Numer. Math. 24 (1975) 375)."""
    from scipy.interpolate import BSpline

    low, high = float(scores.min()), float(scores.max())
    inner = np.unique(np.quantile(scores, np.arange(1, pieces) / pieces))
    inner = inner[(inner > low + 1e-9) & (inner < high - 1e-9)]
    knots = np.concatenate([np.full(4, low), inner, np.full(4, high)])
    basis = np.asarray(BSpline.design_matrix(scores, knots, 3).toarray())
    basis -= basis.mean(axis=0)
    sites = np.array([knots[j + 1 : j + 4].mean() for j in range(basis.shape[1])])
    gaps = np.diff(sites)
    bend = np.zeros((len(gaps) - 1, len(sites)))
    at = np.arange(len(bend))
    bend[at, at], bend[at, at + 1], bend[at, at + 2] = 1 / gaps[:-1], -1 / gaps[:-1] - 1 / gaps[1:], 1 / gaps[1:]
    bend /= np.sqrt(0.5 * (gaps[:-1] + gaps[1:]))[:, None]
    values, vectors = np.linalg.eigh(basis.T @ basis / len(scores))
    free = values > 1e-8 * values.max()
    white = vectors[:, free] / np.sqrt(values[free])
    roughness, turned = np.linalg.eigh(white.T @ bend.T @ bend @ white)
    return ResponseFeatures((basis @ white @ turned)[:, :most], _EVEN + np.maximum(roughness[:most], 0.0))


def _atoms(column: np.ndarray) -> ResponseFeatures:
    """Truth values of the most frequent values of a column: drop-outs, saturation, small counts."""
    values, counts = np.unique(column, return_counts=True)
    frequent = np.argsort(-counts)[:_MOST_ATOMS]
    frequent = frequent[counts[frequent] >= max(_ATOM * len(column), 2)]
    return ResponseFeatures((column[:, None] == values[frequent]).astype(float), np.full(len(frequent), _EVEN))
