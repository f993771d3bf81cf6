"""Labelled graphs, the facts of a set, and batches that follow from (seed, step) alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.neighborlist import neighbor_list

from sciml.errors import ConfigError, DataError
from sciml.materials.models.pair import zbl
from sciml.materials.training.data import BatchStream, MemoryGraphs, label_counts, labelled_graph, passes


def mixed(copper) -> list[Atoms]:
    """Full labels; energy only; forces only of a molecule with a meaningless stress; a lone atom; nothing."""
    full, only_energy = copper(2)
    only_energy.calc = SinglePointCalculator(only_energy, energy=-3.0)
    molecule = Atoms("CO", [[0, 0, 0], [0, 0, 1.1]], cell=[9, 9, 9], pbc=[True, True, False], info={"group": "molecules"})
    molecule.calc = SinglePointCalculator(molecule, forces=np.ones((2, 3)), stress=np.ones(6))
    lone = Atoms("Cu", cell=[30, 30, 30], pbc=True)
    lone.calc = SinglePointCalculator(lone, energy=-0.5)
    return [full, only_energy, molecule, lone, Atoms("Cu2", [[0, 0, 0], [0, 0, 2.5]])]


def test_labels_and_masks(copper) -> None:
    structures = mixed(copper)
    graphs = [labelled_graph(atoms, 4.0, "x") for atoms in structures]
    assert [bool(g.energy_mask) for g in graphs] == [True, True, False, True, False]
    assert [bool(g.forces_mask) for g in graphs] == [True, False, True, False, False]
    assert [bool(g.stress_mask) for g in graphs] == [True, False, False, False, False]  # no stress without three periodic directions
    assert graphs[0].energy.dtype == torch.float64 == graphs[0].pos.dtype
    assert float(graphs[0].energy) == structures[0].get_potential_energy()
    np.testing.assert_array_equal(graphs[0].forces.numpy(), structures[0].get_forces())
    np.testing.assert_allclose(graphs[0].stress[0].numpy(), structures[0].get_stress(voigt=False), atol=1e-14)


def test_facts_are_those_of_the_structures(copper) -> None:
    structures = mixed(copper)
    facts = MemoryGraphs(structures, 4.0, "train").facts
    assert facts.species == (6, 8, 29)
    assert set(facts.shortest_A) == {(29, 29), (6, 8)}
    np.testing.assert_allclose(facts.shortest_A[29, 29], min(neighbor_list("d", atoms, 4.0).min() for atoms in structures[:2]), rtol=1e-12)
    np.testing.assert_allclose(facts.shortest_A[6, 8], structures[2].get_distance(0, 1), rtol=1e-12)
    assert set(facts.crowding_eV) == {6, 8, 29}
    r = torch.tensor([structures[2].get_distance(0, 1)], dtype=torch.float64)
    repulsion = float(zbl(r, torch.tensor([6]), torch.tensor([8]))) / 2
    np.testing.assert_allclose(facts.crowding_eV[8], repulsion, rtol=1e-12)
    np.testing.assert_array_equal(facts.counts((6, 8, 29)), [[0, 0, 4], [0, 0, 4], [1, 1, 0], [0, 0, 1], [0, 0, 2]])
    np.testing.assert_array_equal(facts.table.isolated, [False, False, False, True, False])
    np.testing.assert_allclose(facts.table.force_square[0], (structures[0].get_forces() ** 2).sum())
    assert facts.table.force_square[2] == 6
    assert [facts.groups[k] for k in facts.table.group] == ["", "", "molecules", "", ""]
    assert label_counts(facts, range(5)) == (3, 3 * 4 + 3 * 2, 9)
    assert facts.digest != MemoryGraphs(structures[:4], 4.0, "train").facts.digest
    assert facts.digest == MemoryGraphs(mixed(copper), 4.0, "train").facts.digest


def test_a_digest_names_the_rows_it_is_of(copper) -> None:
    facts, again, other = (MemoryGraphs(copper(4, seed=seed), 4.0, "set").facts for seed in (0, 0, 1))
    rows = [np.array(rows) for rows in ([0, 1, 2, 3], [0, 1], [2, 3])]
    digests = [facts.digest_of(each) for each in rows]
    assert digests[0] == facts.digest and len(set(digests)) == 3
    assert digests == [again.digest_of(each) for each in rows] and digests[1] != other.digest_of(rows[1])


def test_atom_next_to_its_own_image_is_not_isolated() -> None:
    lone = Atoms("Cu", cell=[3, 30, 30], pbc=[True, False, False])
    assert not MemoryGraphs([lone], 4.0, "x").facts.table.isolated[0]
    assert MemoryGraphs([lone], 2.9, "x").facts.table.isolated[0]


def test_baseline_is_taken_off_once(copper) -> None:
    structures = copper(2)
    graphs = MemoryGraphs(structures, 4.0, "x")
    graphs.set_baseline(np.array([1.0, 2.0]), np.array([0.5, 0.0]))
    graphs.set_baseline(np.array([1.0, 3.0]), np.array([0.1, 0.0]))
    found = [float(graph.energy) for graph in graphs.load([0, 1])]
    np.testing.assert_allclose(found, [structures[0].get_potential_energy() - 1, structures[1].get_potential_energy() - 3])
    for graph, atoms, offset in zip(graphs.load([0, 1]), structures, (0.1, 0.0), strict=True):
        np.testing.assert_allclose(graph.stress[0].numpy(), atoms.get_stress(voigt=False) - offset * np.eye(3), atol=1e-14)


def test_each_epoch_has_every_structure_once_and_resumed_streams_go_on(copper) -> None:
    graphs = MemoryGraphs(copper(7), 3.0, "x")
    members = np.array([0, 1, 2, 4, 6])
    stream = BatchStream(graphs, members, batch=2, seed=3, start=0, steps=10)
    records = [batch.records for batch in stream]
    flat = [record for batch in records for record in batch]
    assert len(records) == 10 and all(len(batch) == 2 for batch in records)
    for epoch in range(4):
        assert sorted(flat[5 * epoch : 5 * epoch + 5]) == members.tolist()
    assert flat[:5] != flat[5:10] or flat[5:10] != flat[10:15]
    later = BatchStream(graphs, members, batch=2, seed=3, start=6, steps=10)
    assert [batch.records for batch in later] == records[6:]
    assert [batch.records for batch in BatchStream(graphs, members, batch=2, seed=4, start=0, steps=10)] != records


def test_processes_share_each_batch_and_count_its_labels_alike(copper) -> None:
    graphs = MemoryGraphs(mixed(copper), 3.0, "x")
    whole = BatchStream(graphs, np.arange(5), batch=3, seed=0, start=0, steps=4)
    parts = [BatchStream(graphs, np.arange(5), batch=3, seed=0, start=0, steps=4, rank=rank, world=2) for rank in range(2)]
    for batch, first, second in zip(whole, *parts, strict=True):
        assert sorted(first.records + second.records) == sorted(batch.records)
        assert first.labels == second.labels == batch.labels
    with pytest.raises(ConfigError, match="batch_structures: found 1 for 2 processes"):
        BatchStream(graphs, np.arange(5), batch=1, seed=0, start=0, steps=4, world=2)


def test_a_pass_has_every_structure_once(copper) -> None:
    graphs = MemoryGraphs(copper(5), 3.0, "x")
    seen = [batch.records for rank in range(2) for batch in passes(graphs, np.arange(5), 2, rank, 2)]
    assert sorted(record for batch in seen for record in batch) == [0, 1, 2, 3, 4]
    assert list(passes(graphs, np.arange(0), 2)) == []


def test_refusals_name_record_and_field(copper) -> None:
    structures = copper(2)
    structures[1].calc = None
    structures[1].positions[0, 0] = np.nan
    with pytest.raises(DataError, match="set: record 1, field 'positions': a component is NaN"):
        MemoryGraphs(structures, 3.0, "set")
    structures = copper(2)
    structures[1].calc.results["forces"][0, 0] = np.nan
    with pytest.raises(DataError, match="set: record 1, field 'forces'"):
        MemoryGraphs(structures, 3.0, "set")
    with pytest.raises(DataError, match="set: record 2: it has no atoms"):
        MemoryGraphs([*copper(2), Atoms()], 3.0, "set")
    with pytest.raises(DataError, match="set: no structure"):
        MemoryGraphs([], 3.0, "set")
