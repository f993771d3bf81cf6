"""The fused parts of the models: one signature for every implementation, chosen at call time by device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sciml.materials.kernels import cpu, reference
from sciml.materials.kernels.blocks import Blocks, neighbour_blocks
from sciml.materials.kernels.harmonics import bessel, envelope, harmonics
from sciml.materials.kernels.tables import CONVENTION, Couplings, couplings, degrees

__all__ = ["CONVENTION", "Blocks", "Products", "bessel", "couplings", "degrees", "envelope", "harmonics", "neighbour_blocks"]


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
        self._slots = {name: cpu.slots(table) for name, table in self._tables.items()}

    def _couple(self, name: str, weights: Tensor, a: Tensor, b: Tensor) -> Tensor:
        if a.device.type == "cpu":
            return cpu.couple(weights, a, b, self._slots[name])
        return reference.couple(weights, a, b, self._tables[name])

    def square(self, paths: Tensor, a: Tensor) -> Tensor:
        """(a x a)_lm, each path (l1, l2, l) weighted by channel: paths [P, C], a [lm, N, C] -> [lm, N, C]."""
        return self._couple("square", paths, a, a)

    def inner(self, a: Tensor, b: Tensor) -> Tensor:
        """a . b / sqrt(2l + 1) of each degree: [lm, N, C] twice -> [l_max + 1, N, C]."""
        return self._couple("inner", torch.ones(1, a.shape[2], dtype=a.dtype, device=a.device), a, b)
