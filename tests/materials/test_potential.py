"""The potential: batches, precision, derivatives, ensembles, what it refuses and what it warns of."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read

from sciml.errors import DataError, SciMLError
from sciml.materials.models import build_model, model_kinds
from sciml.materials.potential import EnergyModel, Potential, _chunks
from sciml.materials.references import References
from sciml.materials.training.data import MemoryGraphs

CASES = Path(__file__).parents[1] / "data" / "cases"
OPTIONS = {
    "equivariant": {"channels": 6, "hidden": 8},
    "invariant": {"channels": 8, "layers": 2},
    "tensor-product": {"channels": 3, "layers": 2},
}


def potential(kind="equivariant", species=(14,), members=1, pairs=None, cutoff=5.0):
    models = []
    for seed in range(members):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            models.append(EnergyModel(build_model({"kind": kind, "cutoff_A": cutoff, **OPTIONS[kind]}, species)))
    return Potential(models, References(tuple(species), tuple(-1.5 * z for z in species), ("given",) * len(species), 0), pairs_seen=pairs)


def silicon(rattle=0.1, seed=0):
    atoms = bulk("Si", cubic=True)
    atoms.rattle(rattle, seed=seed)
    return atoms


@pytest.mark.parametrize("kind", model_kinds())
def test_a_mixed_batch_in_any_order(kind):
    """Case 13: crystal, lone atom, dimer, big crystal, slab; forwards, backwards, one at a time; and nothing."""
    structures, own = read(CASES / "13-batch.extxyz", ":"), potential(kind)
    together = own.predict(structures)
    for other in (own.predict(structures[::-1])[::-1], [own.predict(a)[0] for a in structures], own.predict(structures, batch_edges=1)):
        for a, p, q in zip(structures, together, other, strict=True):
            assert abs(p.energy - q.energy) / len(a) <= 1e-4
            assert np.abs(p.forces - q.forces).max() <= 1e-4
            assert p.energies.sum() == pytest.approx(p.energy, abs=1e-4 * len(a))
            assert (p.stress is None) == (q.stress is None) == (not a.pbc.all())
    assert [p.stress is not None for p in together] == [True, False, False, True, False]
    assert together[1].energy == -21.0 and not together[1].forces.any()
    assert own.predict([]) == []


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-6), ("float32", 1e-4)])
def test_far_from_the_origin(dtype, limit):
    """Case 15: ten thousand angstrom away the forces are the same."""
    here, there = read(CASES / "15-shifted.extxyz", ":")
    forces = []
    for atoms in (here, there):
        atoms.calc = potential().calculator(dtype=dtype)
        forces.append(atoms.get_forces())
    assert np.abs(forces[0] - forces[1]).max() / np.sqrt((forces[0] ** 2).mean()) < limit


def test_against_the_differences_of_ase():
    atoms = silicon()
    atoms.calc = potential().calculator(dtype="float64")
    assert np.abs(atoms.get_forces()[:2] - calculate_numerical_forces(atoms, eps=1e-4, iatoms=[0, 1])).max() < 1e-6
    assert np.abs(atoms.get_stress() - calculate_numerical_stress(atoms, eps=1e-5)).max() < 1e-7
    assert atoms.get_potential_energy() == atoms.get_potential_energy(force_consistent=True)


def test_dissociation_is_continuous():
    own = potential()
    lone = own.predict(Atoms("Si"), dtype="float64")[0].energy
    far = own.predict(Atoms("Si2", positions=[[0, 0, 0], [0, 0, 30.0]]), dtype="float64")[0].energy
    near = own.predict(Atoms("Si2", positions=[[0, 0, 0], [0, 0, 5.0 - 1e-4]]), dtype="float64")[0].energy
    assert far == 2 * lone and abs(near - far) < 1e-9


def test_ensembles_give_mean_and_spread():
    own, atoms = potential(members=3), silicon()
    singles = [Potential([m], own.references).predict(atoms)[0] for m in own.members]
    found = own.predict(atoms)[0]
    assert found.energy == pytest.approx(np.mean([p.energy for p in singles]), abs=1e-9)
    assert found.energy_std == pytest.approx(np.std([p.energy for p in singles], ddof=1), rel=1e-6)
    assert np.allclose(found.forces_std, np.std([p.forces for p in singles], axis=0, ddof=1))
    assert np.allclose(found.stress, np.mean([p.stress for p in singles], axis=0))
    assert singles[0].energy_std is None and singles[0].forces_std is None


@pytest.mark.parametrize("kind", model_kinds())
def test_hessian_is_the_derivative_of_the_forces(kind):
    own, atoms, h = potential(kind), bulk("Si"), 1e-4
    atoms.rattle(0.1, seed=0)
    hessian = own.hessian(atoms)
    assert hessian.shape == (6, 6) and np.abs(hessian - hessian.T).max() == 0.0
    for k in range(6):
        sides = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions.ravel()[k] += sign * h
            sides.append(own.predict(moved, dtype="float64")[0].forces.ravel())
        assert np.abs(hessian[k] + (sides[0] - sides[1]) / 2 / h).max() <= 1e-5 * max(1.0, np.abs(hessian).max())
    assert not own.hessian(Atoms("Si")).any()


def test_descriptors_are_invariant_and_by_atom():
    own, atoms = potential(), silicon()
    turned = atoms.copy()
    turned.rotate(37, (1, 2, 3), rotate_cell=True)
    first, second, lone = own.descriptors([atoms, turned, Atoms("Si")])
    assert first.shape == (8, 12) and np.abs(first - second).max() < 1e-10 * np.abs(first).max() and not lone.any()


def test_an_unknown_element_is_named():
    with pytest.raises(DataError, match="structure 1, species: found O, Cu; this potential knows Si"):
        potential().predict([silicon(), Atoms("CuO", positions=[[0, 0, 0], [0, 0, 2]])])


def test_an_unseen_pair_is_named_and_out_of_domain(caplog):
    own = potential(species=(14, 29), pairs=[(14, 14), (29, 29)])
    mixed = silicon()
    mixed.numbers[0] = 29
    with caplog.at_level(logging.WARNING, logger="sciml.materials.potential"):
        found = own.predict([silicon(), mixed, bulk("Cu")])
    assert [p.in_domain for p in found] == [True, False, True]
    assert "Si-Cu" in caplog.text
    assert potential().predict(silicon())[0].in_domain is None


def test_what_is_nearer_or_more_crowded_than_anything_seen_is_out_of_domain(caplog):
    seen = {"shortest_A": {(14, 14): 2.2}, "crowding_eV": {14: 2.0}}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = EnergyModel(build_model({"kind": "equivariant", **OPTIONS["equivariant"]}, [14]), **seen)
    own = Potential([module], References((14,), (-21.0,), ("given",), 0), pairs_seen=[(14, 14)])
    near, crowded = Atoms("Si2", [[0, 0, 0], [0, 0, 2.19]]), bulk("Si", a=5.2)
    apart = Atoms("Si2", [[0, 0, 0], [0, 0, 2.21]])
    assert crowded.repeat(2).get_distance(0, 1) > 2.2
    with caplog.at_level(logging.WARNING, logger="sciml.materials.potential"):
        assert [p.in_domain for p in own.predict([bulk("Si"), near, crowded, apart])] == [True, False, False, True]
        own.predict([near])
    assert caplog.text.count("in_domain=False") == 1  # said once
    module.extend({(14, 14): 2.0}, {14: 3.0}, [(14, 14)])
    again = Potential([module], own.references, pairs_seen=[(14, 14)])
    assert [p.in_domain for p in again.predict([near, crowded])] == [True, True]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_training_structure_itself_is_in_the_domain(dtype):
    for length in np.linspace(5.2, 5.8, 25):
        crystal = bulk("Si", a=length)
        crystal.calc = SinglePointCalculator(crystal, energy=0.0)
        facts = MemoryGraphs([crystal], 5.0, "train").facts
        module = EnergyModel(
            build_model({"kind": "equivariant", **OPTIONS["equivariant"]}, [14]), shortest_A=facts.shortest_A, crowding_eV=facts.crowding_eV
        )
        own = Potential([module], References((14,), (-21.0,), ("given",), 0), pairs_seen=[(14, 14)])
        assert own.predict(bulk("Si", a=length), dtype=dtype)[0].in_domain


def test_more_training_data_lower_what_was_seen_and_replace_what_was_guessed():
    module = EnergyModel(
        build_model({"kind": "equivariant", **OPTIONS["equivariant"]}, [11, 17]), shortest_A={(11, 11): 3.0, (17, 17): 2.5}
    )
    guess = float(module.shortest_A[0, 1])
    module.extend({(11, 17): guess + 1.0, (11, 11): 3.2, (17, 17): 2.4}, {11: 1.0}, [(11, 11), (17, 17)])
    assert module.shortest_A.tolist() == [[3.0, pytest.approx(guess + 1.0)], [pytest.approx(guess + 1.0), pytest.approx(2.4)]]
    module.extend({(11, 17): guess + 2.0}, {11: 0.5}, [(11, 17)])
    assert float(module.shortest_A[1, 0]) == pytest.approx(guess + 1.0) and module.crowding_eV.tolist() == [1.0, 0.0]


def test_what_has_no_finite_energy_is_refused():
    with pytest.raises(DataError, match="structure 1: atoms [01] and [01] are at the same place"):
        potential().predict([silicon(), Atoms("Si2", [[1, 1, 1], [1, 1, 1]])])
    broken = silicon()
    broken.positions[2, 1] = np.nan
    with pytest.raises(DataError, match="structure 0, positions or cell: found NaN"):
        potential().predict(broken)
    for call in (potential().predict, potential().descriptors, potential().hessian):
        with pytest.raises(DataError, match="structure 0: it has no atoms"):
            call(Atoms())


def test_chunks_hold_everything_in_order():
    atoms = [silicon() for _ in range(7)] + [Atoms("Si")] * 3
    for budget in (1, 500, 10**9):
        chunks = list(_chunks(atoms, 5.0, budget))
        assert [a for chunk in chunks for a in chunk] == atoms
    assert len(list(_chunks(atoms, 5.0, 1))) == 10


def test_where_memory_ends_structures_are_evaluated_in_smaller_parts(monkeypatch):
    structures, own = [silicon(seed=seed) for seed in range(7)], potential()
    expected, whole = own.predict(structures), Potential._predict_chunk

    def predict(self, graph, modules):
        if len(graph.z) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, graph, modules)

    monkeypatch.setattr(Potential, "_predict_chunk", predict)
    limit = 20
    found = own.predict(structures)
    assert [p.energy for p in found] == pytest.approx([p.energy for p in expected], abs=1e-4)
    limit = 7
    with pytest.raises(SciMLError, match="Si8 with 8 atoms does not fit into the memory of cpu"):
        own.predict(structures)
