"""Ranks of columns as normal scores: the same information on one scale, without ties."""

from __future__ import annotations

import numpy as np

__all__ = ["normal_scores"]


def normal_scores(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """[n, d] -> [n, d]: Phi^-1((rank - 1/2) / n) of each column, equal values in random order.

    Information stays what it is: a value can be read from its score, and the order among equals is noise that knows nothing of the other
    side. So point masses (drop-outs, saturation, counts) become densities, whatever the offset and the scale.
    """
    from scipy.special import ndtri

    n = len(values)
    grid = ndtri((np.arange(n) + 0.5) / n)
    scores = np.empty(values.shape)
    for column in range(values.shape[1]):
        scores[np.lexsort((generator.random(n), values[:, column])), column] = grid
    return scores
