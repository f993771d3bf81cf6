"""Products on atoms: the compiled loops against one dense einsum; gradients against differences (torch's gradcheck)."""

from __future__ import annotations

import pytest
import torch

from sciml.materials.kernels import couplings, products, reference


@pytest.mark.parametrize("l_max", [0, 2, 3])
@pytest.mark.parametrize(("atoms", "channels"), [(1, 3), (9, 32), (40, 8)])
def test_couple_equals_the_dense_form(l_max, atoms, channels):
    generator, table = torch.Generator().manual_seed(1), couplings(l_max)
    a, b = (torch.randn((l_max + 1) ** 2, atoms, channels, generator=generator, dtype=torch.float64) for _ in range(2))
    weights = torch.randn(len(table.paths), channels, generator=generator, dtype=torch.float64)
    ours, theirs = products.couple(weights, a, b, products.slots(table)), reference.couple(weights, a, b, table)
    assert (ours - theirs).abs().max() <= 1e-12 * float(theirs.abs().max())


def test_two_derivatives_by_differences():
    table = products.slots(couplings(2))
    generator = torch.Generator().manual_seed(2)
    a, b = (torch.randn(9, 2, 2, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))
    weights = torch.randn(len(couplings(2).paths), 2, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *x: products.couple(*x, table), (weights, a, b))
    assert torch.autograd.gradgradcheck(lambda *x: products.couple(*x, table), (weights, a, b))
