"""The contract of every model: symmetries, derivatives, smooth at the cut-off, nothing for a lone atom. A new model joins by its name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.errors import ConfigError
from sciml.materials.graph import build_graphs, edge_vectors
from sciml.materials.models import build_model, model_kinds
from sciml.materials.models.pair import zbl
from sciml.materials.potential import EnergyModel, differentiate

SMALL = {
    "equivariant": {"channels": 6, "hidden": 8, "radial": 5},
    "invariant": {"channels": 8, "hidden": 8, "radial": 5, "layers": 2},
    "tensor-product": {"channels": 3, "layers": 2, "hidden": 6, "radial": 5},
}
CUTOFF = 4.0
EXACT = {torch.float64: 1e-10, torch.float32: 1e-4}  # relative to the largest energy or to the rms force
_MODELS: dict[tuple[str, torch.dtype], EnergyModel] = {}


def energy_model(kind, dtype=torch.float64):
    if (kind, dtype) not in _MODELS:
        with torch.random.fork_rng():
            torch.manual_seed(5)
            model = build_model({"kind": kind, "cutoff_A": CUTOFF, **SMALL[kind]}, [11, 17])
            made = EnergyModel(model, repulsion=True, shortest_A={(11, 17): 2.2, (11, 11): 3.0, (17, 17): 2.5})
        model.fit_scales([build_graphs([crystal(seed) for seed in range(12)], CUTOFF)])
        _MODELS[kind, dtype] = made.to(dtype)
    return _MODELS[kind, dtype]


def crystal(seed, strain=0.05, rattle=0.15):
    rng = np.random.default_rng(seed)
    atoms = bulk("NaCl", ["rocksalt", "zincblende", "cesiumchloride"][seed % 3], a=[5.4, 5.2, 3.4][seed % 3])
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += rattle * rng.normal(size=(len(atoms), 3))
    return atoms


def evaluate(kind, atoms, dtype=torch.float64):
    result = differentiate(energy_model(kind, dtype), build_graphs([atoms], CUTOFF))
    return float(result.energy), result.forces.detach().double().numpy(), result.stress[0].detach().double().numpy()


def moved(atoms, cell, positions):
    other = atoms.copy()
    other.set_cell(cell)
    other.positions = positions
    return other


kinds = pytest.mark.parametrize("kind", model_kinds())
dtypes = pytest.mark.parametrize("dtype", list(EXACT))


@kinds
@dtypes
@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_symmetries(kind, dtype, seed):
    rng, atoms = np.random.default_rng(seed), crystal(seed)
    energy, forces, stress = evaluate(kind, atoms, dtype)
    force_scale = max(np.sqrt((forces**2).mean()), 1e-6)
    energy_limit, force_limit = EXACT[dtype] * max(abs(energy), 1.0), EXACT[dtype] * force_scale
    stress_limit = EXACT[dtype] * max(np.abs(stress).max(), force_scale / atoms.get_volume() ** (2 / 3))
    q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    for turn in (q, -q):  # one of them is a rotation, the other a rotation with inversion
        e, f, s = evaluate(kind, moved(atoms, atoms.cell.array @ turn.T, atoms.positions @ turn.T), dtype)
        assert abs(e - energy) <= energy_limit
        assert np.abs(f - forces @ turn.T).max() <= force_limit * 10
        assert np.abs(s - turn @ stress @ turn.T).max() <= stress_limit * 10
    whole = rng.integers(-3, 4, (len(atoms), 3)) @ atoms.cell.array
    unimodular = np.array([[1, 1, 0], [0, 1, 0], [0, -1, 1]]) @ atoms.cell.array
    for other in (
        moved(atoms, atoms.cell.array, atoms.positions + whole),
        moved(atoms, atoms.cell.array, atoms.positions + rng.normal(size=3) * 5),
        moved(atoms, unimodular, atoms.positions),
        atoms[rng.permutation(len(atoms))],
    ):
        assert abs(evaluate(kind, other, dtype)[0] - energy) <= energy_limit * 10
    assert abs(evaluate(kind, atoms.repeat((2, 1, 1)), dtype)[0] / 2 - energy) <= energy_limit * 10
    assert np.abs(forces.sum(0)).max() <= force_limit * 10


@kinds
@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_forces_and_stress_are_derivatives(kind, seed):
    rng, atoms, h = np.random.default_rng(seed), crystal(seed), 1e-4
    _, forces, stress = evaluate(kind, atoms)
    step, strain = rng.normal(size=(len(atoms), 3)), rng.normal(size=(3, 3))
    strain = (strain + strain.T) / 2

    def energies(x):
        deformation = np.eye(3) + x * strain
        shifted = evaluate(kind, moved(atoms, atoms.cell.array, atoms.positions + x * step))[0]
        strained = evaluate(kind, moved(atoms, atoms.cell.array @ deformation, atoms.positions @ deformation))[0]
        return np.array([shifted, strained])

    # eight times the inner difference less the outer: what is left of the error falls as h^4
    slope, tension = (8 * (energies(h) - energies(-h)) - (energies(2 * h) - energies(-2 * h))) / 12 / h
    scale = max(np.sqrt((forces**2).mean()), 1e-3)
    assert abs(-slope - (forces * step).sum()) <= 1e-6 * scale * np.abs(step).sum()
    assert (
        abs(tension - (stress * strain).sum() * atoms.get_volume())
        <= 1e-6 * max(np.abs(stress).max() * atoms.get_volume(), scale) * np.abs(strain).sum()
    )


def test_the_repulsion_ends_at_the_cutoff_even_where_radii_exceed_it():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = EnergyModel(build_model({"kind": "invariant", "cutoff_A": 4.0, **SMALL["invariant"]}, [55])).double()
    near, apart = (Atoms("Cs2", [[0, 0, 0], [0, 0, r]]) for r in (4.0 - 1e-6, 4.0 + 1e-6))
    found = [differentiate(model, build_graphs([atoms], 4.0)) for atoms in (near, apart)]
    assert abs(float(found[0].energy - found[1].energy)) < 1e-9
    assert float((found[0].forces - found[1].forces).abs().max()) < 1e-6


def test_without_the_repulsion_close_atoms_are_left_to_the_network():
    pair = Atoms("NaCl", [[0, 0, 0], [0, 0, 1.5]])
    forces = {}
    for repulsion in (True, False):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = build_model({"kind": "invariant", "cutoff_A": CUTOFF, **SMALL["invariant"]}, [11, 17])
            made = EnergyModel(model, repulsion=repulsion, shortest_A={(11, 17): 2.4}).double()
        forces[repulsion] = differentiate(made, build_graphs([pair], CUTOFF)).forces
    assert float(forces[False].abs().max()) > 1e-3
    assert float(forces[True][0, 2]) < -1.0  # pushed apart


@kinds
def test_a_crowd_repels_whatever_the_network_says(kind):
    """Far more crowded than anything seen, an atom has exactly half the screened repulsions with all its neighbours."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model({"kind": kind, "cutoff_A": CUTOFF, **SMALL[kind]}, [11, 17])
        made = EnergyModel(model, scale_eV=100.0, crowding_eV={11: 5.0, 17: 5.0}).double()
    salt, totals = bulk("NaCl", "rocksalt", a=5.6), []
    for scale in (1.0, 0.8, 0.7, 0.6, 0.5, 0.4):
        atoms = salt.copy()
        atoms.set_cell(salt.cell.array * scale, scale_atoms=True)
        energies = differentiate(made, build_graphs([atoms], CUTOFF)).energies.detach().numpy()
        i, j, d = neighbor_list("ijd", atoms, CUTOFF)
        z = torch.from_numpy(atoms.numbers)
        x = d / CUTOFF
        pairs = zbl(torch.from_numpy(d), z[i], z[j]).numpy() * (1 - 153 * x**16 + 288 * x**17 - 136 * x**18)
        crowding = np.bincount(i, pairs / 2, len(atoms))
        if (crowding > 2.5 * 5.0).all():
            np.testing.assert_allclose(energies, crowding, rtol=1e-12)
            totals.append(float(energies.sum()))
    assert len(totals) >= 3 and (np.diff(totals) > 0).all()


@kinds
def test_a_lone_atom_has_exactly_no_energy(kind):
    for symbol in ("Na", "Cl"):
        for atoms in (Atoms(symbol), Atoms(symbol, cell=[20.0] * 3, pbc=True)):
            result = differentiate(energy_model(kind), build_graphs([atoms], CUTOFF))
            assert float(result.energies.abs().max()) == 0.0
            assert float(result.forces.abs().max()) == 0.0


@kinds
def test_smooth_where_neighbours_enter(kind):
    """Energy, its first and its second derivative go to zero with the distance to the cut-off, and are zero beyond."""

    def pair(distance):
        graph = build_graphs([Atoms("NaCl", positions=[[0, 0, 0], [0.2, 0.1, distance]])], CUTOFF)
        vectors = edge_vectors(graph).requires_grad_(True)
        energy = energy_model(kind)(graph, vectors).sum()
        return float(energy), graph, vectors

    reach = np.sqrt(CUTOFF**2 - 0.05)
    inside = np.array([pair(reach - gap)[0] for gap in (0.2, 0.1, 0.05, 0.025)])
    assert pair(reach + 1e-9)[0] == 0.0 and inside[0] != 0.0
    ratios = np.abs(inside[:-1] / inside[1:])  # third power of the gap or faster: the second derivative vanishes
    assert (ratios > 6.5).all(), ratios


@kinds
def test_loss_gradients_are_finite_for_perfect_structures(kind):
    structures = [
        bulk("NaCl", "rocksalt", a=5.6, cubic=True),
        bulk("Na", "fcc", a=4.6),
        Atoms("ClNaCl", positions=[[-1.9, 0, 0], [0, 0, 0], [1.9, 0, 0]]),
        Atoms("Na"),
    ]
    model = energy_model(kind)
    model.zero_grad()
    result = differentiate(model, build_graphs(structures, CUTOFF), create_graph=True)
    (result.energy.square().sum() + (result.forces - 0.1).square().sum() + result.stress[:2].square().sum()).backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients and all(torch.isfinite(g).all() for g in gradients)
    assert any(g.abs().max() > 0 for g in gradients)


@kinds
def test_a_batch_is_a_sum_of_independent_structures(kind):
    structures = [crystal(3), Atoms("Na"), Atoms("NaCl", positions=[[0, 0, 0], [0, 0, 2.4]]), crystal(4).repeat((2, 1, 1))]
    whole = differentiate(energy_model(kind), build_graphs(structures, CUTOFF))
    single = [differentiate(energy_model(kind), build_graphs([a], CUTOFF)) for a in structures]
    assert torch.allclose(whole.energy, torch.cat([r.energy for r in single]), rtol=1e-12, atol=1e-12)
    assert torch.allclose(whole.forces, torch.cat([r.forces for r in single]), rtol=1e-10, atol=1e-12)


def test_bad_options_are_named():
    with pytest.raises(ConfigError, match="model.kind: found 'mace'; right would be one of equivariant, invariant, tensor-product"):
        build_model("mace", [14])
    with pytest.raises(ConfigError, match="model.chanels"):
        build_model({"kind": "equivariant", "chanels": 3}, [14])
    with pytest.raises(ConfigError, match="atomic numbers"):
        build_model("equivariant", [0])
