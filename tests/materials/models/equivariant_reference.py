"""The equivariant model written plainly: loops over edges, e3nn's harmonics and Clebsch-Gordan coefficients, a given model's weights."""

from __future__ import annotations

import math

import torch
from e3nn import o3
from torch import Tensor

from sciml.materials.models.equivariant import Equivariant


def harmonics(vectors: Tensor, l_max: int) -> Tensor:
    return o3.spherical_harmonics(list(range(l_max + 1)), vectors, normalize=True, normalization="component")


def bessel(r: Tensor, cutoff: float, number: int) -> Tensor:
    x = r / cutoff
    switch = 1 - 28 * x**6 + 48 * x**7 - 21 * x**8
    return torch.stack([math.sqrt(2 / cutoff) * torch.sin(n * math.pi * x) / r * switch for n in range(1, number + 1)], -1)


def degree_blocks(l_max: int):
    return [slice(ell**2, (ell + 1) ** 2) for ell in range(l_max + 1)]


def moments(y: Tensor, b: Tensor, element: Tensor, target: Tensor, atoms: int) -> Tensor:
    """Sum over edges of Y_lm B_n e_k by target, one edge at a time: [lm, N, n k]."""
    rows = [torch.zeros(y.shape[1], b.shape[1] * element.shape[1], dtype=y.dtype) for _ in range(atoms)]
    for e, i in enumerate(target.tolist()):
        rows[i] = rows[i] + torch.outer(y[e], torch.outer(b[e], element[e]).flatten())
    return torch.stack(rows, 1)


def square(paths: Tensor, a: Tensor, l_max: int) -> Tensor:
    """(a x a) with e3nn's coefficients, paths in the order (L, l1 <= l2)."""
    blocks, out, number = degree_blocks(l_max), [torch.zeros_like(a[s]) for s in degree_blocks(l_max)], 0
    for total in range(l_max + 1):
        for first in range(l_max + 1):
            for second in range(first, l_max + 1):
                if (first + second + total) % 2 or not second - first <= total <= first + second:
                    continue
                coefficients = o3.wigner_3j(first, second, total, dtype=a.dtype)
                product = torch.einsum("abo,anc,bnc->onc", coefficients, a[blocks[first]], a[blocks[second]])
                out[total] = out[total] + paths[number] * product
                number += 1
    return torch.cat(out)


def by_degree(weight: Tensor, x: Tensor) -> Tensor:
    return torch.cat([x[s] @ weight[ell] for ell, s in enumerate(degree_blocks(len(weight) - 1))])


def scaled(factor: Tensor, x: Tensor) -> Tensor:
    return torch.cat([factor[ell] * x[s] for ell, s in enumerate(degree_blocks(len(factor) - 1))])


def inner(a: Tensor, b: Tensor, l_max: int) -> Tensor:
    return torch.stack([(a[s] * b[s]).sum(0) / math.sqrt(2 * ell + 1) for ell, s in enumerate(degree_blocks(l_max))])


def layer(part, density: Tensor, kind: Tensor, l_max: int) -> tuple[Tensor, Tensor, Tensor]:
    density = scaled(part.scale_density.factor, density)
    product = by_degree(part.mix_product.weight, scaled(part.scale_product.factor, square(part.paths, density, l_max)))
    other = by_degree(part.mix_density.weight, density)
    rows = [density[:1], inner(density, density, l_max), inner(product, other, l_max), inner(product, product, l_max)]
    scalars = torch.cat(rows) * part.scale_scalars.factor[:, None, None]
    hidden = scalars.transpose(0, 1).flatten(1) @ part.first * part.centre[kind]
    return density, product, 1.7 * hidden * torch.sigmoid(hidden) @ part.second


def messages(model: Equivariant, vectors: Tensor, b: Tensor, u: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Sum over edges of Y_lm(r_ij) sum_l' R_l'c(r) (Y_l'(r_ij) . u_j,l'), one edge at a time: [lm, N, C]."""
    y = harmonics(vectors, model.config.l_max)
    blocks = degree_blocks(model.config.l_max)
    rows = [torch.zeros(y.shape[1], u.shape[2], dtype=u.dtype) for _ in range(u.shape[1])]
    for e, (j, i) in enumerate(zip(source.tolist(), target.tolist(), strict=True)):
        passed = torch.zeros(u.shape[2], dtype=u.dtype)
        for degree in range(math.isqrt(model.components)):
            passed = passed + (b[e] @ model.radial[degree]) * (y[e, blocks[degree]] @ u[blocks[degree], j])
        rows[i] = rows[i] + torch.outer(y[e], passed)
    return torch.stack(rows, 1)


def scalars(model: Equivariant, graph, vectors: Tensor) -> Tensor:
    """Scalars [N, 2 C] of the whole model."""
    l_max, (source, target), kind = model.config.l_max, graph.edge_index, model.atom_species(graph)
    y = harmonics(vectors, l_max)
    b = bessel(vectors.norm(dim=1), model.cutoff_A, model.config.radial) * model.radial_scale
    element = model.element[kind[source]]
    start = scaled(model.scale_moments.factor, moments(y, b, element, target, len(graph.z)))
    density, product, h = layer(model.layers[0], by_degree(model.density.weight, start) * model.centre[kind], kind, l_max)
    u = by_degree(model.tensors.weight, torch.cat([density, product], 2))
    gates = (h @ model.gate).view(len(h), l_max + 1, -1)
    u = torch.cat([h[None], *[u[s] * (1 + gates[:, ell]) for ell, s in enumerate(degree_blocks(l_max)) if ell]])
    received = scaled(model.scale_received.factor, messages(model, vectors, b, u, source, target))
    _, _, h2 = layer(model.layers[1], by_degree(model.second_density.weight, torch.cat([received, u], 2)), kind, l_max)
    return torch.cat([h, h2], 1)
