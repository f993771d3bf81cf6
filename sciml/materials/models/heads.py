"""Heads: from `AtomFeatures` to quantities."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sciml.materials.models.contract import AtomFeatures


class EnergyHead(nn.Module):
    """Energies of atoms, [N]: a linear and a one-layer map of the scalars, without biases, so that zero scalars give exactly zero."""

    def __init__(self, channels: int, hidden: int = 32) -> None:
        super().__init__()
        self.linear = nn.Parameter(torch.zeros(channels))
        self.first = nn.Parameter(torch.randn(channels, hidden) / math.sqrt(channels))
        self.second = nn.Parameter(0.1 * torch.randn(hidden) / math.sqrt(hidden))

    def forward(self, features: AtomFeatures) -> Tensor:
        """[N], in units of the scale of `EnergyModel`."""
        scalars = features.scalars  # [N, C]
        return scalars @ self.linear + nn.functional.silu(scalars @ self.first) @ self.second
