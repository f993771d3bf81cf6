"""The plain form of the kernels in torch operations: slow, right, on any device, any number of derivatives; the oracle of the others."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from sciml.materials.kernels.tables import Couplings, harmonic_polynomials


@lru_cache(maxsize=32)
def _monomial_matrices(l_max: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, ...]:
    """Matrix k maps the 3^k products of k components of u to the (l_max + 1)^2 harmonics, shape [3^k, (l_max + 1)^2]."""
    rows = harmonic_polynomials(l_max)
    matrices = [torch.zeros(3**k, len(rows), dtype=torch.float64) for k in range(l_max + 1)]
    for column, polynomial in enumerate(rows):
        for exponents, value in polynomial.items():
            digits = [axis for axis, power in enumerate(exponents) for _ in range(power)]
            matrices[len(digits)][sum(d * 3**p for p, d in enumerate(reversed(digits))), column] += value
    return tuple(m.to(dtype=dtype, device=device) for m in matrices)


def harmonics(u: Tensor, l_max: int) -> Tensor:
    """Y_lm(u) for unit vectors u [E, 3] -> [E, (l_max + 1)^2], norm and order of `tables`."""
    first, *rest = _monomial_matrices(l_max, u.dtype, u.device)
    total, power = first.expand(len(u), -1), u
    for k, matrix in enumerate(rest, 1):
        if k > 1:
            power = (power.unsqueeze(2) * u.unsqueeze(1)).flatten(1)  # [E, 3^k]
        total = torch.addmm(total, power, matrix)
    return total


def envelope(x: Tensor) -> Tensor:
    """1 - 28 x^6 + 48 x^7 - 21 x^8 for x = r / cut-off in [0, 1]: C^2 to zero at 1 (Gasteiger 2020, eq. 8)."""
    x6 = x**6
    return 1 - x6 * (28 - x * (48 - 21 * x))


def bessel(r: Tensor, cutoff: float, scale: Tensor) -> Tensor:
    """scale_n sqrt(2 / cutoff) sin(n pi r / cutoff) / r times the envelope, r [E, 1] in angstrom -> [E, n] (Gasteiger 2020, eq. 7)."""
    x = r / cutoff
    n = torch.arange(1, len(scale) + 1, dtype=r.dtype, device=r.device) * math.pi
    return torch.sin(x * n) * (math.sqrt(2 / cutoff) * envelope(x) / r) * scale


def messages(b: Tensor, y: Tensor, u: Tensor) -> Tensor:
    """sum_nk b[i, s, n] y[i, s, k] u[i, n k, c]: radial [N, M, n], harmonics [N, M, k], features [N, n k, C] -> [N, M, C]."""
    return torch.bmm((b.unsqueeze(3) * y.unsqueeze(2)).flatten(2), u)


def dense(table: Couplings, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Coefficients [paths, out, left, right] of a table of couplings."""
    paths, sizes = int(table.path.max()) + 1, [int(x.max()) + 1 for x in (table.out, table.left, table.right)]
    tensor = torch.zeros(paths, *sizes, dtype=torch.float64)
    tensor[table.path, table.out, table.left, table.right] = torch.as_tensor(table.coefficient)
    return tensor.to(dtype=dtype, device=device)


def couple(weights: Tensor, a: Tensor, b: Tensor, table: Couplings) -> Tensor:
    """out[o, n, c] = sum of coefficient * weights[path, c] * a[left, n, c] * b[right, n, c]; [paths, C], [lm, N, C] twice."""
    coefficients = dense(table, a.dtype, a.device)
    return torch.einsum("poab,pc,anc,bnc->onc", coefficients, weights, a, b)
