"""Scales make each group of rows have rms one, and only under `measuring`."""

from __future__ import annotations

import torch
from torch import nn

from sciml.materials.models.scales import Scale, measuring


def test_groups_get_rms_one():
    scale = Scale(torch.tensor([0, 1, 1]))
    x = torch.randn(3, 50, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 0.5, 0.5]).view(3, 1, 1)
    assert torch.equal(scale(x), x)
    with measuring(nn.Sequential(scale)):
        scale(x)
    after = scale(x)
    assert torch.allclose(after[0].square().mean(), torch.tensor(1.0), rtol=1e-4) and torch.allclose(
        after[1:].square().mean(), torch.tensor(1.0), rtol=1e-4
    )
    assert torch.equal(scale(2 * x), 2 * after)


def test_what_vanishes_by_symmetry_stays_small():
    scale = Scale(torch.tensor([0, 1]))
    x = torch.ones(2, 5, 2)
    x[1] = 1e-17
    with measuring(scale):
        scale(x)
    assert float(scale(x)[1].abs().max()) < 1e-12
    with measuring(scale):
        scale(torch.zeros(2, 0, 2))
