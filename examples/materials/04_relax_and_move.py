"""Relax a strained crystal with its cell, then let it move at 300 K and look whether the energy stays."""

from __future__ import annotations

from ase.build import bulk

from sciml import materials as mat

potential = mat.load_potential("si")
strained = bulk("Si", cubic=True)
strained.set_cell(strained.cell * 1.02, scale_atoms=True)

relaxed = mat.relax([strained], potential, cell=True)[0].atoms
print(f"lattice constant {strained.cell[0, 0]:.4f} -> {relaxed.cell[0, 0]:.4f} A")

moved = mat.molecular_dynamics(relaxed, potential, timestep_fs=1.0, steps=50, temperature_K=300.0, seed=1)
print(f"temperature after 50 fs: {moved.atoms.get_temperature():.0f} K")
