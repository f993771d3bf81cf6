"""The fast equivariant model, whole in this file (its kernels aside): atomic cluster expansion in two layers.

Per atom i, with neighbours j in padded blocks of M slots (pads sit at the cut-off, where every radial function is zero):

    A_i,lm,c = sum_j Y_lm(r_ij) R_lc(r_ij, z_j)          density, two-body
    D_i,lm,c = sum_paths w (A x A)_lm                    products on atoms, three-body        (MACE, arXiv 2206.07697, eq. 10)
    s_i      = A_00, A.A, D.A', D.D  by degree           invariants, up to five-body
    h_i      = MLP(s_i) without biases, u_i = mix(A, D)  scalars and tensors of the layer

The second layer repeats this with a density whose weights come from the neighbour: R_c(r) (Y(r_ij) . u_j), a scalar for each edge and
channel. It is evaluated in the block of the neighbour j and carried to i by one gather along reversed edges.
Everything is bias-free, so that an atom without neighbours has features that are exactly zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from sciml.materials.graph import CrystalGraph, collate, edge_vectors
from sciml.materials.kernels import Blocks, Products, bessel, harmonics, messages, neighbour_blocks
from sciml.materials.kernels.tables import couplings, degrees
from sciml.materials.models.contract import AtomFeatures, AtomModel, ModelConfig, register
from sciml.materials.models.scales import Scale, measuring


class EquivariantConfig(ModelConfig):
    """Hyper-parameters of the equivariant model."""

    kind: Literal["equivariant"] = "equivariant"
    l_max: int = Field(3, ge=0, le=4)
    """Highest degree of the spherical harmonics; raising it sees finer angles and costs about its square."""
    channels: int = Field(32, ge=4, le=256)
    """Features of each component; raising it fits more and costs between its first and second power."""
    radial: int = Field(6, ge=2, le=32)
    """Number of radial (Bessel) functions; raising it resolves distances finer and can follow noise."""
    hidden: int = Field(32, ge=4, le=512)
    """Width of the scalar networks; raising it makes the energy more non-linear in the invariants."""
    species_channels: int = Field(4, ge=1, le=32)
    """Features by which neighbours' elements are told apart (never more than there are elements)."""
    message_l_max: int = Field(2, ge=0, le=4)
    """Highest degree of the tensors that neighbours pass on in the second layer (at most l_max)."""


def _normal(*shape: int, fan_in: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape) / math.sqrt(fan_in))


class ByDegree(nn.Module):
    """Linear map of channels, one matrix for each degree: [lm, N, C_in] -> [lm, N, C_out]."""

    degree: Tensor

    def __init__(self, l_max: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = _normal(l_max + 1, inputs, outputs, fan_in=inputs)
        self.register_buffer("degree", torch.from_numpy(degrees(l_max)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[lm, N, C_in] -> [lm, N, C_out]."""
        return torch.bmm(x, self.weight[self.degree])


class Invariants(nn.Module):
    """From a density A [lm, N, C] to itself in units of its rms, products D [lm, N, C] and scalars h [N, C]."""

    def __init__(self, config: EquivariantConfig, species: int) -> None:
        super().__init__()
        c, l_max, self.products = config.channels, config.l_max, Products(config.l_max)
        self.paths = _normal(len(couplings(l_max).paths), c, fan_in=1)
        self.mix_product, self.mix_density = ByDegree(l_max, c, c), ByDegree(l_max, c, c)
        self.first = _normal((3 * (l_max + 1) + 1) * c, config.hidden, fan_in=(3 * (l_max + 1) + 1) * c)
        self.second = _normal(config.hidden, c, fan_in=config.hidden)
        self.centre = nn.Parameter(torch.ones(species, config.hidden))
        degree = torch.from_numpy(degrees(l_max))
        self.scale_density, self.scale_product, self.scale_scalars = Scale(degree), Scale(degree), Scale(torch.arange(3 * l_max + 4))

    def forward(self, density: Tensor, kind: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Density [lm, N, C] in units of its rms, products [lm, N, C], scalars [N, C]; `kind` [N] is the place of the element."""
        density = self.scale_density(density)
        product = self.mix_product(self.scale_product(self.products.square(self.paths, density)))  # [lm, N, C]
        other = self.mix_density(density)  # [lm, N, C]
        scalars = torch.cat(
            [
                density[:1],
                self.products.inner(density, density),  # [l_max + 1, N, C]
                self.products.inner(product, other),
                self.products.inner(product, product),
            ]
        )
        flat = self.scale_scalars(scalars).transpose(0, 1).flatten(1)  # [N, (3 l_max + 4) C]
        hidden = flat @ self.first * self.centre[kind]  # [N, hidden]
        return density, product, 1.7 * nn.functional.silu(hidden) @ self.second


@register(EquivariantConfig)
class Equivariant(AtomModel):
    """Two layers of cluster expansion; scalars [N, 2 C], tensors of the first layer [N, 2l + 1, C] for l = 1..l_max."""

    config: EquivariantConfig
    degree: Tensor
    mirror: Tensor
    radial_scale: Tensor

    def __init__(self, config: EquivariantConfig, species: Sequence[int]) -> None:
        super().__init__(config, species)
        c, l_max, n = config.channels, config.l_max, config.radial
        kinds = len(self.species)
        self.element_channels = min(config.species_channels, kinds)
        self.components = (min(config.message_l_max, l_max) + 1) ** 2
        self.feature_channels = 2 * c
        self.element = nn.Parameter(
            torch.eye(kinds, self.element_channels) if kinds == self.element_channels else torch.randn(kinds, self.element_channels)
        )
        self.centre = nn.Parameter(torch.ones(kinds, c))
        self.density = ByDegree(l_max, n * self.element_channels, c)
        self.layers = nn.ModuleList([Invariants(config, kinds) for _ in range(2)])
        self.tensors = ByDegree(l_max, 2 * c, c)
        self.gate = _normal(c, (l_max + 1) * c, fan_in=c)
        self.radial = _normal(l_max + 1, n, c, fan_in=n * self.components)
        self.second_density = ByDegree(l_max, 2 * c, c)
        degree = torch.from_numpy(degrees(l_max))
        self.register_buffer("degree", degree, persistent=False)
        self.register_buffer("mirror", (-1.0) ** degree[: self.components], persistent=False)
        self.register_buffer("radial_scale", torch.ones(n))
        self.scale_moments, self.scale_received = Scale(degree), Scale(degree)

    def geometry(self, blocks: Blocks, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Harmonics [N, M, lm] and scaled radial functions [N, M, n] of the padded blocks."""
        v = blocks.fill(vectors, self.cutoff_A)  # [N M, 3]
        r = v.square().sum(1, keepdim=True).sqrt()
        y = harmonics(v / r, self.config.l_max)
        b = bessel(r, self.cutoff_A, self.radial_scale)
        return y.view(*blocks.shape, -1), b.view(*blocks.shape, -1)

    def moments(self, y: Tensor, b: Tensor, blocks: Blocks, kind_of_slot: Tensor | None) -> Tensor:
        """Unscaled density on the basis: sum over neighbours of Y_lm B_n e_k(z), [lm, N, n k]."""
        if kind_of_slot is not None:
            b = (b.unsqueeze(3) * self.element[kind_of_slot].view(*blocks.shape, 1, -1)).flatten(2)  # [N, M, n k]
        return torch.bmm(y.transpose(1, 2), b).transpose(0, 1)

    def forward(self, graph: CrystalGraph, vectors: Tensor) -> AtomFeatures:
        """Scalars [N, 2 C] and tensors {l: [N, 2l + 1, C]} for edge vectors [E, 3] in angstrom."""
        blocks, kind = neighbour_blocks(graph), self.atom_species(graph)
        y, b = self.geometry(blocks, vectors)
        moments = self.moments(y, b, blocks, self._slot_species(graph, blocks, kind))
        density = self.density(self.scale_moments(moments)) * self.centre[kind]  # [lm, N, C]
        density, product, h = self.layers[0](density, kind)
        u = self.tensors(torch.cat([density, product], 2))  # [lm, N, C]
        gate = (h @ self.gate).view(len(h), -1, h.shape[1]).transpose(0, 1)[self.degree]
        u = torch.cat([h.unsqueeze(0), (u * (1 + gate))[1:]])
        received = self.messages(y, b, u, blocks)  # [lm, N, C]
        density = self.second_density(torch.cat([self.scale_received(received), u], 2))
        _, _, h2 = self.layers[1](density, kind)
        tensors = {ell: u[ell**2 : (ell + 1) ** 2].transpose(0, 1) for ell in range(1, self.config.l_max + 1)}
        return AtomFeatures(torch.cat([h, h2], 1), tensors)

    def messages(self, y: Tensor, b: Tensor, u: Tensor, blocks: Blocks) -> Tensor:
        """Second density [lm, N, C]: sum over neighbours of Y_lm(r_ij) sum_n B_n(r) sum_l'm' w Y_l'm'(r_ij) u_j,l'm'."""
        k, c = self.components, u.shape[2]
        turned = y[..., :k] * self.mirror  # [N, M, k], harmonics as seen from the neighbour
        weights = self.radial[self.degree[:k]].transpose(0, 1)  # [n, k, C]
        passed = (weights.unsqueeze(0) * u[:k].permute(1, 0, 2).unsqueeze(1)).reshape(len(y), -1, c)  # [N, n k, C]
        sent = messages(b, turned, passed).view(-1, c)[blocks.reverse]  # [N M, C], now in the blocks of the receiver
        summed = torch.bmm(y.transpose(1, 2), sent.view(*blocks.shape, c))  # [N, lm, C]
        return summed.transpose(0, 1)

    def _slot_species(self, graph: CrystalGraph, blocks: Blocks, kind: Tensor) -> Tensor | None:
        if self.element_channels == 1:
            return None
        return blocks.sources(graph, kind)

    @torch.no_grad()
    def fit_scales(self, graphs: Iterable[CrystalGraph]) -> None:
        """Set the radial functions and every `Scale` to rms 1 on the training graphs (some tens of them are enough)."""
        graph = collate(list(graphs))
        vectors = edge_vectors(graph).to(self.radial_scale)
        if not len(vectors):
            return
        radial = bessel(vectors.norm(dim=1, keepdim=True), self.cutoff_A, torch.ones_like(self.radial_scale))
        self.radial_scale.copy_(radial.square().mean(0).clamp(min=1e-12).rsqrt())
        with measuring(self):
            self(graph, vectors)
