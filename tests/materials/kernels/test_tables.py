"""Tables of harmonics and couplings against e3nn, and what the theory says of them."""

from __future__ import annotations

import math

import pytest
import torch
from e3nn import o3

from sciml.materials.kernels import harmonics
from sciml.materials.kernels.tables import couplings, degrees, harmonic_polynomials


def directions(number=20):
    v = torch.randn(number, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return v / v.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("l_max", [0, 1, 2, 3, 4])
def test_harmonics_are_those_of_e3nn(l_max):
    u = directions()
    theirs = o3.spherical_harmonics(list(range(l_max + 1)), u, normalize=True, normalization="component")
    assert (harmonics(u, l_max) - theirs).abs().max() < 1e-13
    assert len(harmonic_polynomials(l_max)) == len(degrees(l_max)) == (l_max + 1) ** 2


def test_addition_theorem():
    a, b = directions(), directions().flip(0)
    cosine = (a * b).sum(1)
    dot = harmonics(a, 3) * harmonics(b, 3)
    legendre = [torch.ones_like(cosine), cosine, (3 * cosine**2 - 1) / 2, (5 * cosine**3 - 3 * cosine) / 2]
    for ell, p in enumerate(legendre):
        assert (dot[:, ell**2 : (ell + 1) ** 2].sum(1) - (2 * ell + 1) * p).abs().max() < 1e-13


@pytest.mark.parametrize("l_max", [1, 3, 4])
def test_couplings_are_those_of_e3nn(l_max):
    table = couplings(l_max)
    for number, (first, second, total) in enumerate(table.paths):
        ours = torch.zeros(2 * first + 1, 2 * second + 1, 2 * total + 1, dtype=torch.float64)
        rows = table.path == number
        ours[table.left[rows] - first**2, table.right[rows] - second**2, table.out[rows] - total**2] = torch.from_numpy(
            table.coefficient[rows]
        )
        assert (ours - o3.wigner_3j(first, second, total, dtype=torch.float64)).abs().max() < 1e-13
        assert math.isclose(float(ours.square().sum()), 1.0, rel_tol=1e-13)
        assert (first + second + total) % 2 == 0
