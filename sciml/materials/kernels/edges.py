"""Work on edges on one CPU core, compiled by numba: harmonics, radial functions and the messages of the second layer.

Each is written with its first and second derivatives, so that forces and training on forces never build arrays larger than the results.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sciml.compiling import compiled
from sciml.materials.kernels.tables import harmonic_polynomials

_SAFE = {"nsz", "arcp", "contract"}


@compiled(fastmath=_SAFE)
def _polynomials(out: Any, u: Any, first: Any, second: Any, index: Any, coefficient: Any) -> None:
    """out[e, o] += coefficient * x^a y^b z^c * first[e, i] * second[e, j] over rows (o, i, j, a, b, c); i or j = -1 leaves a factor out."""
    edges, rows = len(u), len(coefficient)
    power, left, right = (
        np.empty((3, 5, 64), u.dtype),
        np.ones((first.shape[1] + 1, 64), u.dtype),
        np.ones((second.shape[1] + 1, 64), u.dtype),
    )
    total = np.empty((out.shape[1], 64), u.dtype)
    for start in range(0, edges, 64):
        n = min(64, edges - start)
        for s in range(n):
            for axis in range(3):
                power[axis, 0, s] = 1.0
                for p in range(1, 5):
                    power[axis, p, s] = power[axis, p - 1, s] * u[start + s, axis]
            for i in range(first.shape[1]):
                left[i, s] = first[start + s, i]
            for j in range(second.shape[1]):
                right[j, s] = second[start + s, j]
        total[:] = 0.0
        for r in range(rows):
            o, c = index[r, 0], coefficient[r]
            x, y, z = power[0, index[r, 3]], power[1, index[r, 4]], power[2, index[r, 5]]
            a, b, t = left[index[r, 1]], right[index[r, 2]], total[o]
            for s in range(64):
                t[s] += c * x[s] * y[s] * z[s] * a[s] * b[s]
        for s in range(n):
            for o in range(out.shape[1]):
                out[start + s, o] = total[o, s]


@lru_cache
def _terms(l_max: int, kind: str, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows and coefficients of `_polynomials` for a kind of derivative of sum_lm g_lm Y_lm."""
    rows: list[tuple[float, ...]] = []
    for lm, polynomial in enumerate(harmonic_polynomials(l_max)):
        for exponents, value in polynomial.items():
            if kind == "value":
                rows.append((lm, -1, -1, *exponents, value))
            for d in range(3) if kind != "value" and exponents[0] + exponents[1] + exponents[2] else ():
                if not exponents[d]:
                    continue
                once = tuple(e - (axis == d) for axis, e in enumerate(exponents))
                slope = value * exponents[d]
                if kind == "gradient":
                    rows.append((d, lm, -1, *once, slope))
                elif kind == "along":
                    rows.append((lm, d, -1, *once, slope))
                else:
                    for f in range(3):
                        if once[f]:
                            twice = tuple(e - (axis == f) for axis, e in enumerate(once))
                            rows.append((f, lm, d, *twice, slope * once[f]))
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    return np.ascontiguousarray(table[:, :6].astype(np.int64)), np.ascontiguousarray(table[:, 6].astype(dtype))


def _evaluate(kind: str, l_max: int, u: Tensor, columns: int, *factors: Tensor) -> Tensor:
    arrays = [x.detach().contiguous().numpy() for x in (u, *factors)]
    arrays += [np.empty((len(u), 0), arrays[0].dtype)] * (3 - len(arrays))
    out = torch.empty(len(u), columns, dtype=u.dtype)
    _polynomials(out.numpy(), *arrays, *_terms(l_max, kind, arrays[0].dtype))
    return out


class _Harmonics(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, l_max: int) -> Tensor:
        ctx.save_for_backward(u)
        ctx.l_max = l_max
        return _evaluate("value", l_max, u, (l_max + 1) ** 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _HarmonicsGradient.apply(ctx.saved_tensors[0], grad, ctx.l_max), None


class _HarmonicsGradient(torch.autograd.Function):
    """sum_lm g_lm dY_lm/du, [E, 3]; its own derivatives are not differentiable again."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, g: Tensor, l_max: int) -> Tensor:
        ctx.save_for_backward(u, g)
        ctx.l_max = l_max
        return _evaluate("gradient", l_max, u, 3, g)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        u, g = ctx.saved_tensors
        return _evaluate("hessian", ctx.l_max, u, 3, g, grad), _evaluate("along", ctx.l_max, u, g.shape[1], grad), None


def harmonics(u: Tensor, l_max: int) -> Tensor:
    """Y_lm(u) for unit vectors u [E, 3] -> [E, (l_max + 1)^2], twice differentiable."""
    return _Harmonics.apply(u, l_max)


@compiled(fastmath=_SAFE)
def _radial(value: Any, slope: Any, curvature: Any, r: Any, cutoff: float, scale: Any) -> None:
    """scale_n sqrt(2 / c) sin(n pi r / c) / r times the envelope, with first and second derivatives by r; arithmetic in double."""
    factor, number = math.sqrt(2.0 / cutoff), value.shape[1]
    for e in range(len(r)):
        d = float(r[e])
        x = d / cutoff
        x4 = x * x * x * x
        envelope, inverse = 1.0 - x4 * x * x * (28.0 - x * (48.0 - 21.0 * x)), 1.0 / d
        fall = -168.0 * x4 * x * (1.0 - x) * (1.0 - x) / cutoff
        bend = -168.0 * x4 * (1.0 - x) * (5.0 - 7.0 * x) / cutoff**2
        switch = envelope * inverse
        switch1 = fall * inverse - envelope * inverse * inverse
        switch2 = bend * inverse - 2.0 * fall * inverse * inverse + 2.0 * envelope * inverse * inverse * inverse
        step = math.pi / cutoff
        sine, cosine = math.sin(step * d), math.cos(step * d)
        s, c = sine, cosine
        for n in range(number):
            k, f = (n + 1) * step, factor * scale[n]
            value[e, n] = f * s * switch
            slope[e, n] = f * (k * c * switch + s * switch1)
            curvature[e, n] = f * (-k * k * s * switch + 2.0 * k * c * switch1 + s * switch2)
            s, c = s * cosine + c * sine, c * cosine - s * sine


class _Radial(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, r: Tensor, scale: Tensor, cutoff: float) -> Tensor:
        value, slope, curvature = (r.new_empty(len(r), len(scale)) for _ in range(3))
        distances = r.detach().reshape(-1).contiguous().numpy()
        _radial(value.numpy(), slope.numpy(), curvature.numpy(), distances, cutoff, scale.detach().double().numpy())
        ctx.save_for_backward(r, slope, curvature)
        return value

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return _RadialGradient.apply(*ctx.saved_tensors, grad), None, None


class _RadialGradient(torch.autograd.Function):
    """sum_n g_n dB_n/dr, [E, 1]; its own derivatives are not differentiable again."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, slope: Tensor, curvature: Tensor, grad: Tensor) -> Tensor:
        ctx.save_for_backward(slope, curvature, grad)
        return (grad * slope).sum(1, keepdim=True)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor, None, None, Tensor]:
        slope, curvature, grad = ctx.saved_tensors
        return h * (grad * curvature).sum(1, keepdim=True), None, None, h * slope


def bessel(r: Tensor, cutoff: float, scale: Tensor) -> Tensor:
    """Bessel functions with the envelope, each times scale [n]; r [E, 1] in angstrom -> [E, n], twice differentiable."""
    return _Radial.apply(r, scale, cutoff)


@compiled(fastmath=_SAFE)
def _basis(basis: Any, b: Any, y: Any) -> None:
    """basis[s, n k] = b[s, n] y[s, k] for the slots of one atom."""
    k = y.shape[1]
    for s in range(len(b)):
        for n in range(b.shape[1]):
            for m in range(k):
                basis[s, n * k + m] = b[s, n] * y[s, m]


@compiled(fastmath=_SAFE)
def _message(out: Any, b: Any, y: Any, u: Any, g: Any, slot: int) -> None:
    """One factor of sum b[i, s, n] y[i, s, k] u[i, n k, c] g[i, s, c] left open: 0 b, 1 y, 2 u, 3 g (the open one is not read)."""
    slots = g.shape[1] if slot < 2 else b.shape[1]
    k = u.shape[1] // b.shape[2] if slot == 1 else y.shape[2]
    radial = u.shape[1] // k if slot == 0 else b.shape[2]
    basis = np.empty((slots, radial * k), out.dtype)
    for i in range(len(out)):
        if slot == 3:
            _basis(basis, b[i], y[i])
            np.dot(basis, u[i], out[i])
        elif slot == 2:
            _basis(basis, b[i], y[i])
            np.dot(basis.T, g[i], out[i])
        else:
            np.dot(g[i], u[i].T, basis)
            for s in range(slots):
                for n in range(radial):
                    if slot == 0:
                        total = 0.0
                        for m in range(k):
                            total += basis[s, n * k + m] * y[i, s, m]
                        out[i, s, n] = total
                    else:
                        for m in range(k):
                            out[i, s, m] += basis[s, n * k + m] * b[i, s, n]


class _Message(torch.autograd.Function):
    """The form of `_message`; every derivative is the same form with another factor open (given as an empty tensor)."""

    @staticmethod
    def forward(ctx: Any, slot: int, b: Tensor, y: Tensor, u: Tensor, g: Tensor) -> Tensor:
        ctx.save_for_backward(b, y, u, g)
        ctx.slot = slot
        blocks = (y if slot == 0 else b).shape[:2]  # N, M
        if slot == 0:
            shape = (*blocks, u.shape[1] // y.shape[2])
        elif slot == 1:
            shape = (*blocks, u.shape[1] // b.shape[2])
        elif slot == 2:
            shape = (blocks[0], b.shape[2] * y.shape[2], g.shape[2])
        else:
            shape = (*blocks, u.shape[2])
        out = torch.zeros(shape, dtype=(y if slot == 0 else b).dtype)
        arrays = [np.empty((1, 1, 1), _dtype(out)) if s == slot else x.detach().contiguous().numpy() for s, x in enumerate((b, y, u, g))]
        _message(out.numpy(), *arrays, slot)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        factors: list[Tensor] = list(ctx.saved_tensors)
        factors[ctx.slot] = grad
        found: list[Tensor | None] = [None] * 4
        for slot in range(4):
            if slot != ctx.slot and ctx.needs_input_grad[1 + slot]:
                others = [grad.new_empty(0) if s == slot else x for s, x in enumerate(factors)]
                found[slot] = _Message.apply(slot, *others)
        return (None, *found)


def _dtype(x: Tensor) -> Any:
    return np.float32 if x.dtype == torch.float32 else np.float64


def messages(b: Tensor, y: Tensor, u: Tensor) -> Tensor:
    """sum_nk b[i, s, n] y[i, s, k] u[i, n k, c]: radial [N, M, n], harmonics [N, M, k], features [N, n k, C] -> [N, M, C]."""
    return _Message.apply(3, b, y, u, u.new_empty(0))
