"""Information of Gaussian pairs from their covariance."""

from __future__ import annotations

import numpy as np

__all__ = ["gaussian_nats", "wishart_bias_nats"]


def gaussian_nats(x: np.ndarray, y: np.ndarray) -> float:
    """1/2 log |S_x| |S_y| / |S| of the sample covariance, less its bias if the pair is Gaussian; nats. x [n, dx], y [n, dy]."""
    both = np.hstack([x, y])
    dx = x.shape[1]
    covariance = np.cov(both, rowvar=False)
    parts = (covariance[:dx, :dx], covariance[dx:, dx:], covariance)
    first, second, joint = (np.linalg.slogdet(part)[1] for part in parts)
    return float((first + second - joint) / 2 - wishart_bias_nats(len(x), dx, y.shape[1]))


def wishart_bias_nats(n: int, dx: int, dy: int) -> float:
    """Mean of 1/2 log |S_x| |S_y| / |S| less the truth, exactly: E log |S| - log |Sigma| = sum_i psi((n - i) / 2) + d log(2 / (n - 1)).

    Magnussen et al.; Goodman, Ann. Math. Stat. 34 (1963) 178.
    """
    from scipy.special import digamma

    terms = digamma((n - np.arange(1, dx + dy + 1)) / 2)
    return float((terms[:dx].sum() + terms[:dy].sum() - terms.sum()) / 2)
