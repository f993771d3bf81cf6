"""Calculators with one planted fault each, over a right one: what every row of the audit must see."""

from __future__ import annotations

import numpy as np
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list

from sciml.materials.audit.probe import Probe
from tests.data.cases.calculators import Pair, morse


class Spoiled(Calculator):
    """`base`, its results changed by `spoil(atoms, results, call)`."""

    implemented_properties = ("energy", "free_energy", "energies", "forces", "stress")

    def __init__(self, spoil, base=None):
        super().__init__()
        self.base, self.spoil, self.call = base or wide_morse(), spoil, 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.base.reset()
        wanted = ["energy", "forces", "stress"] if atoms.pbc.all() else ["energy", "forces"]
        self.base.calculate(self.atoms, wanted, all_changes)
        results = {key: np.copy(value) if isinstance(value, np.ndarray) else value for key, value in self.base.results.items()}
        self.call += 1
        self.spoil(atoms, results, self.call)
        self.results = results


def wide_morse(twist=None):
    return morse(cutoffs=(1.6, 2.1), twist=twist)


def copper(cells=(2, 1, 1)):
    return bulk("Cu", cubic=True, a=3.65).repeat(cells)


def frames_of(calculator, *structures, seed=0):
    """A probe and the frames it makes, at the precision it finds."""
    probe = Probe(calculator, seed)
    frames = [probe.frame(structure, index) for index, structure in enumerate(structures)]
    probe.find_precision(frames)
    return probe, frames


def energy(change):
    """A fault of the energy alone."""

    def spoil(atoms, results, call):
        results["energy"] += change(atoms)
        results["free_energy"] = results["energy"]

    return spoil


def anisotropy(atoms):
    d, vectors = neighbor_list("dD", atoms, 4.0)
    return 0.01 * float(((4.0 - d) ** 3 * (vectors**4).sum(1) / d**4).sum())


def handedness(atoms):
    """A smooth pseudoscalar: unchanged by rotations, of the other sign for the mirror image."""
    i, d, vectors = neighbor_list("idD", atoms, 4.5)
    fall = (4.5 - d)[:, None] ** 3 * vectors
    moments = [np.stack([np.bincount(i, (fall * d[:, None] ** n)[:, k], len(atoms)) for k in range(3)], 1) for n in (0, 1, 2)]
    return float(np.linalg.det(np.stack(moments, 1)).sum()) * 1e-3


def cells_away(atoms):
    return 0.01 * float(np.abs(np.floor(atoms.cell.scaled_positions(atoms.positions))).sum())


def by_place(atoms):
    return 0.01 * float((np.arange(len(atoms)) * np.linalg.norm(atoms.positions - atoms.positions.mean(0), axis=1)).sum())


def intensive(atoms, results, call):
    results["energy"] = results["free_energy"] = results["energy"] * 8 / len(atoms)


def on_forces(change):
    def spoil(atoms, results, call):
        results["forces"] = change(results["forces"], results, atoms)

    return spoil


def on_stress(change):
    def spoil(atoms, results, call):
        if "stress" in results:
            results["stress"] = change(results["stress"])

    return spoil


def forgetful(atoms, results, call):
    results["energy"] = results["free_energy"] = results["energy"] + 1e-4 * call


def not_a_number(key):
    def spoil(atoms, results, call):
        results[key] = results[key] * np.nan
        results["free_energy"] = results["energy"]

    return spoil


def nan_when_perfect(atoms, results, call):
    if np.abs(results["forces"]).max() < 1e-9:
        results["forces"] = results["forces"] * np.nan


SYMMETRY_TWINS = {
    "rotation": energy(anisotropy),
    "reflection": energy(handedness),
    "inversion": energy(handedness),
    "translation": energy(lambda atoms: 0.01 * float(atoms.positions[:, 0].sum())),
    "permutation": energy(by_place),
    "wrapping": energy(cells_away),
    "change of cell": energy(lambda atoms: 0.01 * float(atoms.cell.lengths().sum())),
    "supercell": intensive,
    "force equivariance": on_forces(lambda forces, results, atoms: forces * [1.001, 1, 1]),
    "stress equivariance": on_stress(lambda stress: stress * [1.001, 1, 1, 1, 1, 1]),
    "sum of forces": on_forces(lambda forces, results, atoms: forces + 1e-3),
}


def truncated():
    """A pair law that ends at its cut-off without going to zero."""
    return Pair(lambda r: -200.0 / r**6, lambda r: 1200.0 / r**7, 5.1)


def few_neighbours(atoms, results, call):
    """Only the ten nearest neighbours act: the energy jumps when two neighbours change places."""
    i, d = neighbor_list("id", atoms, 6.0)
    total = sum(float(np.exp(-np.sort(d[i == k])[:10]).sum() + np.sort(d[i == k])[9:10].sum()) for k in range(len(atoms)))
    second = np.array([np.lexsort((d[i == k],))[8:10].sum() for k in range(len(atoms))])
    results["energy"] = results["free_energy"] = results["energy"] + 1e-3 * total + 1e-4 * float(second.sum())


def hollow():
    """Morse with a hole in the core: two atoms that come close attract each other."""
    right = wide_morse()
    width, depth = 0.7, 8000.0

    def phi(r):
        return right.phi(r) - depth * np.exp(-((r / width) ** 2))

    def slope(r):
        return right.slope(r) + 2 * depth * r / width**2 * np.exp(-((r / width) ** 2))

    return Pair(phi, slope, right.cutoff)


def collapsing():
    """Morse that many close neighbours at once make attractive: the energy falls with a power of the density above twice the usual one."""
    return Spoiled(energy(lambda atoms: -1e3 * len(atoms) * max(0.0, _density(atoms) - 2.0) ** 3))


def rebounding():
    """The same in a range of densities only: where more atoms come together, they repel again."""
    return Spoiled(energy(lambda atoms: -50.0 * len(atoms) * np.exp(-((_density(atoms) - 2.4) ** 2) / 0.1)))


def _density(atoms):
    return 12.0 * len(atoms) / atoms.get_volume()


class Single(Calculator):
    """Morse rounded to float32 in its pair energies and slopes; vectors are taken in float64."""

    implemented_properties = Spoiled.implemented_properties

    def __init__(self):
        super().__init__()
        right = wide_morse()

        def rounded(law):
            return lambda r: law(r).astype(np.float32).astype(np.float64)

        self.base = Pair(rounded(right.phi), rounded(right.slope), right.cutoff)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.base.calculate(atoms, properties, system_changes)
        self.results = dict(self.base.results)
