"""Edges as padded blocks [N, M, ...]: one row of M slots for each atom, so that work on edges is element-wise work and batched products."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sciml.materials.graph import CrystalGraph


class Blocks(NamedTuple):
    """Edges as padded blocks: slot s of atom i holds an edge, or the pad number E."""

    edges: Tensor  # [N * M] edge in the slot, or E
    reverse: Tensor  # [N * M] slot of the reversed edge, a pad's own number for pads
    shape: tuple[int, int]  # N, M

    def fill(self, vectors: Tensor, cutoff: float) -> Tensor:
        """Edge vectors [E, 3] in the slots, [N * M, 3]; pads get a vector of the cut-off's length, where radial functions vanish."""
        return torch.cat([vectors, vectors.new_tensor([[0.0, 0.0, cutoff]])])[self.edges]

    def sources(self, graph: CrystalGraph, values: Tensor) -> Tensor:
        """`values` [N] of the neighbour in each slot, [N * M]; 0 in pads."""
        return torch.cat([values[graph.edge_index[0]], values.new_zeros(1)])[self.edges]


def neighbour_blocks(graph: CrystalGraph) -> Blocks:
    """Padded blocks of the edges of a graph (edges sorted by target)."""
    target = graph.edge_index[1]
    atoms, number = len(graph.z), len(target)
    counts = torch.bincount(target, minlength=atoms)
    width = max(int(counts.max()), 1) if number else 1
    place = torch.arange(number, device=target.device)
    slot = target * width + place - (counts.cumsum(0) - counts)[target]  # [E]
    edges = torch.full((atoms * width,), number, device=target.device)
    edges[slot] = place
    reverse = torch.arange(atoms * width, device=target.device)
    reverse[slot] = slot[graph.edge_reverse]
    return Blocks(edges, reverse, (atoms, width))
