"""Padded blocks hold every edge once, and reversed slots find each other."""

from __future__ import annotations

import torch
from ase import Atoms
from ase.build import bulk

from sciml.materials.graph import build_graphs, edge_vectors
from sciml.materials.kernels import neighbour_blocks


def test_slots_hold_every_edge_once_and_know_their_reverse():
    graph = build_graphs([bulk("NaCl", "rocksalt", a=5.6), Atoms("Na"), bulk("Cu")], 4.0)
    blocks, vectors = neighbour_blocks(graph), edge_vectors(graph)
    edges = len(vectors)
    assert torch.equal(torch.sort(blocks.edges[blocks.edges < edges]).values, torch.arange(edges))
    atom = torch.arange(len(graph.z)).repeat_interleave(blocks.shape[1])
    filled = blocks.edges < edges
    assert torch.equal(graph.edge_index[1][blocks.edges[filled]], atom[filled])
    padded = blocks.fill(vectors, 4.0)
    assert torch.allclose(padded[blocks.reverse][filled], -padded[filled])
    assert torch.equal(blocks.reverse[blocks.reverse], torch.arange(len(blocks.reverse)))
    assert torch.allclose(padded[~filled], torch.tensor([0.0, 0.0, 4.0], dtype=torch.float64))
    assert torch.equal(blocks.sources(graph, graph.z)[filled], graph.z[graph.edge_index[0]][blocks.edges[filled]])


def test_no_edges():
    blocks = neighbour_blocks(build_graphs([Atoms("Na"), Atoms("Cl")], 3.0))
    assert blocks.shape == (2, 1) and blocks.edges.tolist() == [0, 0]
