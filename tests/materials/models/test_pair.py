"""Pair laws against their closed forms and an independent implementation (ASE)."""

from __future__ import annotations

import math

import pytest
import torch
from ase import Atoms
from ase.calculators.lj import LennardJones

from sciml.materials.models.pair import lennard_jones, morse, zbl


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
    close = zbl(torch.full((3,), 1e-5, dtype=torch.float64), z, z)
    assert torch.allclose(close * 1e-5, 14.399645 * z.double() ** 2, rtol=5e-3)  # bare Coulomb near the nucleus
    r = torch.linspace(0.2, 2.4, 300, dtype=torch.float64, requires_grad=True)
    energy = zbl(r, torch.full((300,), 14), torch.full((300,), 14))
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
    assert float(zbl(torch.tensor([1.0], dtype=torch.float64), z[:1], z[:1])) == pytest.approx(expected, rel=1e-9)
