"""What a model maps: a graph and its edge vectors to features of atoms; the registry of models.

Any quantity is made from `AtomFeatures` by a head (`models.heads`). A model must be differentiable twice, smooth (C^2) at the cut-off,
extensive (features of an atom depend on its surroundings only), and give scalars that are exactly zero for an atom without neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from sciml.errors import ConfigError
from sciml.materials.graph import CrystalGraph


@dataclass(frozen=True)
class AtomFeatures:
    """Features of N atoms: scalars [N, C] and, by degree l, tensors [N, 2l + 1, C] of parity (-1)^l (order of `kernels.tables`)."""

    scalars: Tensor
    tensors: dict[int, Tensor] = field(default_factory=dict)


class ModelConfig(BaseModel):
    """Hyper-parameters that all models share."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    kind: str
    """Name of the model in the registry."""
    cutoff_A: float = Field(5.0, gt=0.5, le=20.0)
    """Distance in angstrom up to which atoms are neighbours; raising it sees further and costs its third power."""


class AtomModel(nn.Module):
    """Base of all models: graph and edge vectors in, `AtomFeatures` out, in the dtype of the vectors."""

    species_index: Tensor

    def __init__(self, config: ModelConfig, species: Sequence[int]) -> None:
        super().__init__()
        self.config = config
        self.species = tuple(sorted({int(z) for z in species}))
        if not self.species or not 1 <= self.species[0] <= self.species[-1] <= 118:
            raise ConfigError(f"species: found {list(species)}; a model needs atomic numbers between 1 and 118")
        index = torch.full((119,), -1, dtype=torch.int64)
        index[list(self.species)] = torch.arange(len(self.species))
        self.register_buffer("species_index", index, persistent=False)
        self.feature_channels = 0  # C of the scalars, set by the model

    @property
    def cutoff_A(self) -> float:
        """Cut-off in angstrom."""
        return self.config.cutoff_A

    def atom_species(self, graph: CrystalGraph) -> Tensor:
        """Position of each atom's element in `species`, [N] int64."""
        return self.species_index[graph.z]

    def fit_scales(self, graphs: Iterable[CrystalGraph]) -> None:
        """Set normalisation constants from training graphs; models without such constants do nothing."""

    def forward(self, graph: CrystalGraph, vectors: Tensor) -> AtomFeatures:
        """Features of the atoms of `graph` for edge vectors [E, 3] in angstrom (target to source)."""
        raise TypeError(f"{type(self).__name__} defines no forward")


_MODELS: dict[str, tuple[type[ModelConfig], type[AtomModel]]] = {}


def register(config: type[ModelConfig]) -> Callable[[type[AtomModel]], type[AtomModel]]:
    """Class decorator: enters a model with its config class under the default of the config's `kind`."""

    def enter(model: type[AtomModel]) -> type[AtomModel]:
        _MODELS[config.model_fields["kind"].default] = (config, model)
        return model

    return enter


def model_kinds() -> tuple[str, ...]:
    """Names of the registered models."""
    return tuple(sorted(_MODELS))


def parse_config(options: ModelConfig | dict[str, Any] | str) -> ModelConfig:
    """A checked config from a config, a dict with `kind`, or the name of a model alone."""
    if isinstance(options, ModelConfig):
        return options
    values = {"kind": options} if isinstance(options, str) else dict(options)
    kind = values.get("kind")
    if kind not in _MODELS:
        raise ConfigError(f"model.kind: found {kind!r}; right would be one of {', '.join(model_kinds())}")
    try:
        return _MODELS[kind][0](**values)
    except ValidationError as error:
        lines = "; ".join(f"model.{'.'.join(map(str, e['loc']))}: {e['msg']}, found {e['input']!r}" for e in error.errors())
        raise ConfigError(lines) from None


def build_model(options: ModelConfig | dict[str, Any] | str, species: Sequence[int]) -> AtomModel:
    """A model with random weights (torch's current generator) for the elements `species` (atomic numbers)."""
    config = parse_config(options)
    return _MODELS[config.kind][1](config, species)
