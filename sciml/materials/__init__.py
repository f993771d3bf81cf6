"""Materials: structures in, audited potentials out. Each name is loaded at its first use."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sciml.materials.audit import Audit, audit
    from sciml.materials.datasets import list_datasets, load_dataset
    from sciml.materials.dynamics import MolecularDynamics, molecular_dynamics
    from sciml.materials.graph import CrystalGraph, build_graph, build_graphs
    from sciml.materials.model_file import list_potentials, load_potential
    from sciml.materials.potential import Potential, Prediction
    from sciml.materials.relaxation import Relaxation, relax
    from sciml.materials.structure import iterate_structures, read_structures
    from sciml.materials.training import Recipe, train_potential

__all__ = [
    "read_structures",
    "iterate_structures",
    "build_graph",
    "build_graphs",
    "load_potential",
    "list_potentials",
    "list_datasets",
    "load_dataset",
    "train_potential",
    "audit",
    "relax",
    "molecular_dynamics",
    "CrystalGraph",
    "Potential",
    "Prediction",
    "Recipe",
    "Audit",
    "Relaxation",
    "MolecularDynamics",
]

_MODULES = {
    "structure": ("read_structures", "iterate_structures"),
    "graph": ("build_graph", "build_graphs", "CrystalGraph"),
    "model_file": ("load_potential", "list_potentials"),
    "datasets": ("list_datasets", "load_dataset"),
    "training": ("train_potential", "Recipe"),
    "audit": ("audit", "Audit"),
    "relaxation": ("relax", "Relaxation"),
    "dynamics": ("molecular_dynamics", "MolecularDynamics"),
    "potential": ("Potential", "Prediction"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load the module that holds `name`, keep the name here."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sciml.materials' has no attribute {name!r}; it has {', '.join(__all__)}")
    globals()[name] = value = getattr(importlib.import_module(f"sciml.materials.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    """What stands behind the door, for completion."""
    return sorted(set(globals()) | set(__all__))


class _Door(ModuleType):
    """Keeps `audit` the call: importing the package `sciml.materials.audit` would put the module in its place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door
