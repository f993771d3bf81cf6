"""Message passing on distances and angles: every feature is a scalar.

With weights w_ij,c = (B(r_ij) W)_c x_j,c of the neighbours j of atom i, each carrying the cut-off of its edge,

    s_i,c   = sum_j w_ij,c                              distances
    t_i,l,c = sum_jk w_ij,c w_ik,c P_l(cos theta_jik)   angles, Legendre polynomials of the cosine, never of the angle
    x_i    += MLP(s_i, t_i)                             without biases

The cosines of an atom are one product of its unit vectors with themselves, [M, M]; triplets are never listed. Blind to what distances and
angles around single atoms cannot tell apart (Pozdnyakov et al. 2020), which is what the equivariant model is for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from sciml.materials.graph import CrystalGraph, collate, edge_vectors
from sciml.materials.kernels import Blocks, bessel, neighbour_blocks
from sciml.materials.models.contract import AtomFeatures, AtomModel, ModelConfig, register
from sciml.materials.models.scales import Scale, measuring


class InvariantConfig(ModelConfig):
    """Hyper-parameters of the invariant model."""

    kind: Literal["invariant"] = "invariant"
    angular: int = Field(4, ge=1, le=8)
    """Highest Legendre polynomial of the angles; raising it tells sharper angles apart at linear cost."""
    channels: int = Field(48, ge=4, le=256)
    """Features of an atom; raising it fits more and costs about linearly."""
    layers: int = Field(3, ge=1, le=6)
    """Rounds of message passing; raising it sees further than the cut-off and costs linearly."""
    radial: int = Field(8, ge=2, le=32)
    """Number of radial (Bessel) functions; raising it resolves distances finer and can follow noise."""
    hidden: int = Field(48, ge=4, le=512)
    """Width of the networks; raising it makes features more non-linear."""


def legendre(x: Tensor, highest: int) -> list[Tensor]:
    """P_1 .. P_highest of x by Bonnet's recursion, each of the shape of x."""
    values = [torch.ones_like(x), x]
    for n in range(1, highest):
        values.append(((2 * n + 1) * x * values[n] - n * values[n - 1]) / (n + 1))
    return values[1 : highest + 1]


class _Layer(nn.Module):
    def __init__(self, config: InvariantConfig, species: int) -> None:
        super().__init__()
        c, rows = config.channels, config.angular + 1
        self.radial = nn.Parameter(torch.randn(config.radial, c) / math.sqrt(config.radial))
        self.first = nn.Parameter(torch.randn(rows * c, config.hidden) / math.sqrt(rows * c))
        self.second = nn.Parameter(torch.randn(config.hidden, c) / math.sqrt(config.hidden))
        self.centre = nn.Parameter(torch.ones(species, config.hidden))
        self.scale = Scale(torch.arange(rows))

    def forward(self, b: Tensor, angles: list[Tensor], x: Tensor, kind: Tensor, blocks: Blocks, source: Tensor) -> Tensor:
        weights = (b @ self.radial) * x[source].view(*blocks.shape, -1)  # [N, M, C]
        rows = [weights.sum(1), *((weights * torch.bmm(p, weights)).sum(1) for p in angles)]  # each [N, C]
        flat = self.scale(torch.stack(rows)).transpose(0, 1).flatten(1)  # [N, rows C]
        return 1.7 * nn.functional.silu(flat @ self.first * self.centre[kind]) @ self.second


@register(InvariantConfig)
class Invariant(AtomModel):
    """Scalars [N, layers * C] from distances and cosines of angles; no tensors."""

    radial_scale: Tensor

    def __init__(self, config: InvariantConfig, species: Sequence[int]) -> None:
        super().__init__(config, species)
        self.highest, kinds = config.angular, len(self.species)
        self.feature_channels = config.layers * config.channels
        self.element = nn.Parameter(torch.ones(kinds, config.channels) if kinds == 1 else torch.randn(kinds, config.channels))
        self.layers = nn.ModuleList([_Layer(config, kinds) for _ in range(config.layers)])
        self.register_buffer("radial_scale", torch.ones(config.radial))

    def forward(self, graph: CrystalGraph, vectors: Tensor) -> AtomFeatures:
        """Scalars [N, layers * C] for edge vectors [E, 3] in angstrom."""
        blocks, kind = neighbour_blocks(graph), self.atom_species(graph)
        v = blocks.fill(vectors, self.cutoff_A)
        r = v.square().sum(1, keepdim=True).sqrt()
        b = bessel(r, self.cutoff_A, self.radial_scale).view(*blocks.shape, -1)  # [N, M, n]
        u = (v / r).view(*blocks.shape, 3)
        angles = legendre(torch.bmm(u, u.transpose(1, 2)), self.highest)  # each [N, M, M]
        source = blocks.sources(graph, torch.arange(len(graph.z), device=v.device))
        x, features = self.element[kind], []
        for layer in self.layers:
            features.append(layer(b, angles, x, kind, blocks, source))
            x = x + features[-1]
        return AtomFeatures(torch.cat(features, 1))

    @torch.no_grad()
    def fit_scales(self, graphs: Iterable[CrystalGraph]) -> None:
        """Set the radial functions and every `Scale` to rms 1 on the training graphs (some tens of them are enough)."""
        graph = collate(list(graphs))
        vectors = edge_vectors(graph).to(self.radial_scale)
        if len(vectors):
            radial = bessel(vectors.norm(dim=1, keepdim=True), self.cutoff_A, torch.ones_like(self.radial_scale))
            self.radial_scale.copy_(radial.square().mean(0).clamp(min=1e-12).rsqrt())
            with measuring(self):
                self(graph, vectors)
