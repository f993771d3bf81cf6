"""Materials: structures in, audited potentials out. Each name is loaded at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciml.door import open_door

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

open_door(__name__, _MODULES)
