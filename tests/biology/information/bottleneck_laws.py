"""Joint laws with known bottlenecks, and quantities worked out another way than the code does."""

from __future__ import annotations

import numpy as np


def entropy(p) -> float:
    p = np.asarray(p, dtype=float)
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def informations(joint, encoder) -> tuple[float, float]:
    """(I(T;X), I(T;Y)) in bits by entropies."""
    p_x = joint.sum(axis=1)
    tx, ty = (encoder * p_x[:, None]).T, encoder.T @ joint
    return tuple(entropy(m.sum(0)) + entropy(m.sum(1)) - entropy(m) for m in (tx, ty))


def flip(eps) -> np.ndarray:
    return np.array([[1 - eps, eps], [eps, 1 - eps]]) / 2


def mrs_gerber(i_x, eps) -> np.ndarray:
    """Largest I(T;Y) at I(T;X) = i_x of the symmetric binary law: 1 - h(eps * h^-1(1 - i_x)) (Wyner and Ziv 1973)."""

    def bits(i: float) -> float:
        low, high = 0.0, 0.5
        while high - low > 1e-15:
            low, high = (mid, high) if 1 - entropy([(mid := (low + high) / 2), 1 - mid]) > i else (low, mid)
        flipped = low * (1 - eps) + (1 - low) * eps
        return 1 - entropy([flipped, 1 - flipped])

    return np.array([bits(i) for i in np.atleast_1d(i_x)])


def noisy_hill(n, m) -> np.ndarray:
    dose = 10 ** np.linspace(-1.5, 1.5, n)
    p = np.exp(-0.5 * (((np.arange(m) + 0.5) / m - (dose**2 / (1 + dose**2))[:, None]) / 0.08) ** 2)
    return p / p.sum(1, keepdims=True) / n


def cells() -> np.ndarray:
    """Ligand (120 points) about two equally likely environments."""
    ligand = np.linspace(-3.5, 3.5, 120)
    given = np.array([np.exp(-0.5 * ((ligand - m) / 0.7) ** 2) for m in (-0.8, 0.8)])
    return (given / given.sum(1, keepdims=True) / 2).T


def gaussian_grid(rho, n=101) -> np.ndarray:
    x = np.linspace(-5, 5, n)
    p = np.exp(-(x[:, None] ** 2 - 2 * rho * x[:, None] * x + x**2) / (2 * (1 - rho**2)))
    return p / p.sum()


JUMP = np.array([[0.98 * 0.98, 0.98 * 0.02], [0.02 * 0.3, 0.02 * 0.7]])
"""p(x = 1) = 0.02, p(y = 1|x) = (0.02, 0.7): learnable well below the local onset."""
