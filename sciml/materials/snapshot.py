"""What a calculator says of a structure, kept without the calculator: its energy and forces as labels, and a frame of a file."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import ase.io
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

__all__ = ["as_extxyz", "energy_and_forces", "potential_energy"]


def potential_energy(atoms: Atoms, *, apply_constraint: bool = True) -> float:
    """The energy in eV that forces derive from: the free energy where the calculator of `atoms` has one, else its energy.

    `apply_constraint` adds what constraints (springs) give to it.
    """
    if hasattr(atoms.calc, "get_property"):
        with contextlib.suppress(PropertyNotImplementedError):
            return float(atoms.get_potential_energy(force_consistent=True, apply_constraint=apply_constraint))
    return float(atoms.get_potential_energy(apply_constraint=apply_constraint))


def energy_and_forces(atoms: Atoms) -> dict[str, Any]:
    """Labels of `atoms` by its calculator, no constraint applied: forces [N,3] (eV/A), and the energy (eV) that they derive from.

    A calculator that has a free energy gives it as `energy` and as `free_energy`, so that every reader finds the same one.
    """
    forces = atoms.get_forces(apply_constraint=False)
    energy = potential_energy(atoms, apply_constraint=False)
    free = {"free_energy": energy} if "free_energy" in getattr(atoms.calc, "results", {}) else {}
    return {"energy": energy, **free, "forces": forces}


def as_extxyz(atoms: Atoms) -> bytes:
    """One frame of an extxyz file, with the labels and columns of `atoms`."""
    text = io.StringIO()
    ase.io.write(text, atoms, format="extxyz")
    return text.getvalue().encode()
