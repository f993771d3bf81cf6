"""Full tensor products on edges by e3nn: the slow and general form that the fast model is compared with (NequIP, arXiv 2101.03164).

    m_i = sum_j TP_w(r)(x_j, Y(r_ij)),   x_i <- gate(mix(m_i) + mix(x_i)),   weights w(r) of every path and channel by a radial network

e3nn is imported when a model is built, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from sciml.materials.graph import CrystalGraph, collate, edge_vectors
from sciml.materials.kernels import bessel, harmonics
from sciml.materials.models.contract import AtomFeatures, AtomModel, ModelConfig, register


class TensorProductConfig(ModelConfig):
    """Hyper-parameters of the tensor-product model."""

    kind: Literal["tensor-product"] = "tensor-product"
    l_max: int = Field(2, ge=0, le=3)
    """Highest degree of harmonics and features; raising it sees finer angles at about its third power in cost."""
    channels: int = Field(16, ge=2, le=128)
    """Features of each component; raising it fits more and costs linearly."""
    layers: int = Field(3, ge=1, le=6)
    """Rounds of message passing; raising it sees further than the cut-off and costs linearly."""
    radial: int = Field(8, ge=2, le=32)
    """Number of radial (Bessel) functions; raising it resolves distances finer."""
    hidden: int = Field(32, ge=4, le=256)
    """Width of the radial network; raising it makes weights vary faster with distance."""


class _Layer(nn.Module):
    """One convolution: irreps in -> irreps out, gated."""

    def __init__(self, config: TensorProductConfig, irreps_in: Any, irreps_out: Any) -> None:
        from e3nn import o3

        super().__init__()
        harmonic = o3.Irreps.spherical_harmonics(config.l_max)
        middle: list[Any] = []
        paths: list[Any] = []
        for i, (mul, ir_in) in enumerate(irreps_in):
            for j, (_, ir_edge) in enumerate(harmonic):
                for ir_out in ir_in * ir_edge:
                    if ir_out in [ir for _, ir in irreps_out]:
                        paths.append((i, j, len(middle), "uvu", True))
                        middle.append((mul, ir_out))
        self.product = o3.TensorProduct(irreps_in, harmonic, middle, paths, shared_weights=False, internal_weights=False)
        gates = config.channels * (len(irreps_out) - 1)
        mixed = o3.Irreps([(gates, "0e"), *irreps_out])
        self.mix, self.own = o3.Linear(o3.Irreps(middle), mixed), o3.Linear(irreps_in, mixed)
        self.weights = nn.Sequential(
            nn.Linear(config.radial, config.hidden, bias=False), nn.SiLU(), nn.Linear(config.hidden, self.product.weight_numel, bias=False)
        )
        self.channels, self.gates, self.sizes = config.channels, gates, [mul * ir.dim for mul, ir in irreps_out]

    def forward(self, x: Tensor, y: Tensor, b: Tensor, graph: CrystalGraph, norm: Tensor, first: bool) -> Tensor:
        source, target = graph.edge_index
        messages = self.product(x[source], y, 3.0 * self.weights(b))
        summed = x.new_zeros(len(x), messages.shape[1]).index_add(0, target, messages) * norm
        mixed = self.mix(summed) if first else self.mix(summed) + self.own(x)  # the first layer must not see a lone atom's element
        gates, scalars, *tensors = mixed.split([self.gates, *self.sizes], 1)
        parts = [1.7 * nn.functional.silu(scalars)]
        for gate, tensor in zip(gates.split(self.channels, 1), tensors, strict=True):
            parts.append((torch.sigmoid(gate).unsqueeze(2) * tensor.view(len(x), self.channels, -1)).flatten(1))
        return torch.cat(parts, 1)


@register(TensorProductConfig)
class TensorProduct(AtomModel):
    """Scalars [N, layers * C] and the tensors of the last layer by degree."""

    config: TensorProductConfig
    radial_scale: Tensor
    norm: Tensor

    def __init__(self, config: TensorProductConfig, species: Sequence[int]) -> None:
        from e3nn import o3

        super().__init__(config, species)
        c = config.channels
        self.feature_channels = config.layers * c
        self.element = nn.Parameter(torch.randn(len(self.species), c))
        hidden = o3.Irreps([(c, (degree, (-1) ** degree)) for degree in range(config.l_max + 1)])
        inputs = [o3.Irreps([(c, "0e")]), *[hidden] * (config.layers - 1)]
        self.layers = nn.ModuleList([_Layer(config, irreps, hidden) for irreps in inputs])
        self.register_buffer("radial_scale", torch.ones(config.radial))
        self.register_buffer("norm", torch.tensor(0.25))

    def forward(self, graph: CrystalGraph, vectors: Tensor) -> AtomFeatures:
        """Scalars [N, layers * C] and tensors {l: [N, 2l + 1, C]} for edge vectors [E, 3] in angstrom."""
        c, x, scalars = self.config.channels, self.element[self.atom_species(graph)], []
        r = vectors.square().sum(1, keepdim=True).sqrt()
        y = harmonics(vectors / r, self.config.l_max)
        b = bessel(r, self.cutoff_A, self.radial_scale)
        for number, layer in enumerate(self.layers):
            x = layer(x, y, b, graph, self.norm, number == 0)
            scalars.append(x[:, :c])
        blocks = x.split(self.layers[-1].sizes, 1)
        tensors = {degree: block.view(len(x), c, -1).transpose(1, 2) for degree, block in enumerate(blocks) if degree}
        return AtomFeatures(torch.cat(scalars, 1), tensors)

    def _apply(self, fn: Any, recurse: bool = True) -> TensorProduct:
        """After a change of dtype the couplings are written again: e3nn holds them in float32, and float64 would inherit its rounding."""
        super()._apply(fn, recurse)
        from e3nn import o3

        for name, buffer in self.named_buffers():
            if "_w3j_" in name:
                first, second, third = map(int, name.rsplit("_", 3)[1:])
                buffer.copy_(o3.wigner_3j(first, second, third, dtype=torch.float64))
        return self

    @torch.no_grad()
    def fit_scales(self, graphs: Iterable[CrystalGraph]) -> None:
        """Radial functions of rms 1 on the training graphs, messages divided by the root of the mean number of neighbours."""
        graph = collate(list(graphs))
        vectors = edge_vectors(graph).to(self.radial_scale)
        if len(vectors):
            radial = bessel(vectors.norm(dim=1, keepdim=True), self.cutoff_A, torch.ones_like(self.radial_scale))
            self.radial_scale.copy_(radial.square().mean(0).clamp(min=1e-12).rsqrt())
            self.norm.fill_((len(graph.z) / len(vectors)) ** 0.5)
