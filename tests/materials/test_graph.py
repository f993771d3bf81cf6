"""Graphs: what the table of fields promises, batches of PyG, vectors and their derivatives, triplets, cost."""

from __future__ import annotations

import copy
import re
import time

import numpy as np
import pytest
import torch
import vesin
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from pymatgen.core import Lattice, Molecule, Structure
from torch_geometric.data import Batch
from torch_geometric.loader import DataLoader

from sciml.errors import ConfigError, DataError
from sciml.materials.graph import GRAPH_FIELDS, CrystalGraph, build_graph, build_graphs, collate, edge_vectors, triplets
from sciml.materials.neighbors import neighbor_pairs

GEOMETRY = [field.name for field in GRAPH_FIELDS[:9]]


def crystals(count=200):
    """Strained, rattled crystals of 4 or 8 atoms."""
    rng = np.random.default_rng(0)
    kinds = [bulk("Si", cubic=True), bulk("Cu", cubic=True), bulk("NaCl", "rocksalt", a=5.64, cubic=True)]
    rows = [kinds[i % 3].copy() for i in range(count)]
    for i, atoms in enumerate(rows):
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
        atoms.rattle(0.1, seed=i)
    return rows


def mixed():
    """Crystal, lone atom, molecule without a cell, slab, nothing, chain."""
    slab = fcc111("Cu", (2, 2, 2), vacuum=8.0)
    chain = Atoms("C", positions=[[3.0, -7.0, 50.0]], cell=[0, 0, 1.5], pbc=[False, False, True])
    return [bulk("Si"), Atoms("Ar"), molecule("CH3CH2OH"), slab, Atoms(), chain]


def equal(a, b):
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in GEOMETRY)


def with_labels(graph, number, *, forces=True):
    graph.energy = torch.tensor([float(number)], dtype=torch.float64)
    graph.energy_mask = torch.tensor([True])
    graph.stress, graph.stress_mask = torch.full((1, 3, 3), float(number), dtype=torch.float64), torch.tensor([number % 2 == 0])
    if forces:
        graph.forces = torch.full((len(graph.z), 3), float(number), dtype=torch.float64)
    return graph


@pytest.mark.parametrize("structures", [mixed(), [], [bulk("Cu")], [Atoms()]])
def test_fields_have_the_shapes_and_dtypes_of_the_table(structures):
    graph = build_graphs(structures, 4.0)
    sizes = {"N": sum(map(len, structures)), "E": graph.num_edges, "G": len(structures), "G + 1": len(structures) + 1}
    for field in GRAPH_FIELDS[:9]:
        shape = [int(sizes.get(s, s)) for s in re.findall(r"[^\[\],]+", field.shape.replace(", ", ","))]
        value = getattr(graph, field.name)
        assert list(value.shape) == shape and value.dtype == field.dtype, field.name
    assert isinstance(graph, CrystalGraph) and graph.num_graphs == len(structures) and graph.num_nodes == sizes["N"]
    assert all(field.meaning for field in GRAPH_FIELDS)


def test_a_graph_holds_the_pairs_of_its_structure_and_copies_of_its_arrays():
    for atoms in mixed():
        before = copy.deepcopy(atoms)
        graph = build_graphs([atoms], 4.0)
        pairs = neighbor_pairs(atoms.positions, atoms.cell.array, atoms.pbc, 4.0)
        assert (graph.edge_index.numpy() == [pairs.source, pairs.target]).all()
        assert (graph.edge_shift.numpy() == pairs.shift).all() and (graph.edge_reverse.numpy() == pairs.reverse).all()
        graph.pos += 1.0
        graph.cell += 1.0
        graph.z += 1
        assert atoms == before


def test_pymatgen_objects_give_the_same_graph():
    lattice = Lattice.from_parameters(3, 4, 5, 80, 95, 110)
    structure = Structure(lattice, ["Na", "Cl"], [[0.1, 0.2, 0.3], [1.6, -0.4, 0.5]])
    atoms = Atoms("NaCl", positions=structure.cart_coords, cell=lattice.matrix, pbc=True)
    assert equal(build_graph(structure, 5.0), build_graph(atoms, 5.0))
    water = molecule("H2O")
    graph = build_graph(Molecule(water.get_chemical_symbols(), water.positions), 3.0)
    assert torch.equal(graph.edge_index, build_graph(water, 3.0).edge_index) and not graph.pbc.any()


def test_one_structure_by_itself_is_a_batch_of_one():
    structure = Structure(Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]])
    ethanol = molecule("CH3CH2OH")
    for single in (structure, bulk("Si"), Molecule(ethanol.get_chemical_symbols(), ethanol.positions)):
        assert equal(build_graphs(single, 4.0), build_graph(single, 4.0))
    assert build_graphs((each for each in (structure, bulk("Si"))), 4.0).num_graphs == 2


def test_three_ways_to_a_batch_are_equal():
    structures = mixed()
    single = [build_graphs([atoms], 4.0) for atoms in structures]
    batch = build_graphs(structures, 4.0)
    assert equal(batch, collate(single)) and equal(batch, Batch.from_data_list(single))
    assert equal(batch, next(iter(DataLoader(single, batch_size=len(single)))))
    assert equal(collate([build_graphs(structures[:2], 4.0), build_graphs([], 4.0), build_graphs(structures[2:], 4.0)]), batch)


def test_a_batch_gives_its_structures_back():
    structures = mixed()
    single = [build_graphs([atoms], 4.0) for atoms in structures]
    batch, theirs = build_graphs(structures, 4.0), Batch.from_data_list(single)
    for graphs in (batch.to_data_list(), [batch[g] for g in range(6)], [batch[g - 6] for g in range(6)], theirs.to_data_list()):
        assert len(graphs) == 6 and all(isinstance(g, CrystalGraph) and equal(g, s) for g, s in zip(graphs, single, strict=True))
    assert equal(theirs[3], single[3]) and theirs.num_graphs == 6
    assert torch.equal(batch["z"], batch.z)
    with pytest.raises(IndexError):
        batch[6]


def test_clone_and_device_keep_a_graph():
    graph = build_graphs(mixed(), 4.0)
    assert equal(graph.clone(), graph) and equal(graph.to("cpu"), graph) and graph.clone().num_graphs == 6


def test_labels_travel_and_what_is_absent_is_masked():
    graphs = [with_labels(build_graphs([a], 4.0), g, forces=g != 1) for g, a in enumerate(mixed())]
    batch = collate([build_graph(bulk("Cu"), 3.0), *graphs])
    assert batch.energy.tolist() == [0.0, 0, 1, 2, 3, 4, 5] and batch.energy_mask.tolist() == [False] + [True] * 6
    assert batch.forces_mask.tolist() == [False, True, False, True, True, True, True]
    assert batch.stress_mask.tolist() == [False, True, False, True, False, True, False]
    assert batch.stress.shape == (7, 3, 3) and batch.forces.shape == batch.pos.shape
    assert batch.forces[batch.batch == 4].eq(3.0).all() and batch.forces[batch.batch == 2].eq(0.0).all()
    part = batch[4]
    assert part.energy.tolist() == [3.0] and part.forces.shape == (8, 3) and part.stress_mask.tolist() == [False]
    assert "energy" not in collate([build_graph(bulk("Cu"), 3.0)])


def test_vectors_of_mixed_structures():
    graph = build_graphs(mixed(), 4.0)
    vectors, (source, target) = edge_vectors(graph), graph.edge_index
    cell = graph.cell[graph.batch[target]]
    plain = graph.pos[source] + torch.einsum("ei,eij->ej", graph.edge_shift.double(), cell) - graph.pos[target]
    assert vectors.dtype == torch.float64 and torch.allclose(vectors, plain, atol=1e-12)
    assert torch.equal(vectors[graph.edge_reverse], -vectors)
    assert (vectors.norm(dim=1) < 4.0).all()
    parts = torch.cat([edge_vectors(g) for g in graph.to_data_list()])
    assert torch.allclose(parts, vectors, atol=1e-13)


def test_vectors_far_from_the_origin():
    atoms = bulk("Si", cubic=True)
    atoms.rattle(0.1, seed=0)
    near = build_graph(atoms, 5.0)
    atoms.translate([10000.123, -5000.456, 7000.789])
    far = build_graph(atoms, 5.0)
    assert torch.equal(near.edge_index, far.edge_index) and torch.equal(near.edge_shift, far.edge_shift)
    assert (edge_vectors(near) - edge_vectors(far)).abs().max() < 1e-11


@pytest.mark.parametrize("structures", [mixed(), [bulk("Si")]])
def test_vectors_have_derivatives_by_positions_and_cell(structures):
    graph = build_graphs(structures, 2.6)

    def vectors(pos, cell):
        graph.pos, graph.cell = pos, cell
        return edge_vectors(graph)

    assert torch.autograd.gradcheck(vectors, (graph.pos.clone().requires_grad_(), graph.cell.clone().requires_grad_()))


def test_triplets_are_the_pairs_of_edges_at_a_centre():
    graph = build_graphs(mixed(), 2.7)
    target = graph.edge_index[1].tolist()
    wanted = [(a, b) for a, i in enumerate(target) for b, j in enumerate(target) if i == j and a != b]
    first, second = triplets(graph)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == wanted
    silicon = build_graph(bulk("Si"), 2.6)  # two atoms with four bonds: 12 ordered pairs each, all at cos = -1/3
    a, b = (torch.nn.functional.normalize(edge_vectors(silicon)[edges], dim=1) for edges in triplets(silicon))
    assert len(a) == 24 and torch.allclose((a * b).sum(1), torch.tensor(-1 / 3, dtype=torch.float64))
    assert [len(t) for t in triplets(build_graphs([Atoms("Ar")], 5.0))] == [0, 0]


def test_refusals():
    with pytest.raises(DataError, match="structure 1, positions: found NaN"):
        build_graphs([bulk("Si"), Atoms("H", positions=[[np.nan, 0, 0]])], 4.0)
    with pytest.raises(DataError, match="structure 0, cell"):
        build_graph(Atoms("H", pbc=True), 4.0)
    with pytest.raises(ConfigError, match="cutoff"):
        build_graph(bulk("Si"), -1.0)
    with pytest.raises(DataError, match="build_graph: the structure has no atoms"):
        build_graph(Atoms(cell=[3, 3, 3], pbc=True), 4.0)


def test_two_hundred_crystals_cost_no_more_than_vesin_alone():
    structures = crystals()
    peer = vesin.NeighborList(cutoff=5.0, full_list=True, n_threads=1)

    def theirs():
        return [peer.compute(points=a.positions, box=a.cell.array, periodic=True, quantities="ijS") for a in structures]

    def least(call):
        call()
        times = []
        for _ in range(7):
            start = time.process_time()
            call()
            times.append(time.process_time() - start)
        return min(times)

    assert build_graphs(structures, 5.0).num_edges == sum(len(i) for i, *_ in theirs())
    assert least(lambda: build_graphs(structures, 5.0)) <= least(theirs)  # measured: about a quarter
