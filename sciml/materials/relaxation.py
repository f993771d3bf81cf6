"""Structures brought to rest: positions, and the cell under a pressure, by ASE's BFGS and FrechetCellFilter."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from sciml.errors import ConfigError, DataError, SciMLError
from sciml.materials.calculator import as_calculator
from sciml.materials.snapshot import energy_and_forces, potential_energy
from sciml.materials.structure import as_atoms, one_or_many
from sciml.units import EV_PER_A3_IN_GPA

__all__ = ["Relaxation", "relax"]

_log = logging.getLogger("sciml.materials.relaxation")


@dataclass(frozen=True)
class Relaxation:
    """One relaxed structure; `converged` says that the state itself, evaluated afresh after the run, meets the conditions asked for.

    `atoms` carries energy, forces and, where it has one, stress; `index` is its place in the input (counted from 0). `energy_eV` is the
    energy that forces derive from; `max_force_eV_per_A` is the longest force on an atom that is free to move; `pressure_GPa` =
    -tr(stress)/3 and `stress_error_GPa`, the largest component of stress + pressure asked for, are None unless the cell was relaxed.
    `reason` says why a run ended without converging, else "". Where the calculator raised an error, `atoms` is the structure as given,
    without labels, after 0 steps, and the figures are None; `reason` then names the step at which it did.
    """

    atoms: Atoms
    index: int
    converged: bool
    steps: int
    energy_eV: float | None
    max_force_eV_per_A: float | None
    pressure_GPa: float | None
    stress_error_GPa: float | None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The figures without the atoms, as JSON can hold them."""
        return {name: value for name, value in vars(self).items() if name != "atoms"}


def relax(
    structures: Any,
    calculator: Any,
    cell: bool = False,
    pressure_GPa: float = 0.0,
    fmax_eV_per_A: float = 0.01,
    steps: int = 500,
    stress_GPa: float = 0.01,
) -> list[Relaxation]:
    """Relax structures (one or many, ASE or pymatgen) one at a time; the input is not changed, its constraints hold.

    `calculator`: any ASE calculator or a potential. `cell=True` relaxes the cell too (three periodic directions), until
    max |stress + pressure_GPa * 1| <= `stress_GPa` in each component; positions until no free atom feels more than `fmax_eV_per_A`.
    At most `steps` steps of BFGS each. One that does not converge, or on which the calculator raises an error, is returned with
    `converged=False` and its reason, and a warning in the log names it; the others go on. Raises ConfigError for options that contradict
    each other, DataError for a structure that cannot be relaxed so.
    """
    return list(iterate_relax(structures, calculator, cell, pressure_GPa, fmax_eV_per_A, steps, stress_GPa))


def iterate_relax(
    structures: Any,
    calculator: Any,
    cell: bool = False,
    pressure_GPa: float = 0.0,
    fmax_eV_per_A: float = 0.01,
    steps: int = 500,
    stress_GPa: float = 0.01,
) -> Iterator[Relaxation]:
    """`relax`, one result after the other; what it refuses is refused at the call."""
    frames = [as_atoms(structure) for structure in one_or_many(structures)]
    if pressure_GPa and not cell:
        raise ConfigError(f"relax: pressure_GPa={pressure_GPa} acts on the cell only; add cell=True")
    limits = {"fmax_eV_per_A": fmax_eV_per_A, "stress_GPa": stress_GPa}
    for name, value in limits.items():
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"relax: {name}={value}, expected a finite number above 0")
    if not math.isfinite(pressure_GPa):
        raise ConfigError(f"relax: pressure_GPa={pressure_GPa}, expected a finite number")
    if steps % 1 != 0 or steps < 0:
        raise ConfigError(f"relax: steps={steps}, expected a whole number >= 0")
    for index, frame in enumerate(frames):
        if not len(frame):
            raise DataError(f"relax: structure {index}: it has no atoms; expected at least one")
        if cell and not all(frame.pbc):
            raise DataError(f"relax: structure {index}: cell=True needs three periodic directions, found pbc = {frame.pbc.tolist()}")
    conditions = _Conditions(cell, pressure_GPa / EV_PER_A3_IN_GPA, fmax_eV_per_A, stress_GPa / EV_PER_A3_IN_GPA)
    evaluating = as_calculator(calculator)
    return (_relax_one(frame, index, evaluating, conditions, steps) for index, frame in enumerate(frames))


class _NoStressError(DataError):
    """The cell is to be relaxed, and the calculator gives no stress: no structure can be relaxed so."""


class _StepError(Exception):
    """What the calculator raised, and after how many steps."""

    def __init__(self, cause: Exception, step: int) -> None:
        super().__init__(str(cause))
        self.cause, self.step = cause, step


@dataclass(frozen=True)
class _Conditions:
    cell: bool
    pressure: float  # eV/A^3
    fmax: float  # eV/A
    stress: float  # eV/A^3

    def measure(self, atoms: Atoms) -> tuple[float, float, float | None, float | None]:
        """Energy, longest force, pressure and largest error of the stress (eV, eV/A, eV/A^3)."""
        force = float(np.linalg.norm(atoms.get_forces(), axis=1).max(initial=0.0))
        energy = potential_energy(atoms)
        if not self.cell:
            return energy, force, None, None
        try:
            stress = atoms.get_stress(voigt=False)
        except PropertyNotImplementedError as error:
            raise _NoStressError(f"relax: cell=True needs a stress, and {type(atoms.calc).__name__} gives none") from error
        return energy, force, -float(np.trace(stress)) / 3, float(np.abs(stress + self.pressure * np.eye(3)).max())

    def met(self, measured: tuple[float, float, float | None, float | None]) -> bool:
        _, force, _, error = measured
        return force <= self.fmax and (error is None or error <= self.stress)


def _relax_one(frame: Atoms, index: int, calculator: Any, conditions: _Conditions, steps: int) -> Relaxation:
    """The result of one structure; an error of the calculator is its reason, so that it costs no other structure."""
    atoms = frame.copy()
    atoms.calc = calculator
    try:
        return _relaxed(atoms, index, conditions, steps)
    except _NoStressError:
        raise
    except Exception as error:  # any code may stand behind a calculator
        cause, step = (error.cause, error.step) if isinstance(error, _StepError) else (error, 0)
        reason = str(cause) if isinstance(cause, SciMLError) else f"the calculator raised {type(cause).__name__}: {cause}"
        reason += f" (at step {step})" if step else ""
    _warn(frame, index, reason)
    if hasattr(calculator, "reset"):
        calculator.reset()  # nothing half done may reach the next structure
    return Relaxation(frame.copy(), index, False, 0, None, None, None, None, reason)


def _relaxed(atoms: Atoms, index: int, conditions: _Conditions, steps: int) -> Relaxation:
    taken, reason = _run(atoms, conditions, steps)
    if hasattr(atoms.calc, "reset"):
        atoms.calc.reset()  # the state is judged by a fresh evaluation, not by the run's own figures
    energy, force, pressure, error = measured = conditions.measure(atoms)
    finite = all(value is None or math.isfinite(value) for value in measured)
    converged = finite and not reason and conditions.met(measured)
    if not converged:
        reason = reason or f"not converged after {taken} steps"
        reached = f"longest force {force:.3g} eV/A (asked {conditions.fmax:.3g})"
        if error is not None:
            reached += f", stress off by {error * EV_PER_A3_IN_GPA:.3g} GPa (asked {conditions.stress * EV_PER_A3_IN_GPA:.3g})"
        reason = f"{reason}: {reached}"
        _warn(atoms, index, reason)
    atoms.calc = SinglePointCalculator(atoms, **_labels(atoms))
    return Relaxation(
        atoms,
        index,
        converged,
        steps=taken,
        energy_eV=_finite(energy),
        max_force_eV_per_A=_finite(force),
        pressure_GPa=_finite(pressure, EV_PER_A3_IN_GPA),
        stress_error_GPa=_finite(error, EV_PER_A3_IN_GPA),
        reason=reason,
    )


def _warn(atoms: Atoms, index: int, reason: str) -> None:
    _log.warning("relax: structure %d (%s): %s", index, atoms.get_chemical_formula(), reason)


def _finite(value: float | None, unit: float = 1.0) -> float | None:
    return None if value is None or not math.isfinite(value) else value * unit


def _run(atoms: Atoms, conditions: _Conditions, steps: int) -> tuple[int, str]:
    """Step until the conditions are met; the number of steps taken, and what stopped the run if not they or the limit."""
    moving = FrechetCellFilter(atoms, scalar_pressure=conditions.pressure) if conditions.cell else atoms
    optimizer = BFGS(moving, logfile=None)
    taken = 0
    while True:
        try:
            measured = conditions.measure(atoms)
        except _NoStressError:
            raise
        except Exception as error:
            raise _StepError(error, taken) from error
        if not all(value is None or math.isfinite(value) for value in measured):
            return taken, f"energy, forces or stress are not finite after {taken} steps"
        if conditions.met(measured) or taken == steps:
            return taken, ""
        try:
            optimizer.step()
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            return taken, f"the optimiser stopped at step {taken} ({error})"
        taken += 1


def _labels(atoms: Atoms) -> dict[str, Any]:
    labels = energy_and_forces(atoms)
    if all(atoms.pbc) and "stress" in getattr(atoms.calc, "implemented_properties", ()):
        try:
            labels["stress"] = atoms.get_stress(apply_constraint=False)
        except PropertyNotImplementedError:  # energies and forces are enough
            return labels
    return labels
