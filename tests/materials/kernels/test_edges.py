"""The compiled work on edges equals the plain torch form, first and second derivatives included."""

from __future__ import annotations

import pytest
import torch

from sciml.materials.kernels import edges, reference


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_(True)


def same(compiled, plain, inputs):
    """Value, gradients, and gradients of a random slope of the gradients, to 1e-12 of the largest number."""
    results = []
    for call in (compiled, plain):
        value = call(*inputs)
        first = torch.autograd.grad((value * numbers(*value.shape, seed=1).detach()).sum(), inputs, create_graph=True)
        slope = sum((g * numbers(*g.shape, seed=2).detach()).sum() for g in first)
        results.append([value, *first, *torch.autograd.grad(slope, inputs, allow_unused=True)])
    for ours, theirs in zip(*results, strict=True):
        theirs = torch.zeros_like(ours) if theirs is None else theirs
        ours = torch.zeros_like(theirs) if ours is None else ours
        assert (ours - theirs).abs().max() <= 1e-12 * max(1.0, float(theirs.detach().abs().max()))


@pytest.mark.parametrize("l_max", [2, 3, 4])  # below, the plain form has no second derivative to compare with
@pytest.mark.parametrize("number", [1, 63, 64, 130])
def test_harmonics(l_max, number):
    same(lambda u: edges.harmonics(u, l_max), lambda u: reference.harmonics(u, l_max), [numbers(number, 3)])


@pytest.mark.parametrize("l_max", [0, 1])
def test_harmonics_of_low_degree(l_max):
    u = numbers(30, 3)
    assert torch.equal(edges.harmonics(u, l_max).detach(), reference.harmonics(u, l_max).detach())
    (slope,) = torch.autograd.grad(edges.harmonics(u, l_max).sum(), u)
    assert torch.allclose(slope, torch.full_like(slope, 3**0.5 if l_max else 0.0), atol=1e-14)


def test_radial_functions():
    r = (0.3 + 4.6 * torch.rand(50, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).requires_grad_(True)
    scale = torch.linspace(0.5, 2.0, 7, dtype=torch.float64)
    same(lambda x: edges.bessel(x, 5.0, scale), lambda x: reference.bessel(x, 5.0, scale), [r])


def test_radial_functions_vanish_with_two_derivatives_at_the_cutoff():
    r = torch.tensor([[5.0]], dtype=torch.float64, requires_grad=True)
    value = edges.bessel(r, 5.0, torch.ones(6, dtype=torch.float64)).sum()
    (slope,) = torch.autograd.grad(value, r, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), r)
    assert float(value) == 0.0 and abs(float(slope)) < 1e-12 and abs(float(curvature)) < 1e-10


def test_messages():
    b, y, u = numbers(3, 7, 4), numbers(3, 7, 9, seed=3), numbers(3, 36, 5, seed=4)
    same(edges.messages, reference.messages, [b, y, u])


def test_no_edges_and_single_precision():
    assert edges.harmonics(torch.zeros(0, 3), 3).shape == (0, 16)
    assert edges.messages(torch.zeros(0, 1, 4), torch.zeros(0, 1, 9), torch.zeros(0, 36, 5)).shape == (0, 1, 5)
    u = numbers(40, 3).float()
    assert edges.harmonics(u, 3).dtype == torch.float32
    assert (edges.harmonics(u, 3) - reference.harmonics(u, 3)).abs().max() < 1e-4
