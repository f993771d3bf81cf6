"""Products of equivariant features on one CPU core: loops over the non-zero couplings, compiled by numba.

`couple(weights, a, b, table)` is the multilinear form that the models need; its derivatives are the same form with the roles exchanged,
so that forces (first derivatives) and training on forces (second derivatives) run through the same two loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sciml.compiling import compiled
from sciml.materials.kernels.tables import Couplings

BLOCK = 256  # numbers of one component worked on at once: three operands of 16 components stay in the first-level cache


class Slots:
    """A table of couplings in the order that the loops read: rows (out, left, right, path), coefficients, numbers of components."""

    def __init__(self, index: np.ndarray, coefficient: np.ndarray, sizes: tuple[int, int, int]) -> None:
        rows = np.lexsort((index[:, 2], index[:, 1], index[:, 0]))
        self.index = np.ascontiguousarray(index[rows])  # [entries, 4] int64
        self.coefficient = {np.dtype(t): coefficient[rows].astype(t) for t in (np.float32, np.float64)}  # [entries] each
        self.sizes = sizes  # components of out, left, right
        self._turned: dict[tuple[int, int, int], Slots] = {}

    def turned(self, *order: int) -> Slots:
        """The same form with (out, left, right) exchanged; `turned(1, 0, 2)` has `left` as its result."""
        key = (order[0], order[1], order[2])
        if key not in self._turned:
            sizes = (self.sizes[key[0]], self.sizes[key[1]], self.sizes[key[2]])
            self._turned[key] = Slots(self.index[:, [*key, 3]], self.coefficient[np.dtype(np.float64)], sizes)
        return self._turned[key]


def slots(table: Couplings) -> Slots:
    """The loop order of a table of couplings."""
    index = np.stack([table.out, table.left, table.right, table.path], 1).astype(np.int64)
    return Slots(index, table.coefficient, (int(table.out.max()) + 1, int(table.left.max()) + 1, int(table.right.max()) + 1))


@compiled(fastmath={"nsz", "arcp", "contract"})
def _couple(out: Any, weights: Any, a: Any, b: Any, index: Any, coefficient: Any) -> None:
    block, total = weights.shape[1], a.shape[1]
    for start in range(0, total, block):
        stop = min(start + block, total)
        n = stop - start
        for k in range(len(coefficient)):
            o, left, right = out[index[k, 0], start:stop], a[index[k, 1], start:stop], b[index[k, 2], start:stop]
            w, c = weights[index[k, 3]], coefficient[k]
            for s in range(n):
                o[s] += c * w[s] * left[s] * right[s]


@compiled(fastmath={"nsz", "arcp", "contract"})
def _couple_weights(out: Any, a: Any, b: Any, c: Any, index: Any, coefficient: Any) -> None:
    block, total = out.shape[1], a.shape[1]
    for start in range(0, total, block):
        stop = min(start + block, total)
        n = stop - start
        for k in range(len(coefficient)):
            x, y, z = a[index[k, 0], start:stop], b[index[k, 1], start:stop], c[index[k, 2], start:stop]
            w, f = out[index[k, 3]], coefficient[k]
            for s in range(n):
                w[s] += f * x[s] * y[s] * z[s]


def _flat(x: Tensor) -> np.ndarray:
    return x.detach().contiguous().view(x.shape[0], -1).numpy()


def _tiles(channels: int) -> int:
    return max(1, BLOCK // channels)


class _Couple(torch.autograd.Function):
    """out[o, n, c] = sum over entries of coefficient * weights[path, c] * a[left, n, c] * b[right, n, c]."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, a: Tensor, b: Tensor, table: Slots) -> Tensor:
        ctx.save_for_backward(weights, a, b)
        ctx.table = table
        out = a.new_zeros((table.sizes[0], *a.shape[1:]))
        tiled = weights.detach().repeat(1, _tiles(a.shape[2])).numpy()
        _couple(_flat(out), tiled, _flat(a), _flat(b), table.index, table.coefficient[tiled.dtype])
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        weights, a, b = ctx.saved_tensors
        table, need = ctx.table, ctx.needs_input_grad
        return (
            _CoupleWeights.apply(grad, a, b, table, weights.shape[0]) if need[0] else None,
            _Couple.apply(weights, grad, b, table.turned(1, 0, 2)) if need[1] else None,
            _Couple.apply(weights, grad, a, table.turned(2, 0, 1)) if need[2] else None,
            None,
        )


class _CoupleWeights(torch.autograd.Function):
    """out[path, c] = sum over entries and atoms n of coefficient * x[out, n, c] * a[left, n, c] * b[right, n, c]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, b: Tensor, table: Slots, paths: int) -> Tensor:
        ctx.save_for_backward(x, a, b)
        ctx.table = table
        out = a.new_zeros((paths, _tiles(a.shape[2]) * a.shape[2]))
        _couple_weights(out.numpy(), _flat(x), _flat(a), _flat(b), table.index, table.coefficient[_flat(out).dtype])
        return out.view(paths, -1, a.shape[2]).sum(1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, a, b = ctx.saved_tensors
        table, need = ctx.table, ctx.needs_input_grad
        return (
            _Couple.apply(grad, a, b, table) if need[0] else None,
            _Couple.apply(grad, x, b, table.turned(1, 0, 2)) if need[1] else None,
            _Couple.apply(grad, x, a, table.turned(2, 0, 1)) if need[2] else None,
            None,
            None,
        )


def couple(weights: Tensor, a: Tensor, b: Tensor, table: Slots) -> Tensor:
    """Weighted products of features: weights [paths, C], a and b [components, N, C] -> [components, N, C]; any number of derivatives."""
    return _Couple.apply(weights, a, b, table)
