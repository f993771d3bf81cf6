"""Work between neighbours in the data equals the energy difference: exact for a harmonic crystal, and scale faults show as their factor."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from sciml.materials.labels import labels_of
from sciml.materials.labels.increments import increments


def path(strained):
    """A dozen frames of copper in small steps, by forces alone or by strain alone, with the labels of EMT."""
    start = bulk("Cu", cubic=True)
    start.rattle(0.08, seed=0)
    direction = np.random.default_rng(1).normal(size=(4, 3)) * 0.03
    frames = []
    for step in range(12):
        atoms = start.copy()
        if strained:
            atoms = bulk("Cu", cubic=True)
            strain = np.array([[0.006, 0.004, 0], [0.004, -0.002, 0], [0, 0, 0.003]]) * step
            atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
        else:
            atoms.positions += step * direction
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        frames.append(atoms)
    return frames


@pytest.mark.parametrize("factor", [1.0, -1.0, 1602.18])
def test_stress(factor):
    frames = path(strained=True)
    for atoms in frames:
        atoms.calc.results["stress"] = atoms.calc.results["stress"] * factor
    slope = increments(frames, [labels_of(atoms) for atoms in frames])["stress"]
    assert slope.ratio == pytest.approx(factor, rel=0.03)


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0389])
def test_forces(factor):
    frames = path(strained=False)
    for atoms in frames:
        atoms.calc.results["forces"] = atoms.calc.results["forces"] * factor
    slope = increments(frames, [labels_of(atoms) for atoms in frames])["forces"]
    assert slope.ratio == pytest.approx(factor, rel=0.03)


def test_silent_where_nothing_lies_close():
    frames = [bulk("Cu", cubic=True, a=a) for a in (3.0, 3.6, 4.2, 5.0)]
    for atoms in frames:
        atoms.info.update(energy=float(atoms.cell[0, 0]), stress=np.zeros(6))
    assert increments(frames, [labels_of(atoms) for atoms in frames]) == {}
