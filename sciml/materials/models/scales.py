"""Normalisation constants measured once on training graphs, so that every part of a network starts at numbers of size one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """Divides each group of rows of x [rows, N, C] by its rms on the training graphs, measured under `measuring`."""

    groups: Tensor
    factor: Tensor

    def __init__(self, groups: Tensor) -> None:
        super().__init__()
        self.measuring = False
        self.register_buffer("groups", groups, persistent=False)
        self.register_buffer("factor", torch.ones(len(groups.unique())))

    def forward(self, x: Tensor) -> Tensor:
        """[rows, N, C] -> the same divided by the rms of its group of rows."""
        if self.measuring and x.shape[1]:
            square = torch.zeros_like(self.factor).index_add_(0, self.groups, x.detach().square().mean((1, 2)).to(self.factor))
            square /= torch.bincount(self.groups)
            floor = max(1e-3 * float(square.max()), 1e-12)  # what vanishes by symmetry is not blown up
            self.factor.copy_(square.clamp(min=floor).rsqrt())
        return x * self.factor[self.groups].view(-1, 1, 1)


@contextmanager
def measuring(module: nn.Module) -> Iterator[None]:
    """Within the block every `Scale` of `module` sets its factors from what passes through it."""
    scales = [part for part in module.modules() if isinstance(part, Scale)]
    for scale in scales:
        scale.measuring = True
    try:
        yield
    finally:
        for scale in scales:
            scale.measuring = False
