"""Every fused part of the equivariant model equals the plain form written with e3nn, derivatives included."""

from __future__ import annotations

import pytest
import torch
from ase.build import bulk

from sciml.materials.graph import build_graphs, edge_vectors
from sciml.materials.kernels import Products, neighbour_blocks
from sciml.materials.models import build_model
from tests.materials.models import equivariant_reference as plain

TOLERANCE = 1e-12  # float64, relative to the largest value


def crystals():
    salt = bulk("NaCl", "rocksalt", a=5.3)
    salt.rattle(0.2, seed=1)
    slab = bulk("NaCl", "zincblende", a=5.0, cubic=True)[:5]  # uneven numbers of neighbours, one open direction
    slab.pbc = [True, True, False]
    slab.rattle(0.1, seed=2)
    return build_graphs([salt, slab], 3.6)


def model_and_graph(**options):
    graph = crystals()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = build_model({"kind": "equivariant", "cutoff_A": 3.6, "channels": 5, "radial": 4, "hidden": 7, **options}, [11, 17])
        model.fit_scales([graph])
    return model.double(), graph


def close(ours, theirs):
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= TOLERANCE * max(1.0, float(theirs.abs().max()))


def compare(function, reference, inputs):
    """Values, first and second derivatives of two functions, contracted with the same random numbers."""
    generator = torch.Generator().manual_seed(7)
    results = []
    for call in (function, reference):
        generator.manual_seed(7)
        leaves = [x.detach().clone().requires_grad_(True) for x in inputs]
        value = call(*leaves)
        weights = torch.randn(value.shape, generator=generator, dtype=value.dtype)
        first = torch.autograd.grad((value * weights).sum(), leaves, create_graph=True)
        slope = sum((g * torch.randn(g.shape, generator=generator, dtype=g.dtype)).sum() for g in first)
        second = torch.autograd.grad(slope, leaves, allow_unused=True)
        results.append([value, *first, *[torch.zeros_like(x) if g is None else g for x, g in zip(leaves, second, strict=True)]])
    for ours, theirs in zip(*results, strict=True):
        close(ours.detach(), theirs.detach())


def both_ways(graph, call):
    """`call` as a function of free vectors, of which an edge and its reverse share the odd part: what positions and cells can change."""
    return lambda free, *rest: call((free - free[graph.edge_reverse]) / 2, *rest)


@pytest.mark.parametrize("l_max", [0, 1, 2, 3, 4])
def test_products_on_atoms(l_max):
    generator = torch.Generator().manual_seed(l_max)
    a = torch.randn((l_max + 1) ** 2, 3, 5, generator=generator, dtype=torch.float64)
    products = Products(l_max)
    paths = torch.randn(len(products.paths), 5, generator=generator, dtype=torch.float64)
    compare(products.square, lambda w, x: plain.square(w, x, l_max), [paths, a])
    compare(products.inner, lambda x, y: plain.inner(x, y, l_max), [a, a.flip(1)])


def test_neighbour_sum():
    model, graph = model_and_graph()
    blocks, kind = neighbour_blocks(graph), model.atom_species(graph)
    source, target = graph.edge_index

    def fused(vectors):
        return model.moments(*model.geometry(blocks, vectors), blocks, blocks.sources(graph, kind))

    def loops(vectors):
        b = plain.bessel(vectors.norm(dim=1), 3.6, 4) * model.radial_scale
        return plain.moments(plain.harmonics(vectors, 3), b, model.element[kind[source]], target, len(graph.z))

    compare(fused, loops, [edge_vectors(graph)])


@pytest.mark.parametrize("message_l_max", [0, 2, 3])
def test_second_layer(message_l_max):
    model, graph = model_and_graph(message_l_max=message_l_max)
    blocks, (source, target) = neighbour_blocks(graph), graph.edge_index
    u = torch.randn(16, len(graph.z), 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def fused(vectors, features):
        return model.messages(*model.geometry(blocks, vectors), features, blocks)

    def loops(vectors, features):
        b = plain.bessel(vectors.norm(dim=1), 3.6, 4) * model.radial_scale
        return plain.messages(model, vectors, b, features, source, target)

    compare(both_ways(graph, fused), both_ways(graph, loops), [edge_vectors(graph), u])


@pytest.mark.parametrize("l_max", [1, 3])
def test_whole_model(l_max):
    model, graph = model_and_graph(l_max=l_max, message_l_max=min(2, l_max))
    fused, loops = (lambda v: model(graph, v).scalars), (lambda v: plain.scalars(model, graph, v))
    compare(both_ways(graph, fused), both_ways(graph, loops), [edge_vectors(graph)])
