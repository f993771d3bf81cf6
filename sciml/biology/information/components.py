"""Independent components of the columns of one side."""

from __future__ import annotations

import numpy as np

__all__ = ["independent_components"]


def independent_components(values: np.ndarray, generator: np.random.Generator, steps: int = 200) -> np.ndarray | None:
    """[n, d] -> [n, d]: whitened and rotated until the columns are as far from normal as they get; None where the columns are dependent
    linearly.

    FastICA, symmetric, with the contrast log cosh (Hyvarinen, IEEE Trans. Neural Netw. 10 (1999) 626): w -> <z g(w z)> - <g'(w z)> w, then
    W -> (W W^T)^(-1/2) W. A linear map without loss: information does not change.
    """
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    if not spread.all():
        return None
    centred /= spread
    scales, axes = np.linalg.eigh(centred.T @ centred / len(values))
    if scales[0] <= 1e-9 * scales[-1]:
        return None
    white = centred @ axes / np.sqrt(scales)
    rotation = np.linalg.qr(generator.normal(size=axes.shape))[0]
    for _ in range(steps):
        signal = np.tanh(white @ rotation.T)
        turned = signal.T @ white / len(white) - (1 - signal**2).mean(axis=0)[:, None] * rotation
        left, _, right = np.linalg.svd(turned, full_matrices=False)
        last, rotation = rotation, left @ right
        if np.abs(np.abs((rotation * last).sum(axis=1)) - 1).max() < 1e-7:
            break
    found: np.ndarray = white @ rotation.T
    return found
