"""One-to-one maps of a side: they leave information as it is, and make it harder to find (after Czyz et al., NeurIPS 2023)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["half_cube", "normal_cdf", "rolled", "shrunk", "spiral", "turned_and_stretched", "wiggled"]


def half_cube(values: np.ndarray) -> np.ndarray:
    """v |v|^(1/2) by column: longer tails."""
    return values * np.sqrt(np.abs(values))


def shrunk(values: np.ndarray) -> np.ndarray:
    """asinh(3 v) by column: shorter tails, as cytometers show their channels."""
    return np.arcsinh(3 * values)


def normal_cdf(values: np.ndarray) -> np.ndarray:
    """Phi(v) by column: a Gaussian becomes uniform on [0, 1]."""
    from scipy.special import ndtr

    return np.asarray(ndtr(values))


def wiggled(values: np.ndarray) -> np.ndarray:
    """V + 0.4 sin v + 0.2 sin(1.7 v + 1) + 0.03 sin(3.3 v - 2.5) by column; it rises everywhere, by 0.16 to 1.84."""
    return values + 0.4 * np.sin(values) + 0.2 * np.sin(1.7 * values + 1) + 0.03 * np.sin(3.3 * values - 2.5)


def rolled(values: np.ndarray) -> np.ndarray:
    """[n, d] -> [n, d + 1]: the first column becomes two on a roll, (t cos t, t sin t) / 21 with t = 1.5 pi (1 + 2 Phi(v))."""
    t = 1.5 * np.pi * (1 + 2 * normal_cdf(values[:, 0]))
    return np.column_stack([t * np.cos(t) / 21, t * np.sin(t) / 21, values[:, 1:]])


def spiral(values: np.ndarray) -> np.ndarray:
    """[n, d], d >= 2: the plane of the first two columns is turned by an angle of half the squared norm of the row."""
    angle = 0.5 * (values**2).sum(axis=1)
    c, s = np.cos(angle), np.sin(angle)
    first, second = values[:, 0], values[:, 1]
    return np.column_stack([c * first - s * second, s * first + c * second, values[:, 2:]])


def turned_and_stretched(columns: int) -> Callable[[np.ndarray], np.ndarray]:
    """A rotation, sign(v) |v|^1.5 by column, and another rotation, fixed ones."""
    generator = np.random.Generator(np.random.PCG64(columns))
    first, second = (np.linalg.qr(generator.normal(size=(columns, columns)))[0] for _ in range(2))

    def turned(values: np.ndarray) -> np.ndarray:
        return half_cube(values @ first) @ second

    return turned
