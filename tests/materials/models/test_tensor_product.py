"""The tensor-product model: couplings exact after a change of dtype, and its features turn as their degree says."""

from __future__ import annotations

import torch
from ase.build import bulk
from e3nn import o3

from sciml.materials.graph import build_graphs, edge_vectors
from sciml.materials.kernels import harmonics
from sciml.materials.models import build_model


def model_and_graph():
    atoms = bulk("NaCl", "rocksalt", a=5.3)
    atoms.rattle(0.2, seed=1)
    graph = build_graphs([atoms], 4.0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model({"kind": "tensor-product", "cutoff_A": 4.0, "channels": 3, "layers": 2}, [11, 17])
    model.fit_scales([graph])
    return model.double(), graph


def test_couplings_are_exact_in_double():
    model, _ = model_and_graph()
    names = [name for name, _ in model.named_buffers() if "_w3j_" in name]
    assert names
    for name in names:
        first, second, third = map(int, name.rsplit("_", 3)[1:])
        exact = o3.wigner_3j(first, second, third, dtype=torch.float64)
        assert (dict(model.named_buffers())[name] - exact).abs().max() < 1e-15


def test_tensors_turn_with_the_crystal():
    model, graph = model_and_graph()
    vectors = edge_vectors(graph)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64))[0]
    before, after = model(graph, vectors).tensors, model(graph, vectors @ turn.T).tensors
    for degree, tensor in before.items():
        u = torch.nn.functional.normalize(torch.randn(50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64), dim=1)
        rows = slice(degree**2, (degree + 1) ** 2)
        d = torch.linalg.lstsq(harmonics(u, 2)[:, rows], harmonics(u @ turn.T, 2)[:, rows]).solution.T  # Y(R u) = D Y(u)
        assert (after[degree] - torch.einsum("ab,nbc->nac", d, tensor)).abs().max() < 1e-12 * max(1.0, float(tensor.abs().max()))
