"""Structures as labelled graphs, and the batches of a run: what a step sees follows from (seed, step) alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from ase import Atoms
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from sciml.errors import ConfigError, DataError
from sciml.materials.graph import CrystalGraph, build_graph, collate, edge_vectors
from sciml.materials.labels import group_of, labels_of, pulay_pressure
from sciml.materials.models.pair import crowding_of, zbl
from sciml.seeding import numpy_generator

Indices = NDArray[np.int64]


class Table(NamedTuple):
    """One row a structure, in the order of the source: what training needs to know without the graphs."""

    atoms: NDArray[np.int64]
    """Number of atoms."""
    energy: NDArray[np.float64]
    """Total energy in eV, NaN where absent."""
    force_square: NDArray[np.float64]
    """Sum of the squares of all force components in (eV/A)^2, NaN where absent."""
    stress_square: NDArray[np.float64]
    """Sum of the squares of the nine stress components in (eV/A^3)^2, NaN where absent."""
    stress_trace: NDArray[np.float64]
    """Sum of the three diagonal components in eV/A^3, NaN where absent."""
    volume: NDArray[np.float64]
    """Volume of the cell in A^3; 0 without one."""
    composition: NDArray[np.int64]
    """Row in `Facts.compositions`."""
    group: NDArray[np.int64]
    """Number in `Facts.groups`."""
    isolated: NDArray[np.bool_]
    """A single atom without any neighbour (not even its own image)."""


@dataclass(frozen=True)
class Facts:
    """What is known of a set: its table, the compositions {atomic number: count} and groups that the table numbers, distances, a digest."""

    table: Table
    compositions: list[dict[int, int]]
    groups: list[str]
    shortest_A: dict[tuple[int, int], float]
    """Shortest distance within the cut-off by pair of atomic numbers."""
    crowding_eV: dict[int, float]
    """Largest crowding (`pair.crowding_of`) by atomic number, of all neighbours within the cut-off."""
    digest: str

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers in the set, sorted."""
        return tuple(sorted({z for composition in self.compositions for z in composition}))

    def digest_of(self, rows: Indices) -> str:
        """Digest of some of the structures: that of the set, and which they are; of all of them that of the set alone."""
        if len(rows) == len(self.table.atoms):
            return self.digest
        return hashlib.sha256(self.digest.encode() + np.asarray(rows, dtype="<i8").tobytes()).hexdigest()

    def pulay_pressures(self, eV_per_atom: Mapping[str, float]) -> NDArray[np.float64]:
        """Isotropic stress [n] in eV/A^3 that the structures have too much by `PulayStress.eV_per_atom`; 0 without a volume."""
        per_cell = [pulay_pressure(eV_per_atom, [z for z, n in own.items() for _ in range(n)], 1.0) for own in self.compositions]
        energies = np.array(per_cell)[self.table.composition]
        return np.divide(energies, self.table.volume, out=np.zeros(len(energies)), where=self.table.volume > 0)

    def counts(self, species: Sequence[int]) -> NDArray[np.float64]:
        """Atoms of each of `species` by structure, [n, S]."""
        each = np.array([[composition.get(z, 0) for z in species] for composition in self.compositions], dtype=np.float64)
        return each.reshape(-1, len(species))[self.table.composition]


class GraphSet(Protocol):
    """Labelled graphs by number, in memory or in shards on the disk."""

    facts: Facts
    name: str

    def __len__(self) -> int:
        """Number of structures."""

    def load(self, indices: Sequence[int]) -> list[CrystalGraph]:
        """Graphs of the structures `indices`."""

    def order(self, indices: Indices, generator: np.random.Generator) -> Indices:
        """A random order of `indices` in which the graphs can be loaded at little cost."""

    def set_baseline(self, energies: NDArray[np.float64], stresses: NDArray[np.float64]) -> None:
        """Reference energies [n] in eV and isotropic stresses [n] in eV/A^3, which are taken off the labels from now on."""


def labelled_graph(atoms: Atoms, cutoff_A: float, where: str) -> CrystalGraph:
    """Graph of a structure with its labels: energy [1] eV, forces [N,3] eV/A, stress [1,3,3] eV/A^3 (zeros where absent) and masks [1].

    Raises DataError naming `where` for no atoms, and for positions, cells or labels that are not finite.
    """
    if not len(atoms):
        raise DataError(f"{where}: it has no atoms; remove the structure")
    for field, values in (("positions", atoms.positions), ("cell", atoms.cell.array)):
        if not np.isfinite(values).all():
            raise DataError(f"{where}, field {field!r}: a component is NaN or infinite; correct or remove the structure")
    graph, labels = build_graph(atoms, cutoff_A), labels_of(atoms, where=where)
    stress = labels.stress if all(atoms.pbc) else None
    energy = 0.0 if labels.energy is None else labels.energy
    graph.energy = torch.tensor([energy], dtype=torch.float64)
    graph.forces = torch.from_numpy(np.zeros((len(atoms), 3)) if labels.forces is None else np.array(labels.forces, dtype=np.float64))
    graph.stress = torch.from_numpy(np.zeros((1, 3, 3)) if stress is None else np.array(stress, dtype=np.float64)[None])
    graph.energy_mask = torch.tensor([labels.energy is not None])
    graph.forces_mask = torch.tensor([labels.forces is not None])
    graph.stress_mask = torch.tensor([stress is not None])
    return graph


def lower_labels(graph: CrystalGraph, energy: float, stress: float) -> None:
    """Take an energy in eV and an isotropic stress in eV/A^3 off the labels of a graph of one structure."""
    graph.energy = graph.energy - energy
    if stress:
        graph.stress = graph.stress - stress * torch.eye(3, dtype=graph.stress.dtype)


def atoms_of(graph: CrystalGraph) -> Atoms:
    """The structure of a graph of one structure, without labels."""
    cell, periodic = graph.cell[0].cpu().numpy(), graph.pbc[0].cpu().numpy()
    return Atoms(graph.z.cpu().numpy(), graph.pos.cpu().numpy(), cell=cell, pbc=periodic)


class FactsBuilder:
    """Collects the facts of a set, graph by graph, in columns of plain numbers."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, float, float, float, float, float, int, int, bool]] = []
        self.columns: list[Table] = []
        self.compositions: dict[tuple[tuple[int, int], ...], int] = {}
        self.groups: dict[str, int] = {}
        self.shortest_A: dict[tuple[int, int], float] = {}
        self.crowding_eV: dict[int, float] = {}
        self.state = hashlib.sha256()

    def add(self, graph: CrystalGraph, group: str) -> None:
        """Enter one labelled graph of the given group."""
        z = graph.z.numpy()
        numbers, amounts = np.unique(z, return_counts=True)
        composition = tuple(zip(numbers.tolist(), amounts.tolist(), strict=True))
        self._add_distances(graph)
        energy = float(graph.energy) if bool(graph.energy_mask) else np.nan
        forces = float(graph.forces.square().sum()) if bool(graph.forces_mask) else np.nan
        stress = float(graph.stress.square().sum()) if bool(graph.stress_mask) else np.nan
        trace = float(graph.stress[0].trace()) if bool(graph.stress_mask) else np.nan
        volume = abs(float(torch.linalg.det(graph.cell[0]))) if bool(graph.pbc.all()) else 0.0
        isolated = len(z) == 1 and graph.edge_index.shape[1] == 0
        numbering = self.compositions.setdefault(composition, len(self.compositions)), self.groups.setdefault(group, len(self.groups))
        self.rows.append((len(z), energy, forces, stress, trace, volume, *numbering, isolated))
        for part in (graph.z, graph.pos, graph.cell, graph.pbc, graph.energy, graph.forces, graph.stress):
            self.state.update(part.contiguous().numpy().tobytes())
        self.state.update(repr((energy, forces, stress, group)).encode())
        if len(self.rows) >= 4096:
            self._pack()

    def _add_distances(self, graph: CrystalGraph) -> None:
        (source, target), r = graph.z[graph.edge_index], edge_vectors(graph).norm(dim=1)
        codes, place = torch.unique(128 * torch.minimum(source, target) + torch.maximum(source, target), return_inverse=True)
        shortest = r.new_full((len(codes),), torch.inf).scatter_reduce_(0, place, r, "amin")
        for code, distance in zip(codes.tolist(), shortest.tolist(), strict=True):
            pair = divmod(code, 128)
            self.shortest_A[pair] = min(distance, self.shortest_A.get(pair, np.inf))
        crowding = crowding_of(zbl(r, source, target), graph.edge_index[1], len(graph.z))
        for z in torch.unique(graph.z).tolist():
            self.crowding_eV[z] = max(float(crowding[graph.z == z].max()), self.crowding_eV.get(z, 0.0))

    def facts(self) -> Facts:
        """All that was collected."""
        self._pack()
        table = Table(*(np.concatenate(column) for column in zip(*self.columns, strict=True)))
        compositions = [dict(key) for key in self.compositions]
        return Facts(table, compositions, list(self.groups), self.shortest_A, self.crowding_eV, self.state.hexdigest())

    def _pack(self) -> None:
        dtypes = (np.int64, *[np.float64] * 5, np.int64, np.int64, np.bool_)
        values = zip(*self.rows, strict=True) if self.rows else [()] * len(dtypes)
        self.columns.append(Table(*(np.array(column, dtype=dtype) for column, dtype in zip(values, dtypes, strict=True))))
        self.rows = []


class MemoryGraphs:
    """A set of labelled graphs in memory."""

    def __init__(self, structures: Iterable[Atoms], cutoff_A: float, name: str) -> None:
        builder, self.name, self.graphs = FactsBuilder(), name, []
        for number, atoms in enumerate(structures):
            graph = labelled_graph(atoms, cutoff_A, f"{name}: record {number}")
            builder.add(graph, group_of(atoms))
            self.graphs.append(graph)
        if not self.graphs:
            raise DataError(f"{name}: no structure; at least one with an energy, forces or a stress is needed")
        self.facts = builder.facts()
        self.baseline = np.zeros((2, len(self.graphs)))

    def __len__(self) -> int:
        return len(self.graphs)

    def load(self, indices: Sequence[int]) -> list[CrystalGraph]:
        """Graphs of the structures `indices`."""
        return [self.graphs[int(index)] for index in indices]

    def order(self, indices: Indices, generator: np.random.Generator) -> Indices:
        """`indices` in random order."""
        return generator.permutation(indices)

    def set_baseline(self, energies: NDArray[np.float64], stresses: NDArray[np.float64]) -> None:
        """Reference energies [n] in eV and isotropic stresses [n] in eV/A^3, which are taken off the labels from now on."""
        new = np.stack([energies, stresses])
        for graph, change in zip(self.graphs, (new - self.baseline).T, strict=True):
            lower_labels(graph, *change.tolist())
        self.baseline = new


@dataclass(frozen=True)
class Batch:
    """The structures of one step that this process sees, and over how many labels of the whole step its sums are divided."""

    graph: CrystalGraph
    step: int
    records: list[int]
    labels: tuple[int, int, int]
    """Labels of the whole step: energies, force components, stress components."""

    def to(self, device: torch.device, non_blocking: bool = False) -> Batch:
        """The batch on a device."""
        return Batch(self.graph.to(device, non_blocking=non_blocking), self.step, self.records, self.labels)

    def halves(self) -> list[Batch]:
        """The batch in two, with the labels of the whole step. DataError for a single structure, which is named."""
        if len(self.records) == 1:
            atoms = len(self.graph.z)
            raise DataError(
                f"record {self.records[0]}: {atoms} atoms do not fit into memory even alone; leave it out or take a smaller model"
            )
        graphs, middle = self.graph.to_data_list(), len(self.records) // 2
        parts = ((graphs[:middle], self.records[:middle]), (graphs[middle:], self.records[middle:]))
        return [Batch(collate(own), self.step, records, self.labels) for own, records in parts]


def label_counts(facts: Facts, indices: Sequence[int]) -> tuple[int, int, int]:
    """Energies, force components and stress components that the structures `indices` have."""
    rows, table = list(indices), facts.table
    with_forces = ~np.isnan(table.force_square[rows])
    forces = 3 * int(table.atoms[rows][with_forces].sum())
    return int((~np.isnan(table.energy[rows])).sum()), forces, 9 * int((~np.isnan(table.stress_square[rows])).sum())


class BatchStream(IterableDataset[Batch]):
    """Batches of steps `start` ... `steps` - 1: the structures in one random order after another, cut into equal pieces.

    The order of an epoch depends on (seed, epoch) only, so a resumed run sees the same structures in the same steps. Process `rank` of
    `world` gets every world-th structure of each batch.
    """

    def __init__(
        self, graphs: GraphSet, members: Indices, *, batch: int, seed: int, start: int, steps: int, rank: int = 0, world: int = 1
    ) -> None:
        self.graphs, self.members, self.seed = graphs, members, seed
        self.batch, self.start, self.steps = min(batch, len(members)), start, steps
        self.rank, self.world = rank, world
        self._orders: dict[int, Indices] = {}
        if self.batch < world:
            raise ConfigError(f"batch_structures: found {self.batch} for {world} processes, expected at least one structure for each")

    def records(self, step: int) -> list[int]:
        """The structures of a step, over all processes."""
        n = len(self.members)
        places = range(step * self.batch, (step + 1) * self.batch)
        return [int(self._order(place // n)[place % n]) for place in places]

    def __iter__(self) -> Iterator[Batch]:
        for step in range(self.start, self.steps):
            yield self.at(step)

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        records = self.records(step)
        own = records[self.rank :: self.world]
        return Batch(collate(self.graphs.load(own)), step, own, label_counts(self.graphs.facts, records))

    def _order(self, epoch: int) -> Indices:
        if epoch not in self._orders:
            order = self.graphs.order(self.members, numpy_generator(self.seed, "order", epoch))
            self._orders = {key: value for key, value in self._orders.items() if key == epoch - 1} | {epoch: order}
        return self._orders[epoch]


def passes(graphs: GraphSet, members: Indices, batch: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
    """The structures `members`, once each and in order, in batches; process `rank` of `world` gets every world-th batch."""
    for number, low in enumerate(range(0, len(members), batch)):
        if number % world == rank:
            records = [int(index) for index in members[low : low + batch]]
            yield Batch(collate(graphs.load(records)), 0, records, label_counts(graphs.facts, records))
