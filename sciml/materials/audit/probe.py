"""The calculator under audit as one function from atoms to numbers, and the structures and scales it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from sciml import seeding
from sciml.errors import DataError, SciMLError
from sciml.materials.calculator import as_calculator

__all__ = ["CalculatorFault", "Evaluation", "Frame", "Probe", "Precision"]

Precision = Literal["float64", "float32"]
LIMITS: dict[Precision, float] = {"float64": 1e-10, "float32": 1e-4}  # of exact symmetries, relative
RATTLE_A = 0.05
FRAMES, FEWEST, MOST = 3, 4, 200  # structures audited; atoms a structure is repeated to; atoms above which smaller ones are preferred
FAR_A = np.array([700.0, -500.0, 509.9])  # 1,000 A away


class CalculatorFault(Exception):
    """The calculator raised an error or returned what is no finite number: the row that met it fails, with this as its reason."""


@dataclass(frozen=True)
class Evaluation:
    """Energy (eV), forces [N,3] (eV/A) and stress [3,3] (eV/A^3; None where there is none) of one structure."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None

    @property
    def rms_force(self) -> float:
        """Root of the mean square of the force components, eV/A."""
        return float(np.sqrt((self.forces**2).mean())) if self.forces.size else 0.0


@dataclass(frozen=True)
class Frame:
    """A structure of the audit: `given` (index `index` of the input), `small`, a rattled copy, and `work`, that repeated to >= 4 atoms.

    Errors are divided by these scales: `energy_scale` = |E - sum of the energies of lone atoms| of `work` (for a calculator that
    knows no lone atoms, E of the structure at twice its size; at least rms force x 1 A), `force_scale` = rms force (10 eV/A where it
    vanishes, so that 1e-10 means 1e-9 eV/A), `stress_scale` = the larger of |stress| and energy_scale / volume.
    """

    index: int
    given: Atoms
    small: Atoms
    work: Atoms
    small_base: Evaluation
    base: Evaluation
    energy_scale: float
    force_scale: float
    stress_scale: float


class Probe:
    """Evaluates structures by one calculator, counts the calls, and refuses what is not finite."""

    def __init__(self, calculator: Any, seed: int) -> None:
        self.calculator = as_calculator(calculator)
        self.name = type(calculator).__name__
        self.seed, self.calls = seed, 0
        self.has_stress: bool | None = None  # unknown until the first fully periodic structure
        self.precision: Precision = "float64"
        self._lone: dict[int, float | None] = {}

    def generator(self, *names: str | int) -> np.random.Generator:
        """Random numbers of one check."""
        return seeding.numpy_generator(self.seed, "audit", *names)

    @property
    def limit(self) -> float:
        """Relative limit of exact symmetries at the precision found."""
        return LIMITS[self.precision]

    def evaluate(self, atoms: Atoms, *, stress: bool = True) -> Evaluation:
        """Evaluate a copy without constraints. CalculatorFault for an error of the calculator, wrong shapes, NaN or infinity."""
        copy = atoms.copy()
        copy.set_constraint()
        copy.calc = self.calculator
        self.calls += 1
        try:
            tensor = self._stress(copy) if stress else None
            forces = np.array(copy.get_forces(), dtype=np.float64)
            energy = self._energy(copy)
        except Exception as error:  # any code may stand behind a calculator
            what = str(error) if isinstance(error, SciMLError) else f"the calculator raised {type(error).__name__}: {error}"
            raise CalculatorFault(what) from error
        if forces.shape != (len(atoms), 3):
            raise CalculatorFault(f"forces have the shape {forces.shape}, expected {(len(atoms), 3)}")
        for name, value in (("energy", energy), ("forces", forces), ("stress", tensor)):
            if value is not None and not np.isfinite(value).all():
                raise CalculatorFault(f"{name} is not finite" if name != "forces" else "forces are not finite")
        return Evaluation(energy, forces, tensor)

    def _energy(self, atoms: Atoms) -> float:
        try:
            return float(atoms.get_potential_energy(force_consistent=True))
        except PropertyNotImplementedError:
            return float(atoms.get_potential_energy())

    def _stress(self, atoms: Atoms) -> np.ndarray | None:
        if self.has_stress is False or not all(atoms.pbc):
            return None
        try:
            tensor = np.array(atoms.get_stress(voigt=False), dtype=np.float64)
        except PropertyNotImplementedError:
            self.has_stress = False
            return None
        self.has_stress = True
        return tensor

    def lone_energy(self, number: int) -> float | None:
        """Energy of one atom in empty space; None where the calculator has none."""
        if number not in self._lone:
            try:
                self._lone[number] = self.evaluate(Atoms([number], [[0.0, 0.0, 0.0]]), stress=False).energy
            except CalculatorFault:
                self._lone[number] = None
        return self._lone[number]

    def frame(self, structure: Atoms, index: int) -> Frame:
        """Rattle, repeat and evaluate one structure, and find its scales. CalculatorFault where that is impossible."""
        small = rattled(structure, self.generator("rattle", index))
        work = small
        if len(small) < FEWEST and small.pbc.any():
            work = rattled(structure.repeat(_repeats(structure, FEWEST)), self.generator("rattle", index, "repeated"))
        small_base = self.evaluate(small)
        base = small_base if work is small else self.evaluate(work)
        interaction = self._interaction(work, base)
        force_scale = base.rms_force if base.rms_force > 1e-6 else 10.0
        energy_scale = max(interaction, base.rms_force, 1e-6)
        stress_scale = 1.0
        if base.stress is not None:
            stress_scale = max(float(np.abs(base.stress).max()), energy_scale / work.get_volume())
        return Frame(index, structure, small, work, small_base, base, energy_scale, force_scale, stress_scale)

    def _interaction(self, atoms: Atoms, base: Evaluation) -> float:
        """|E - energies of lone atoms|; where there are none, |E - E of the structure at twice its size|; 0 where that fails too."""
        lone = [self.lone_energy(number) for number in atoms.numbers.tolist()]
        if None not in lone:
            return abs(base.energy - sum(value for value in lone if value is not None))
        wide = atoms.copy()
        wide.set_cell(2 * atoms.cell.array, scale_atoms=False)
        wide.positions *= 2
        try:
            return abs(base.energy - self.evaluate(wide, stress=False).energy)
        except CalculatorFault:
            return 0.0

    def find_precision(self, frames: Sequence[Frame]) -> None:
        """float64 where frames moved by 1,000 A have the same energy and forces to 1e-10 and noise is below that too, else float32."""
        try:
            if _noise(self, frames[0]) > LIMITS["float64"]:
                self.precision = "float32"
            for frame in frames:
                moved = frame.work.copy()
                moved.positions += FAR_A
                there = self.evaluate(moved, stress=False)
                if _distance(there, frame.base, frame) > LIMITS["float64"]:
                    self.precision = "float32"
        except CalculatorFault:
            return  # the rows that meet it say so


def _noise(probe: Probe, frame: Frame) -> float:
    """What rounding leaves of the fourth difference over steps of 1e-6 A, where no smooth function changes: the smaller of two tries.

    A calculator that takes differences of positions in float64 and goes on in float32 is the same 1,000 A away, and yet has noise.
    """
    tries, weights = [], (1, -4, 6, -4, 1)
    for direction in probe.generator("noise", frame.index).normal(size=(2, *frame.work.positions.shape)):
        energy, forces = 0.0, np.zeros_like(frame.base.forces)
        for k, weight in zip((-2, -1, 0, 1, 2), weights, strict=True):
            moved = frame.work.copy()
            moved.positions += 1e-6 * k * direction
            found = probe.evaluate(moved, stress=False)
            energy += weight * (found.energy - frame.base.energy)
            forces += weight * (found.forces - frame.base.forces)
        tries.append(max(abs(energy) / frame.energy_scale, float(np.abs(forces).max(initial=0.0)) / frame.force_scale) / 70**0.5)
    return min(tries)


def _distance(a: Evaluation, b: Evaluation, frame: Frame) -> float:
    """The larger relative difference of energy and forces."""
    return max(abs(a.energy - b.energy) / frame.energy_scale, float(np.abs(a.forces - b.forces).max(initial=0.0)) / frame.force_scale)


def rattled(structure: Atoms, generator: np.random.Generator) -> Atoms:
    """A copy without constraints and calculator, every coordinate moved by a normal deviate of 0.05 A: perfect crystals have no forces."""
    copy = structure.copy()
    copy.set_constraint()
    copy.positions += generator.normal(scale=RATTLE_A, size=(len(copy), 3))
    return copy


def chosen(structures: Sequence[Atoms]) -> list[int]:
    """Indices of at most three structures: one of each kind (elements, periodicity) first, small ones before huge ones."""
    sizes = [len(atoms) for atoms in structures]
    usable = [i for i, n in enumerate(sizes) if 0 < n <= MOST] or sorted((i for i, n in enumerate(sizes) if n), key=sizes.__getitem__)[:1]
    if not usable:
        raise DataError("audit: no structure with atoms was given")
    kinds: dict[tuple[Any, ...], int] = {}
    for i in usable:
        kinds.setdefault((*structures[i].pbc.tolist(), len(structures[i]) > 1, *sorted(set(structures[i].numbers.tolist()))), i)
    many = sorted(kinds.values(), key=lambda i: (sizes[i] == 1, i))[:FRAMES]
    spread = [usable[k] for k in np.linspace(0, len(usable) - 1, FRAMES).round().astype(int)]
    return list(dict.fromkeys([*many, *spread]))[:FRAMES]


def _repeats(structure: Atoms, fewest: int) -> tuple[int, int, int]:
    """How often to repeat along the periodic directions, the shortest first, for at least `fewest` atoms."""
    counts, lengths = [1, 1, 1], structure.cell.lengths()
    while len(structure) * int(np.prod(counts)) < fewest:
        axis = min((k for k in range(3) if structure.pbc[k]), key=lambda k: lengths[k] * counts[k])
        counts[axis] += 1
    return counts[0], counts[1], counts[2]
