"""What must not change an energy, and how forces and stress must follow: exact symmetries of any interatomic potential.

For atoms x, cell, energy E, forces F, stress s: E(Q x) = E(x), F(Q x) = Q F(x), s(Q x) = Q s(x) Q^T for every orthogonal Q, all three
unchanged by translation, order, lattice vectors added to single atoms, and another basis of the same lattice; E(n x) = n E(x).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from sciml.materials.audit.probe import FAR_A, CalculatorFault, Evaluation, Frame, Probe
from sciml.report.verdicts import Row

__all__ = ["Image", "images", "symmetry_rows"]

SYMMETRIES = ("rotation", "reflection", "inversion", "translation", "permutation", "wrapping", "change of cell", "supercell")
_PERIODIC = ("wrapping", "change of cell", "supercell")
_NOT_PERIODIC = "no structure has a periodic direction"
_SKEW, _FLIP = np.array([[1, 1, 0], [0, 1, 0], [0, -1, 1]]), np.array([[0, 1, 0], [1, 0, 0], [1, 0, 1]])  # determinants 1 and -1


@dataclass(frozen=True)
class Image:
    """A copy that must be equivalent: `atoms` = `copies` times the original, turned by `turn`; atom k of it is atom `order[k]`."""

    symmetry: str
    atoms: Atoms
    copies: int = 1
    order: np.ndarray | None = None
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    of_small: bool = False

    def errors(self, found: Evaluation, original: Evaluation, frame: Frame) -> tuple[float, float, float | None]:
        """Relative errors of energy, forces and stress (None where there is none)."""
        order = np.tile(np.arange(len(original.forces)), self.copies) if self.order is None else self.order
        atoms_ratio = len(original.forces) / len(frame.work)
        energy = abs(found.energy / self.copies - original.energy) / (frame.energy_scale * atoms_ratio)
        forces = float(np.abs(found.forces - original.forces[order] @ self.turn.T).max(initial=0.0)) / frame.force_scale
        if found.stress is None or original.stress is None:
            return energy, forces, None
        turned = self.turn @ original.stress @ self.turn.T
        return energy, forces, float(np.abs(found.stress - turned).max()) / frame.stress_scale


def images(frame: Frame, generator: np.random.Generator) -> Iterator[Image]:
    """Every equivalent copy of a frame. Wrapping, cells and supercells use the small cell, where images of an atom meet themselves."""
    atoms, small = frame.work, frame.small
    rotation = _orthogonal(generator)
    yield _turned("rotation", atoms, rotation)
    yield _turned("reflection", atoms, rotation @ np.diag([1.0, -1.0, 1.0]) @ rotation.T)
    yield _turned("inversion", atoms, -np.eye(3))
    for shift in (np.array([0.37, -1.1, 2.3]), FAR_A):
        yield Image("translation", _moved(atoms, shift))
    if len(atoms) > 1:
        order = np.roll(generator.permutation(len(atoms)), 1)
        yield Image("permutation", atoms[order], order=order)
    if small.pbc.any():
        lattice = generator.integers(-2, 3, (len(small), 3)) * small.pbc
        lattice[0] = small.pbc  # at least one atom moves
        yield Image("wrapping", _moved(small, lattice @ small.cell.array), of_small=True)
        for matrix in _bases(small.pbc):
            other = small.copy()
            other.set_cell(matrix @ small.cell.array, scale_atoms=False)
            yield Image("change of cell", other, of_small=True)
        counts = [2 if axis in np.flatnonzero(small.pbc)[:2] else 1 for axis in range(3)]
        yield Image("supercell", small.repeat(counts), copies=int(np.prod(counts)), of_small=True)


def symmetry_rows(probe: Probe, frames: Sequence[Frame]) -> list[Row]:
    """The rows of the eight symmetries (energies), of forces and stress under all of them, and of the sum of forces."""
    energies: dict[str, list[tuple[float, int]]] = {name: [] for name in SYMMETRIES}
    forces: list[tuple[float, str]] = []
    stresses: list[tuple[float, str]] = []
    faults: dict[str, str] = {}
    for frame in frames:
        for image in images(frame, probe.generator("symmetry", frame.index)):
            try:
                found = probe.evaluate(image.atoms)
            except CalculatorFault as fault:
                faults.setdefault(image.symmetry, f"structure {frame.index}: {fault}")
                continue
            energy, force, stress = image.errors(found, frame.small_base if image.of_small else frame.base, frame)
            energies[image.symmetry].append((energy, frame.index))
            forces.append((force, f"{image.symmetry}, structure {frame.index}"))
            if stress is not None:
                stresses.append((stress, f"{image.symmetry}, structure {frame.index}"))
    rows = [_symmetry_row(name, energies[name], faults.get(name), probe.limit) for name in SYMMETRIES]
    broken = "; ".join(f"{name}: {text}" for name, text in faults.items())
    for name, errors, scale in (("force equivariance", forces, "rms force"), ("stress equivariance", stresses, "stress scale")):
        rows.append(_follow_row(name, errors, scale, broken, probe))
    return [*rows, _sum_row(probe, frames)]


def _symmetry_row(name: str, errors: list[tuple[float, int]], fault: str | None, limit: float) -> Row:
    if fault:
        return Row.failed(name, fault)
    if not errors:
        return Row.absent(name, _NOT_PERIODIC if name in _PERIODIC else "every structure is a single atom")
    figure, index = max(errors)
    return Row.judged(name, figure, limit, f"energy, relative to the interaction energy; worst: structure {index}")


def _follow_row(name: str, errors: list[tuple[float, str]], scale: str, fault: str, probe: Probe) -> Row:
    if not errors and name.startswith("stress"):
        return Row.absent(name, no_stress(probe))
    if not errors:
        return Row.failed(name, fault)
    figure, where = max(errors)
    return Row.judged(name, figure, probe.limit, f"relative to the {scale}; worst: {where}" + (f"; not measured: {fault}" if fault else ""))


def _sum_row(probe: Probe, frames: Sequence[Frame]) -> Row:
    sums = [(float(np.abs(frame.base.forces.sum(0)).max(initial=0.0)) / frame.force_scale, frame.index) for frame in frames]
    figure, index = max(sums)
    return Row.judged("sum of forces", figure, probe.limit, f"relative to the rms force; worst: structure {index}")


def no_stress(probe: Probe) -> str:
    """Why there is no row about stress."""
    return "the calculator gives no stress" if probe.has_stress is False else "no structure is periodic in three directions"


def _turned(name: str, atoms: Atoms, turn: np.ndarray) -> Image:
    """Atoms and cell turned; a mirror image keeps a right-handed cell, by the opposite vectors of the same lattice."""
    copy = atoms.copy()
    hand = np.sign(np.linalg.det(turn))
    copy.set_cell(hand * atoms.cell.array @ turn.T, scale_atoms=False)
    copy.positions = atoms.positions @ turn.T
    return Image(name, copy, turn=turn)


def _moved(atoms: Atoms, shift: np.ndarray) -> Atoms:
    copy = atoms.copy()
    copy.positions += shift
    return copy


def _orthogonal(generator: np.random.Generator) -> np.ndarray:
    """A random rotation, determinant 1."""
    matrix, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    return matrix * np.sign(np.linalg.det(matrix))


def _bases(pbc: np.ndarray) -> list[np.ndarray]:
    """Integer matrices of determinant 1 and -1 that mix the periodic directions only."""
    if pbc.all():
        return [_SKEW, _FLIP]
    axes, matrix = np.flatnonzero(pbc), np.eye(3, dtype=int)
    matrix[axes[-1], axes[-1]] = -1
    if len(axes) < 2:
        return [matrix]
    skew = np.eye(3, dtype=int)
    skew[axes[0], axes[1]] = 1
    return [skew, matrix]
