"""Models: graphs to features of atoms, behind one contract; heads turn features into quantities."""

from __future__ import annotations

from sciml.materials.models import equivariant, invariant, tensor_product
from sciml.materials.models.contract import AtomFeatures, AtomModel, ModelConfig, build_model, model_kinds, parse_config, register
from sciml.materials.models.heads import EnergyHead

__all__ = [
    "AtomFeatures",
    "AtomModel",
    "EnergyHead",
    "ModelConfig",
    "build_model",
    "equivariant",
    "invariant",
    "model_kinds",
    "parse_config",
    "register",
    "tensor_product",
]
