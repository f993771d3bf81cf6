"""Pair laws against their closed forms and an independent implementation (ASE)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.data import atomic_numbers
from ase.neighborlist import neighbor_list

from sciml.materials.models.pair import (
    bond_length,
    crowding_of,
    faded,
    inside,
    lennard_jones,
    morse,
    saturate,
    shortest_distances,
    trust,
    zbl,
)


def test_lennard_jones_is_that_of_ase():
    for distance in (0.95, 1.1, 1.5):
        atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, distance]], calculator=LennardJones(epsilon=0.3, sigma=1.05, rc=50.0, smooth=False))
        shift = 4 * 0.3 * ((1.05 / 50) ** 12 - (1.05 / 50) ** 6)
        ours = float(lennard_jones(torch.tensor(distance, dtype=torch.float64), 0.3, 1.05))
        assert ours == pytest.approx(atoms.get_potential_energy() + shift, rel=1e-12)


def test_morse_has_its_minimum_and_curvature():
    r = torch.tensor(2.55, dtype=torch.float64, requires_grad=True)
    energy = morse(r, 0.35, 2.55, 6.0)
    (slope,) = torch.autograd.grad(energy, r, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, r)
    assert float(energy) == -0.35 and float(slope) == 0.0
    assert float(curvature) == pytest.approx(2 * 0.35 * (6.0 / 2.55) ** 2, rel=1e-12)


def test_nuclear_repulsion():
    z = torch.tensor([14, 14, 29])
    short = torch.full((3,), 1e-5, dtype=torch.float64)
    close = faded(zbl(short, z, z), short, bond_length(z, z, short))
    assert torch.allclose(close * 1e-5, 14.399645 * z.double() ** 2, rtol=5e-3)  # bare Coulomb near the nucleus
    r = torch.linspace(0.2, 2.4, 300, dtype=torch.float64, requires_grad=True)
    silicon = torch.full((300,), 14)
    energy = faded(zbl(r, silicon, silicon), r, bond_length(silicon, silicon, r))
    (slope,) = torch.autograd.grad(energy.sum(), r)
    assert (energy >= 0).all() and (slope <= 0).all()  # repels wherever it acts
    assert float(energy[r > 2.22].abs().max()) == 0.0  # the sum of covalent radii is 2.22 A
    a = 0.46850 / (2 * 14**0.23)
    x = 1.0 / 2.22
    inside = (
        0.18175 * math.exp(-3.19980 / a)
        + 0.50986 * math.exp(-0.94229 / a)
        + 0.28022 * math.exp(-0.40290 / a)
        + 0.02817 * math.exp(-0.20162 / a)
    )
    expected = 14.399645 * 196 * inside * (1 - 28 * x**6 + 48 * x**7 - 21 * x**8)
    one = torch.tensor([1.0], dtype=torch.float64)
    bare = zbl(one, z[:1], z[:1])
    assert float(bare) == pytest.approx(14.399645 * 196 * inside, rel=1e-9)
    assert float(faded(bare, one, 2.22 * one)) == pytest.approx(expected, rel=1e-9)
    assert float(faded(bare, one, 0.9 * one)) == 0.0


def test_crowding_is_half_of_all_repulsions():
    pairs, target = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64), torch.tensor([0, 2, 2])
    assert crowding_of(pairs, target, 3).tolist() == [1.5, 0.0, 1.5]


def test_inside_goes_to_zero_with_two_derivatives_and_is_flat_before():
    r = torch.linspace(0.0, 6.0, 601, dtype=torch.float64)
    share = inside(r, 5.0)
    assert (share[r <= 3.25] > 0.9).all() and (share[r >= 5.0].abs() < 1e-12).all() and (share.diff() < 1e-12).all()
    x = torch.tensor(5.0 - 1e-6, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(inside(x, 5.0), x, create_graph=True)
    assert abs(float(slope)) < 1e-8 and abs(float(torch.autograd.grad(slope, x)[0])) < 1e-3


CRYSTALS = {  # lattice, length in angstrom, bulk modulus in GPa, cohesive energy in eV an atom, cut-off in angstrom
    "Li": ("bcc", 3.49, 11.6, 1.63, 5.0),
    "Na": ("bcc", 4.28, 6.3, 1.11, 5.0),
    "K": ("bcc", 5.33, 3.1, 0.93, 7.0),
    "Ca": ("fcc", 5.58, 17.0, 1.84, 5.0),
    "Cu": ("fcc", 3.61, 140.0, 3.5, 4.0),
    "Mo": ("bcc", 3.15, 260.0, 6.8, 5.0),
    "Si": ("diamond", 5.43, 98.0, 4.6, 5.0),
    "C": ("diamond", 3.57, 443.0, 7.4, 5.0),
    "Xe": ("fcc", 6.2, 3.0, 0.16, 7.0),
}


@pytest.mark.parametrize("symbol", CRYSTALS)
@pytest.mark.parametrize("alone", [True, False])
def test_matter_resists_all_the_way(symbol, alone):
    """Murnaghan's energy, faded by what 3 % of strain saw, rises under compression all the way (elements from Kittel's tables).

    alone: energies count from lone atoms, else from the crystal at rest.
    """
    lattice, cell, bulk_GPa, cohesion, cutoff = CRYSTALS[symbol]
    z, sites = atomic_numbers[symbol], {"bcc": 2, "fcc": 4, "diamond": 8}[lattice]

    def crowding(scale, whole):
        i, d = neighbor_list("id", bulk(symbol, lattice, a=cell * scale), cutoff)
        d = torch.from_numpy(d[i == 0])
        kind = torch.full((len(d),), z)
        pairs = zbl(d, kind, kind)
        return crowding_of(pairs if whole else pairs * inside(d, cutoff), torch.zeros(len(d), dtype=torch.int64), 1)

    most = crowding(0.97, True)
    energies = []
    for scale in np.linspace(1.0, 0.4, 61):
        y = scale**3
        energy = bulk_GPa / 160.2177 * cell**3 / sites * (y / 4 * (y**-4 / 3 + 1) - 1 / 3)  # Murnaghan with B' = 4
        here = crowding(scale, False)
        share = trust(here, most)
        energies.append(float(share * (energy - cohesion * alone) + (1 - share) * here))
    assert (np.diff(energies) > 0).all()


def test_trust_fades_with_two_continuous_derivatives():
    most = torch.tensor(4.0, dtype=torch.float64)
    t = torch.linspace(0.0, 3.5, 701, dtype=torch.float64)
    share = trust(4.0 * t, most)
    assert (share[t <= 1.25] == 1).all() and (share[t >= 2.5] == 0).all() and (share.diff() <= 1e-15).all()
    assert float(trust(4.0 * torch.tensor(1.875), most)) == pytest.approx(0.5)
    assert float(trust(torch.tensor(1e9), torch.tensor(torch.inf))) == 1.0  # nothing known, nothing faded
    for joint in (5.0, 10.0):
        for x in (joint - 1e-6, joint + 1e-6):
            x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
            (slope,) = torch.autograd.grad(trust(x, most), x, create_graph=True)
            (curvature,) = torch.autograd.grad(slope, x)
            assert abs(float(slope)) < 1e-9 and abs(float(curvature)) < 1e-4


def length_of(r, shortest):
    """Length that a network is told, for r [E] in angstrom."""
    direction = torch.tensor([[2.0, -1.0, 2.0]], dtype=torch.float64) / 3
    return saturate(r.unsqueeze(1) * direction, torch.full_like(r, shortest)).square().sum(1).sqrt()


def test_saturated_distances():
    r = torch.linspace(0.05, 3.0, 400, dtype=torch.float64)
    told = length_of(r, 2.0)
    assert torch.allclose(told[r >= 2.0], r[r >= 2.0], rtol=1e-15) and torch.allclose(
        told[r <= 1.6], torch.tensor(1.8, dtype=torch.float64)
    )
    assert (told.diff() >= -1e-14).all()
    vectors = torch.tensor([[0.0, 0.0, 2.5], [0.0, 1.0, 0.0]], dtype=torch.float64)
    kept, longer = saturate(vectors, torch.tensor([2.0, 2.0], dtype=torch.float64))
    assert torch.equal(kept, vectors[0])  # the same bits
    assert torch.allclose(longer, torch.tensor([0.0, 1.8, 0.0], dtype=torch.float64))
    assert torch.equal(saturate(vectors, torch.zeros(2, dtype=torch.float64)), vectors)  # nothing seen, nothing held


@pytest.mark.parametrize("joint", [1.6, 2.0])
def test_saturation_has_two_continuous_derivatives(joint):
    values = []
    for r in (joint - 1e-7, joint + 1e-7):
        x = torch.tensor([r], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(length_of(x, 2.0).sum(), x, create_graph=True)
        values.append((float(slope), float(torch.autograd.grad(slope, x)[0]) if slope.requires_grad else 0.0))
    (slope, curvature), (slope_after, curvature_after) = values
    assert abs(slope - slope_after) < 1e-6 and abs(curvature - curvature_after) < 1e-4


def test_shortest_distances_of_pairs():
    table = shortest_distances([6, 8, 29], {(6, 8): 1.1, (29, 29): 2.2}, 5.0)
    ratio = min(1.1 / (0.76 + 0.66), 2.2 / 2.64)
    assert torch.allclose(table, table.T)
    assert float(table[0, 1]) == pytest.approx(1.1) and float(table[2, 2]) == pytest.approx(2.2)
    assert float(table[0, 0]) == pytest.approx(ratio * 1.52) and float(table[0, 2]) == pytest.approx(ratio * (0.76 + 1.32))
    assert float(shortest_distances([29, 55], {(29, 29): 2.4}, 4.0).max()) == 4.0  # a guess never exceeds the cut-off
    assert not shortest_distances([14], {}, 5.0).any()
