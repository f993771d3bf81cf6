"""Legendre polynomials, and the sum over pairs of neighbours against an explicit loop over triplets."""

from __future__ import annotations

import numpy as np
import torch
from numpy.polynomial import legendre as numpy_legendre

from sciml.materials.models.invariant import legendre


def test_legendre_polynomials_are_those_of_numpy():
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)
    for degree, values in enumerate(legendre(x, 6), 1):
        assert np.abs(values.numpy() - numpy_legendre.legval(x.numpy(), [0] * degree + [1])).max() < 1e-14


def test_angle_sums_are_sums_over_triplets():
    generator = torch.Generator().manual_seed(0)
    u = torch.nn.functional.normalize(torch.randn(4, 3, generator=generator, dtype=torch.float64), dim=1)
    w = torch.randn(4, 2, generator=generator, dtype=torch.float64)
    for degree, p in enumerate(legendre(u @ u.T, 4), 1):
        fused = (w * (p @ w)).sum(0)
        plain = np.zeros(2)
        for j in range(4):
            for k in range(4):
                plain += w[j].numpy() * w[k].numpy() * numpy_legendre.legval(float(u[j] @ u[k]), [0] * degree + [1])
        assert np.abs(fused.numpy() - plain).max() < 1e-13
