"""Stress labels that contradict the energies as the Pulay stress of an incomplete basis does, measured on strained cells without any model.

A basis with a fixed cut-off holds N_PW ~ V functions. Energies at that cut-off follow the basis as the cell changes; the stress that a code
prints is taken at constant N_PW and lacks -(dE/dN_PW) N_PW / V = sum over atoms of c / V (Francis and Payne, J. Phys.: Condens. Matter 2,
4395, 1990), with c an energy of each atom that hardly changes with the structure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from sciml.materials.labels.finding import Array, Labels
from sciml.materials.labels.increments import MIN_PAIRS, pairs, regression, work_between
from sciml.units import EV_PER_A3_IN_GPA

MIN_STRESS_GPA, MIN_SIGMAS, MIN_SHARE, MAX_CONDITION, MAX_SCALE_ERROR = 0.1, 5.0, 0.5, 30.0, 0.25
MAX_HALF_ERROR = 0.3


@dataclass(frozen=True)
class PulayStress:
    """What the stress labels have too much: sum over atoms of c / V, isotropic.

    eV_per_atom: c by element. GPa, error_GPa: its mean over the cells looked at, and the standard error. before, after: root mean square
    of what the labelled stresses say too much about energy differences, in eV an atom, with it and without.
    """

    eV_per_atom: dict[str, float]
    GPa: float
    error_GPa: float
    pairs: int
    before: float
    after: float

    def text(self) -> str:
        """One sentence."""
        shares = ", ".join(f"{symbol} {value:+.3f}" for symbol, value in self.eV_per_atom.items())
        return (
            f"the stress labels lie {self.GPa:+.2f} +- {self.error_GPa:.2f} GPa (isotropic) beside the strain derivative of the energies "
            f"({self.pairs} pairs of strained cells; energy differences miss by {1e3 * self.before:.2g} meV an atom with it, by "
            f"{1e3 * self.after:.2g} without): no potential can agree with both. A Pulay stress looks like this (eV an atom over the "
            f"volume: {shares})"
        )


def pulay_pressure(eV_per_atom: Mapping[str, float], numbers: Sequence[int], volume_A3: float) -> float:
    """The isotropic stress sum c / V of a structure in eV/A^3, 0 for elements without c."""
    return sum(eV_per_atom.get(chemical_symbols[int(z)], 0.0) for z in numbers) / volume_A3


def pulay_stress(structures: Sequence[Atoms], labels: Sequence[Labels]) -> PulayStress | None:
    """The Pulay stress in the labels, where neighbouring cells in the data show one; else None.

    From a cell to the next the labelled stress does sum c ln(V_b / V_a) more work than the energy changes, and a term of third order in the
    strain that the anharmonicity adds. Atoms must not move against the cell: what vibrations add
    looks like a stress. Named is what exceeds 0.1 GPa and five standard errors, explains more than half of the excess, and shows as well in
    the half of the pairs that lie closest; nothing where the stress is in another unit or sign.
    """
    species = sorted({int(z) for atoms in structures for z in set(atoms.numbers.tolist())})
    rows, densities, reaches = [], [], []
    for a, b in pairs(structures, labels):
        work = work_between(structures, labels, a, b)
        volume = structures[a].get_volume() if work is not None and work.volume else 0.0
        if work is None or abs(work.volume) <= 1e-4 * volume or work.forces:  # atoms that move add a term of their own
            continue
        shares = np.array([np.mean(structures[a].numbers == z) for z in species])
        growth, excess = np.log1p(work.volume / volume), work.forces + work.stress - work.energy
        rows.append([*(shares * growth), growth * work.strain**2, work.stress / len(structures[a]), excess / len(structures[a])])
        densities.append(shares * len(structures[a]) / volume)
        reaches.append(work.reach)
    if len(rows) < MIN_PAIRS:
        return None
    found = _fit(np.array(rows))
    if found is None:
        return None
    values, error, before, after = found
    pressures = np.array(densities) @ values * EV_PER_A3_IN_GPA
    mean = float(pressures.mean())
    if abs(mean) < MIN_STRESS_GPA or not _near_agrees(np.array(rows), np.array(densities), np.array(reaches), mean):
        return None
    each = {chemical_symbols[z]: float(value) for z, value in zip(species, values, strict=True)}
    return PulayStress(each, mean, abs(mean) * error, len(rows), before, after)


def _near_agrees(rows: Array, densities: Array, reaches: Array, mean: float) -> bool:
    """Whether the half of the pairs that lie closest shows the mean stress (GPa) too: what anharmonicity adds is less there."""
    near = np.argsort(reaches, kind="stable")[: max(MIN_PAIRS, len(rows) // 2)]
    found = _fit(rows[near])
    if found is None:
        return False
    own = float((densities[near] @ found[0]).mean()) * EV_PER_A3_IN_GPA
    return abs(own - mean) < MAX_HALF_ERROR * abs(mean)


def _fit(rows: Array) -> tuple[Array, float, float, float] | None:
    """c by element (of least norm where compositions do not tell elements apart), its relative error, rms excess before and after."""
    columns, stress, excess = rows[:, :-2], rows[:, -2], rows[:, -1]
    scale = np.sqrt(np.mean(columns**2, axis=0))
    scale[:-1] = scale[:-1].max()  # one unit for all elements, so that the norm that is least means something
    columns = columns / scale
    total = np.stack([columns[:, :-1].sum(1), columns[:, -1]], 1)
    if np.linalg.cond(total / np.sqrt(np.mean(total**2, axis=0))) > MAX_CONDITION:  # strains of one size cannot tell the terms apart
        columns[:, -1] = 0.0
    scales, errors, _ = regression(np.column_stack([total, stress / np.sqrt(np.mean(stress**2))]), stress - excess)
    ratio, doubt = (float(each[2] / np.sqrt(np.mean(stress**2))) for each in (scales, errors))
    if abs(ratio - 1) > max(MAX_SCALE_ERROR, 3 * doubt):
        return None  # another unit or sign: that is to be named and mended first
    slopes, _, r2 = regression(columns, excess)
    work = columns[:, :-1] @ slopes[:-1]
    (size,), (error,), _ = regression(work[:, None], excess - columns[:, -1] * slopes[-1])
    if r2 < MIN_SHARE or not work.any() or abs(size) < MIN_SIGMAS * error:
        return None
    before, after = (float(np.sqrt(np.mean(each**2))) for each in (excess, excess - columns @ slopes))
    return slopes[:-1] / scale[:-1], float(error / abs(size)), before, after
