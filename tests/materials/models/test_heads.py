"""Heads."""

from __future__ import annotations

import torch

from sciml.materials.models import AtomFeatures, EnergyHead


def test_zero_scalars_have_exactly_no_energy_and_atoms_do_not_mix():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = EnergyHead(6)
        scalars = torch.randn(4, 6)
    scalars[2] = 0.0
    energies = head(AtomFeatures(scalars))
    assert energies.shape == (4,) and float(energies[2]) == 0.0
    assert torch.allclose(head(AtomFeatures(scalars[:2])), energies[:2])
    assert float(energies[0]) != 0.0
