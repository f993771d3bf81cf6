"""The fused parts of the models: one signature for every implementation, chosen at call time by device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sciml.materials.kernels import edges, products, reference
from sciml.materials.kernels.blocks import Blocks, neighbour_blocks
from sciml.materials.kernels.reference import envelope
from sciml.materials.kernels.tables import CONVENTION, Couplings, couplings, degrees

__all__ = ["CONVENTION", "Blocks", "Products", "bessel", "couplings", "degrees", "envelope", "harmonics", "messages", "neighbour_blocks"]


def harmonics(u: Tensor, l_max: int) -> Tensor:
    """Y_lm(u) for unit vectors u [E, 3] -> [E, (l_max + 1)^2], norm and order of `tables`."""
    return (edges if u.device.type == "cpu" else reference).harmonics(u, l_max)


def bessel(r: Tensor, cutoff: float, scale: Tensor) -> Tensor:
    """scale_n sqrt(2 / cutoff) sin(n pi r / cutoff) / r times the envelope, r [E, 1] in angstrom -> [E, n] (Gasteiger 2020, eq. 7)."""
    return (edges if r.device.type == "cpu" else reference).bessel(r, cutoff, scale)


def messages(b: Tensor, y: Tensor, u: Tensor) -> Tensor:
    """sum_nk b[i, s, n] y[i, s, k] u[i, n k, c]: radial [N, M, n], harmonics [N, M, k], features [N, n k, C] -> [N, M, C]."""
    return (edges if b.device.type == "cpu" else reference).messages(b, y, u)


def _inner_table(l_max: int) -> Couplings:
    """a . b of each degree, divided by sqrt(2l + 1)."""
    degree = degrees(l_max)
    component = np.arange(len(degree))
    paths = tuple((ell, ell, 0) for ell in range(l_max + 1))
    return Couplings(degree, component, component, np.zeros_like(degree), (2 * degree + 1.0) ** -0.5, paths)


class Products:
    """Products of equivariant features [lm, N, C] up to degree l_max, on the kernel that suits the device of the data."""

    def __init__(self, l_max: int) -> None:
        self._tables = {"square": couplings(l_max), "inner": _inner_table(l_max)}
        self.paths = self._tables["square"].paths  # (l1, l2, l) of each weight of `square`
        self._slots = {name: products.slots(table) for name, table in self._tables.items()}

    def _couple(self, name: str, weights: Tensor, a: Tensor, b: Tensor) -> Tensor:
        if a.device.type == "cpu":
            return products.couple(weights, a, b, self._slots[name])
        return reference.couple(weights, a, b, self._tables[name])

    def square(self, paths: Tensor, a: Tensor) -> Tensor:
        """(a x a)_lm, each path (l1, l2, l) weighted by channel: paths [P, C], a [lm, N, C] -> [lm, N, C]."""
        return self._couple("square", paths, a, a)

    def inner(self, a: Tensor, b: Tensor) -> Tensor:
        """a . b / sqrt(2l + 1) of each degree: [lm, N, C] twice -> [l_max + 1, N, C]."""
        return self._couple("inner", torch.ones(1, a.shape[2], dtype=a.dtype, device=a.device), a, b)
