"""The plain form of the products: dense coefficients and one einsum. Slow, right, on any device; the oracle of the compiled kernels."""

from __future__ import annotations

import torch
from torch import Tensor

from sciml.materials.kernels.tables import Couplings


def dense(table: Couplings, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Coefficients [paths, out, left, right] of a table of couplings."""
    paths, sizes = int(table.path.max()) + 1, [int(x.max()) + 1 for x in (table.out, table.left, table.right)]
    tensor = torch.zeros(paths, *sizes, dtype=torch.float64)
    tensor[table.path, table.out, table.left, table.right] = torch.as_tensor(table.coefficient)
    return tensor.to(dtype=dtype, device=device)


def couple(weights: Tensor, a: Tensor, b: Tensor, table: Couplings) -> Tensor:
    """out[o, n, c] = sum of coefficient * weights[path, c] * a[left, n, c] * b[right, n, c]; [paths, C], [lm, N, C] twice -> [out, N, C]."""
    coefficients = dense(table, a.dtype, a.device)
    return torch.einsum("poab,pc,anc,bnc->onc", coefficients, weights, a, b)
