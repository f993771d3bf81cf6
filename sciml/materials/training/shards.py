"""Sets bigger than memory: graphs in shards on the disk, made once from a stream of records, found again by content and cut-off."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from numpy.typing import NDArray
from safetensors.numpy import load, save

from sciml import files
from sciml.errors import DataError
from sciml.materials.graph import CrystalGraph
from sciml.materials.labels import group_of
from sciml.materials.structure import iterate_structures
from sciml.materials.training.data import Facts, FactsBuilder, Indices, Table, labelled_graph, lower_labels
from sciml.materials.training.recipe import Recipe
from sciml.resources import cache_folder

logger = logging.getLogger("sciml.materials.training")

FORMAT = 4
_PER_ATOM, _PER_STRUCTURE = ("z", "pos", "forces"), ("cell", "pbc", "energy", "stress", "energy_mask", "forces_mask", "stress_mask")
Arrays = dict[str, NDArray[Any]]


def pack_graphs(graphs: Sequence[CrystalGraph]) -> Arrays:
    """Graphs of single structures as compact arrays: edges as degree of each atom, source (16 or 32 bits), shift (8 or 32), reverse."""
    arrays: Arrays = {name: np.concatenate([getattr(g, name).numpy() for g in graphs]) for name in _PER_ATOM + _PER_STRUCTURE}
    arrays["atoms"] = np.array([len(g.z) for g in graphs], dtype=np.int32)
    arrays["edges"] = np.array([g.edge_index.shape[1] for g in graphs], dtype=np.int64)
    arrays["degree"] = np.concatenate([np.bincount(g.edge_index[1].numpy(), minlength=len(g.z)) for g in graphs]).astype(np.int32)
    source = np.concatenate([g.edge_index[0].numpy() for g in graphs])
    shift = np.concatenate([g.edge_shift.numpy() for g in graphs])
    arrays["source"] = source.astype(np.uint16 if source.max(initial=0) < 1 << 16 else np.int32)
    arrays["shift"] = shift.astype(np.int8 if np.abs(shift).max(initial=0) < 128 else np.int32)
    arrays["reverse"] = np.concatenate([g.edge_reverse.numpy() for g in graphs]).astype(np.int32)
    arrays["z"] = arrays["z"].astype(np.uint8)
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def unpack_graph(arrays: Arrays, number: int, atom_ends: NDArray[np.int64], edge_ends: NDArray[np.int64]) -> CrystalGraph:
    """Structure `number` of a shard; `atom_ends` and `edge_ends` [S + 1] are the running sums of its `atoms` and `edges`."""
    atoms = slice(int(atom_ends[number]), int(atom_ends[number + 1]))
    edges = slice(int(edge_ends[number]), int(edge_ends[number + 1]))
    count = atoms.stop - atoms.start
    target = np.repeat(np.arange(count), arrays["degree"][atoms])
    fields: dict[str, NDArray[Any]] = {name: arrays[name][atoms] for name in _PER_ATOM}
    fields |= {name: arrays[name][number : number + 1] for name in _PER_STRUCTURE}
    fields |= {"z": fields["z"].astype(np.int64), "batch": np.zeros(count, np.int64), "ptr": np.array([0, count])}
    fields["edge_index"] = np.stack([arrays["source"][edges].astype(np.int64), target])
    fields["edge_shift"] = arrays["shift"][edges].astype(np.int32)
    fields["edge_reverse"] = arrays["reverse"][edges].astype(np.int64)
    return CrystalGraph(**{name: torch.from_numpy(np.array(value)) for name, value in fields.items()})


class ShardGraphs:
    """The graphs of a file of structures, in shards under the cache folder; the newest shards that were used stay in memory."""

    def __init__(self, path: Path, cutoff_A: float, recipe: Recipe, read: Mapping[str, Any] | None = None) -> None:
        self.name, self.recipe = str(path), recipe
        options = dict(read or {})
        key = files.digest(f"{FORMAT} {files.digest(path)} {cutoff_A!r} {recipe.shard_MB} {sorted(options.items())}".encode())
        self.folder = cache_folder() / "graphs" / key
        if not (self.folder / "index.json").is_file():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with files.write_folder(self.folder) as place:
                write_shards(place, iterate_structures(path, **options), cutoff_A, recipe, self.name)
            logger.info("%s: graphs written to %s", self.name, self.folder)
        index = files.read_json(self.folder / "index.json")
        self.starts, self.digests = np.array(index["starts"], dtype=np.int64), index["digests"]
        self.facts = _read_facts(self.folder, index)
        self.baseline = np.zeros((2, len(self)))
        self._shards: OrderedDict[int, tuple[Arrays, NDArray[np.int64], NDArray[np.int64]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.facts.table.atoms)

    def load(self, indices: Sequence[int]) -> list[CrystalGraph]:
        """Graphs of the structures `indices`. DataError where a shard was damaged."""
        graphs = []
        for index in indices:
            shard = int(np.searchsorted(self.starts, index, side="right")) - 1
            graph = unpack_graph(*self._arrays(shard, int(index)))
            lower_labels(graph, *self.baseline[:, index].tolist())
            graphs.append(graph)
        return graphs

    def order(self, indices: Indices, generator: np.random.Generator) -> Indices:
        """`indices` in random order: the shards are shuffled, then the structures within as many shards as the memory holds."""
        held = self._held()
        rank = generator.permutation(len(self.starts))  # of each shard
        shard = np.searchsorted(self.starts, indices, side="right") - 1
        window = rank[shard] // held
        mixed = generator.permutation(len(indices))
        return indices[mixed][np.argsort(window[mixed], kind="stable")]

    def set_baseline(self, energies: NDArray[np.float64], stresses: NDArray[np.float64]) -> None:
        """Reference energies [n] in eV and isotropic stresses [n] in eV/A^3, which are taken off the labels from now on."""
        self.baseline = np.stack([energies, stresses])

    def _held(self) -> int:
        return max(1, self.recipe.memory_MB // self.recipe.shard_MB)

    def _arrays(self, shard: int, index: int) -> tuple[Arrays, int, NDArray[np.int64], NDArray[np.int64]]:
        if shard not in self._shards:
            while len(self._shards) >= self._held():
                self._shards.popitem(last=False)
            path = self.folder / f"{shard:06d}.safetensors"
            data = path.read_bytes()
            if files.digest(data) != self.digests[shard]:
                raise DataError(f"{path}: the digest does not match, this cached shard is damaged; remove the folder {self.folder}")
            arrays = load(data)
            self._shards[shard] = (arrays, _ends(arrays["atoms"]), _ends(arrays["edges"]))
        self._shards.move_to_end(shard)
        arrays, atom_ends, edge_ends = self._shards[shard]
        return arrays, index - int(self.starts[shard]), atom_ends, edge_ends


def _ends(amounts: NDArray[Any]) -> NDArray[np.int64]:
    """Running sums with a leading zero."""
    return np.concatenate([[0], np.cumsum(amounts)]).astype(np.int64)


def write_shards(place: Path, records: Iterable[Atoms], cutoff_A: float, recipe: Recipe, name: str) -> None:
    """Write shards, table and index of the graphs of `records` to the folder `place`; one shard is held in memory at a time."""
    builder, starts, digests, total = FactsBuilder(), [], [], 0
    for graphs in _shards_of(records, cutoff_A, recipe.shard_MB * 1_000_000, name, builder):
        starts.append(total)
        total += len(graphs)
        data = save(pack_graphs(graphs))
        (place / f"{len(starts) - 1:06d}.safetensors").write_bytes(data)
        digests.append(files.digest(data))
    if not starts:
        raise DataError(f"{name}: no structure; at least one with an energy, forces or a stress is needed")
    facts = builder.facts()
    table = save({field: np.ascontiguousarray(column) for field, column in facts.table._asdict().items()})
    (place / "table.safetensors").write_bytes(table)
    index = {"starts": starts, "digests": digests, "table": files.digest(table), "groups": facts.groups, "digest": facts.digest}
    index["compositions"] = [[[z, count] for z, count in composition.items()] for composition in facts.compositions]
    index["shortest_A"] = [[*pair, distance] for pair, distance in sorted(facts.shortest_A.items())]
    index["crowding_eV"] = [[z, most] for z, most in sorted(facts.crowding_eV.items())]
    files.write_json(place / "index.json", index)


def _shards_of(records: Iterable[Atoms], cutoff_A: float, size: int, name: str, builder: FactsBuilder) -> Iterator[list[CrystalGraph]]:
    graphs: list[CrystalGraph] = []
    held = 0
    for number, atoms in enumerate(records):
        graph = labelled_graph(atoms, cutoff_A, f"{name}: record {number}")
        builder.add(graph, group_of(atoms))
        graphs.append(graph)
        held += 60 * len(graph.z) + 10 * graph.edge_index.shape[1] + 200
        if held >= size:
            yield graphs
            graphs, held = [], 0
    if graphs:
        yield graphs


def _read_facts(folder: Path, index: dict[str, Any]) -> Facts:
    data = (folder / "table.safetensors").read_bytes()
    if files.digest(data) != index["table"]:
        raise DataError(f"{folder / 'table.safetensors'}: the digest does not match, this cache is damaged; remove the folder {folder}")
    compositions = [{int(z): int(count) for z, count in composition} for composition in index["compositions"]]
    shortest = {(int(a), int(b)): float(distance) for a, b, distance in index["shortest_A"]}
    crowding = {int(z): float(most) for z, most in index["crowding_eV"]}
    return Facts(Table(**load(data)), compositions, list(index["groups"]), shortest, crowding, index["digest"])
