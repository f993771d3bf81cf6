"""Structures -> one graph of their atoms and of all pairs within a cut-off. `GRAPH_FIELDS` is the contract with the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from ase import Atoms
from torch import Tensor
from torch_geometric.data import Data

from sciml.errors import DataError
from sciml.materials.neighbors import periodic_edges

__all__ = ["GRAPH_FIELDS", "CrystalGraph", "GraphField", "Triplets", "build_graph", "build_graphs", "collate", "edge_vectors", "triplets"]


@dataclass(frozen=True)
class GraphField:
    """One field of a graph: its shape in N atoms, E edges and G structures, dtype, unit and meaning."""

    name: str
    shape: str
    dtype: torch.dtype
    unit: str
    meaning: str


GRAPH_FIELDS = (
    GraphField("z", "[N]", torch.int64, "", "atomic numbers"),
    GraphField("pos", "[N, 3]", torch.float64, "A", "positions as given, wrapped into the cell or not"),
    GraphField("cell", "[G, 3, 3]", torch.float64, "A", "rows are lattice vectors, as given"),
    GraphField("pbc", "[G, 3]", torch.bool, "", "periodic directions; the vector of an open one has no effect on edges"),
    GraphField("edge_index", "[2, E]", torch.int64, "", "source j, target i; sorted by target, source, shift"),
    GraphField("edge_shift", "[E, 3]", torch.int32, "cells", "the edge vector is pos[j] + edge_shift @ cell - pos[i]"),
    GraphField("edge_reverse", "[E]", torch.int64, "", "number of the edge from i to j with the opposite shift"),
    GraphField("batch", "[N]", torch.int64, "", "structure of each atom"),
    GraphField("ptr", "[G + 1]", torch.int64, "", "structure g has the atoms ptr[g] to ptr[g + 1] - 1"),
    GraphField("energy", "[G]", torch.float64, "eV", "label, optional: total energy"),
    GraphField("forces", "[N, 3]", torch.float64, "eV/A", "label, optional: forces"),
    GraphField("stress", "[G, 3, 3]", torch.float64, "eV/A^3", "label, optional: stress, tension positive"),
    GraphField("energy_mask", "[G]", torch.bool, "", "which structures have an energy"),
    GraphField("forces_mask", "[G]", torch.bool, "", "which structures have forces"),
    GraphField("stress_mask", "[G]", torch.bool, "", "which structures have a stress"),
)
_FIELDS = {field.name: field for field in GRAPH_FIELDS}
_LABELS = ("energy", "forces", "stress")
_GEOMETRY = tuple(field.name for field in GRAPH_FIELDS[:9])


class Triplets(NamedTuple):
    """Pairs of different edges k -> i and j -> i with the same centre i, each in both orders: int64 [T] numbers of edges."""

    first: Tensor
    second: Tensor


class CrystalGraph(Data):
    """G structures as one graph, with the fields of `GRAPH_FIELDS`; `graph[g]` and `to_data_list()` give the single ones.

    It is a `torch_geometric.data.Data`, so that PyG's loaders and `Batch.from_data_list` take graphs of single structures.
    """

    def __inc__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> int:
        """By how much a field grows from one graph to the next in a batch."""
        steps = {"edge_index": self.num_nodes, "edge_reverse": self.num_edges, "batch": self.num_graphs}
        return steps.get(key) or 0

    def __cat_dim__(self, key: str, value: Any, *args: Any, **kwargs: Any) -> int:
        """Along which dimension a field grows in a batch."""
        return 1 if key == "edge_index" else 0

    @property
    def num_graphs(self) -> int:
        """Number of structures G."""
        return len(self.cell)

    @property
    def ptr(self) -> Tensor:
        """First atom of each structure and the number of atoms, int64 [G + 1]."""
        return self._store["ptr"] if "ptr" in self._store else torch.tensor([0, len(self.z)], device=self.z.device)

    def __getitem__(self, key: Any) -> Any:
        """The graph of structure `key` (an integer, from the end if negative), or the field of that name."""
        if isinstance(key, str):
            return super().__getitem__(key)
        number = range(self.num_graphs)[int(key)]
        return _part(self, number, self.ptr.tolist(), _edge_ptr(self))

    def to_data_list(self) -> list[CrystalGraph]:
        """The G graphs of single structures."""
        atoms, edges = self.ptr.tolist(), _edge_ptr(self)
        return [_part(self, number, atoms, edges) for number in range(self.num_graphs)]


def build_graph(atoms: Any, cutoff: float) -> CrystalGraph:
    """The graph of one structure: every pair nearer than `cutoff` (angstrom), all periodic images, own images included.

    atoms: ase.Atoms, or a pymatgen Structure or Molecule; it is not changed, and the graph holds copies

    Raises ConfigError for a cut-off that is no positive number, DataError for no atoms, and for positions or cells that no structure can
    have.
    """
    graph = build_graphs([atoms], cutoff)
    if not graph.num_nodes:
        raise DataError("build_graph: the structure has no atoms; expected at least one")
    return graph


def build_graphs(structures: Any, cutoff: float) -> CrystalGraph:
    """`build_graph` of one structure or many, as one graph with `batch` and `ptr`: one compiled loop over all of them. One without
    atoms has its place among the others.

    Raises ConfigError for a cut-off that is no positive number, DataError that names the structure (counted from 0) and the field.
    """
    frames = _frames(structures)
    sizes = [len(a) for a in frames]
    ptr = np.zeros(len(frames) + 1, np.int64)
    np.cumsum(sizes, out=ptr[1:])
    pos = np.concatenate([np.empty((0, 3)), *[a.arrays["positions"] for a in frames]])
    z = np.concatenate([np.empty(0, np.int64), *[a.arrays["numbers"] for a in frames]])
    cell = np.array([a.cell.array for a in frames], np.float64).reshape(-1, 3, 3)
    pbc = np.array([a.pbc for a in frames], np.bool_).reshape(-1, 3)
    edges = periodic_edges(pos, cell, pbc, ptr, cutoff)
    arrays = (z.astype(np.int64, copy=False), pos, cell, pbc, *edges, np.repeat(np.arange(len(frames)), sizes), ptr)
    return CrystalGraph(**{name: torch.from_numpy(array) for name, array in zip(_GEOMETRY, arrays, strict=True)})


def _frames(structures: Any) -> list[Atoms]:
    """One structure or many, of ASE or pymatgen, as a list of Atoms."""
    from sciml.materials.structure import as_atoms, one_or_many

    return [as_atoms(structure) for structure in one_or_many(structures)]


def collate(graphs: Sequence[CrystalGraph]) -> CrystalGraph:
    """One graph of all structures of `graphs`, in order. Labels that some graphs lack are zeros there, and their mask says so.

    Fields outside `GRAPH_FIELDS` are not carried.
    """
    if not graphs:
        return build_graphs([], 1.0)
    atoms, edges, structures = (np.cumsum([0, *sizes]).tolist() for sizes in zip(*map(_sizes, graphs), strict=True))
    offset = {"edge_index": atoms, "edge_reverse": edges, "batch": structures, "ptr": atoms}
    columns = {name: [graph[name] if name != "ptr" else graph.ptr for graph in graphs] for name in _GEOMETRY}
    columns["ptr"][1:] = [ptr[1:] for ptr in columns["ptr"][1:]]
    for name, steps in offset.items():
        columns[name] = [value + step if step else value for value, step in zip(columns[name], steps, strict=False)]
    for label in _LABELS:
        if any(label in graph for graph in graphs):
            columns[label], columns[f"{label}_mask"] = map(list, zip(*[_label(graph, label) for graph in graphs], strict=True))
    return CrystalGraph(**{name: torch.cat(values, 1 if name == "edge_index" else 0) for name, values in columns.items()})


def _sizes(graph: CrystalGraph) -> tuple[int, int, int]:
    return len(graph.z), len(graph.edge_reverse), len(graph.cell)


def _label(graph: CrystalGraph, label: str) -> tuple[Tensor, Tensor]:
    """A label and its mask; zeros and False where the graph has none."""
    present = label in graph
    mask = graph[f"{label}_mask"] if f"{label}_mask" in graph else torch.full((len(graph.cell),), present, device=graph.z.device)
    if present:
        return graph[label], mask
    like = {"energy": graph.cell[:, 0, 0], "forces": graph.pos, "stress": graph.cell}[label]
    return torch.zeros_like(like, dtype=torch.float64), mask


def _edge_ptr(graph: CrystalGraph) -> list[int]:
    """First edge of each structure, and the number of edges: edges are sorted by target."""
    return torch.searchsorted(graph.edge_index[1].contiguous(), graph.ptr).tolist()


def _part(graph: CrystalGraph, number: int, atoms: list[int], edges: list[int]) -> CrystalGraph:
    """Structure `number` of a graph, with its labels."""
    a, e, one = slice(*atoms[number : number + 2]), slice(*edges[number : number + 2]), slice(number, number + 1)
    ranges = {"N": a, "E": e, "G": one}
    fields = {"edge_index": graph.edge_index[:, e] - a.start, "edge_reverse": graph.edge_reverse[e] - e.start}
    fields |= {"batch": torch.zeros_like(graph.batch[a]), "ptr": graph.ptr[number : number + 2] - a.start}
    fields |= {name: graph[name][ranges[field.shape[1]]] for name, field in _FIELDS.items() if name not in fields and name in graph}
    return CrystalGraph(**fields)


def edge_vectors(graph: CrystalGraph) -> Tensor:
    """v = pos[j] + edge_shift @ cell - pos[i], from target i to source j -> float64 [E, 3], angstrom.

    Differentiable by `pos` and `cell`. Differences of positions come first, so that far from the origin nothing is lost, and the
    vector of the reverse edge is exactly -v.
    """
    source, target = graph.edge_index
    shift = graph.edge_shift.to(graph.pos.dtype)
    difference = graph.pos[source] - graph.pos[target]
    if len(graph.cell) == 1:
        return difference + shift @ graph.cell[0]
    return difference + torch.bmm(shift[:, None], graph.cell[graph.batch[target]])[:, 0]


def triplets(graph: CrystalGraph) -> Triplets:
    """All ordered pairs of different edges that end in the same atom: the angles at it. Sorted by the first edge, then the second."""
    target = graph.edge_index[1]
    degree = torch.bincount(target, minlength=len(graph.z))
    start = torch.cumsum(degree, 0) - degree
    partners = degree[target]  # [E], the edge itself counted
    first = torch.repeat_interleave(torch.arange(len(target), device=target.device), partners)
    place = torch.arange(len(first), device=target.device) - (torch.cumsum(partners, 0) - partners)[first]
    second = start[target[first]] + place
    return Triplets(first[first != second], second[first != second])
