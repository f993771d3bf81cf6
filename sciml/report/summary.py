"""The few statistics that figures show: errors, rank correlation, bins, ends of axes, and which points are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sciml.errors import DataError

__all__ = ["POINTS", "binned", "edges", "mae", "rmse", "span", "spearman", "thinned", "vector"]

POINTS = 20_000
Array = NDArray[np.float64]


def vector(name: str, field: str, values: ArrayLike, size: int | None = None) -> Array:
    """`values` flattened to float64 [n]; None becomes NaN."""
    try:
        numbers = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise DataError(f"figure {name!r}, {field}: not numbers ({error})") from error
    if size is not None and len(numbers) != size:
        raise DataError(f"figure {name!r}, {field}: {len(numbers)} values where {size} would be right")
    return numbers


def thinned(error: Array, columns: Mapping[str, Any]) -> tuple[list[int], list[str], Mapping[str, Any] | None]:
    """Of n points: the rows to draw (in order), notes, and all `columns` where some are not drawn.

    Up to `POINTS` all are drawn; of more, the largest |`error`| [n] (a twentieth of `POINTS`) and an even random part (fixed seed).
    """
    total = len(error)
    if total <= POINTS:
        return list(range(total)), [], None
    outliers = np.argsort(-np.abs(np.nan_to_num(error)), kind="stable")[: POINTS // 20]
    rest = np.setdiff1d(np.arange(total), outliers)
    chosen = np.random.default_rng(0).choice(rest, POINTS - len(outliers), replace=False)
    kept = np.sort(np.concatenate([outliers, chosen])).tolist()
    note = f"{POINTS:,} of {total:,} points drawn (a random part and the {len(outliers):,} largest errors); figures are of all of them."
    return kept, [note], columns


def span(a: Array, b: Array, logarithmic: bool = False) -> list[float]:
    """Ends of an axis that holds all finite values of both, with a margin; [0, 1] ([0.1, 1]) without any."""
    both = np.concatenate([a, b])
    both = both[np.isfinite(both)]
    if not len(both):
        return [0.1, 1.0] if logarithmic else [0.0, 1.0]
    low, high = float(both.min()), float(both.max())
    if logarithmic:
        return [low, high]
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return [low - margin, high + margin]


def edges(values: Array, bins: int | None) -> Array:
    """Edges [bins + 1] of equal bins over `values` [n]; None takes Freedman and Diaconis' width, between 5 and 60 bins."""
    if not len(values):
        return np.array([0.0, 1.0])
    if bins is None:
        quartiles = np.percentile(values, [25, 75])
        width = 2 * (quartiles[1] - quartiles[0]) * len(values) ** (-1 / 3)
        bins = int(np.clip(np.ptp(values) / width, 5, 60)) if width > 0 else 20
    return np.histogram_bin_edges(values, bins)


def binned(spread: Array, size: Array, count: int = 10) -> tuple[Array, Array]:
    """Rms of `spread` [n] and of `size` [n] in at most `count` bins of equally many points, ordered by spread; none has fewer than five."""
    count = min(count, len(spread) // 5)
    if count < 2:
        return np.empty(0), np.empty(0)
    parts = np.array_split(np.argsort(spread, kind="stable"), count)
    return np.array([rmse(spread[part]) for part in parts]), np.array([rmse(size[part]) for part in parts])


def rmse(error: Array) -> float:
    """sqrt(mean `error`^2) over the finite ones of [n]; NaN without any."""
    finite = error[np.isfinite(error)]
    return float(np.sqrt(np.mean(finite**2))) if len(finite) else math.nan


def mae(error: Array) -> float:
    """Mean |`error`| over the finite ones of [n]; NaN without any."""
    finite = error[np.isfinite(error)]
    return float(np.mean(np.abs(finite))) if len(finite) else math.nan


def spearman(a: Array, b: Array) -> float:
    """Pearson's correlation of the ranks (ties get their mean rank)."""
    if len(a) < 2:
        return math.nan
    ranks = [_ranks(values) - (len(values) + 1) / 2 for values in (a, b)]
    scale = math.sqrt(float(ranks[0] @ ranks[0]) * float(ranks[1] @ ranks[1]))
    return float(ranks[0] @ ranks[1]) / scale if scale > 0 else math.nan


def _ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)
