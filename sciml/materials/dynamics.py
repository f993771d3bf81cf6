"""Molecular dynamics at constant energy, and what it says about a calculator: drift and fluctuation of the total energy."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.verlet import VelocityVerlet

from sciml import files, seeding
from sciml.errors import ConfigError, ConvergenceError, DataError, SciMLError
from sciml.materials.calculator import as_calculator
from sciml.materials.snapshot import as_extxyz, energy_and_forces, potential_energy
from sciml.materials.structure import as_atoms

__all__ = ["MolecularDynamics", "molecular_dynamics"]

FLAT = 1e-10  # a moment of inertia below this part of the largest is none: the molecule is linear
HOTTEST_K, HOTTER = 1e6, 100.0  # beyond the larger of this and that many times the first temperature nothing is matter any more
FARTHEST_A = 2.0  # in one step; about a bond: what moves farther was never pushed by the neighbours it passed

_log = logging.getLogger("sciml.materials.dynamics")


@dataclass(frozen=True)
class MolecularDynamics:
    """A run of n steps: `atoms` is the last frame with its momenta; the arrays [n + 1] hold every step, the start included.

    `drift_eV_per_atom_per_ps` is the slope of the total energy by least squares, `fluctuation_eV_per_atom` the standard deviation of
    what the line leaves; both are None where there are too few steps. `potential_energy_eV` is the energy that forces derive from.
    Temperatures count 3 N - constraints degrees of freedom, 3 fewer where the centre of mass rests, and as many fewer as there are
    rotations (3; 2 of a linear molecule) where moreover nothing is periodic and nothing turns.
    """

    atoms: Atoms
    timestep_fs: float
    times_fs: np.ndarray
    potential_energy_eV: np.ndarray
    kinetic_energy_eV: np.ndarray
    temperature_K: np.ndarray
    seed: int
    out: str | None = None

    @property
    def total_energy_eV(self) -> np.ndarray:
        """Potential plus kinetic energy at every step [n + 1]."""
        return self.potential_energy_eV + self.kinetic_energy_eV

    @property
    def drift_eV_per_atom_per_ps(self) -> float | None:
        """Slope of the total energy over time by least squares; None below 2 steps."""
        return None if len(self.times_fs) < 3 else float(self._line()[0] * 1e3)

    @property
    def fluctuation_eV_per_atom(self) -> float | None:
        """Standard deviation of the total energy around that line (2 parameters fitted); None below 2 steps."""
        if len(self.times_fs) < 3:
            return None
        rest = self.total_energy_eV / len(self.atoms) - np.polyval(self._line(), self.times_fs)
        return float(np.sqrt((rest**2).sum() / (len(rest) - 2)))

    def _line(self) -> np.ndarray:
        per_atom = self.total_energy_eV / len(self.atoms)
        slope, value = np.polyfit(self.times_fs, per_atom - per_atom[0], 1)
        return np.array([slope, value + per_atom[0]])

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON can hold them: number of steps, times, mean temperature, drift, fluctuation."""
        return {
            "n_atoms": len(self.atoms),
            "steps": len(self.times_fs) - 1,
            "timestep_fs": self.timestep_fs,
            "mean_temperature_K": float(self.temperature_K.mean()),
            "first_total_energy_eV": float(self.total_energy_eV[0]),
            "last_total_energy_eV": float(self.total_energy_eV[-1]),
            "drift_eV_per_atom_per_ps": self.drift_eV_per_atom_per_ps,
            "fluctuation_eV_per_atom": self.fluctuation_eV_per_atom,
            "seed": self.seed,
            "out": self.out,
        }


def molecular_dynamics(
    atoms: Any,
    calculator: Any,
    ensemble: str = "nve",
    timestep_fs: float = 1.0,
    steps: int = 1000,
    temperature_K: float | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    every: int = 10,
) -> MolecularDynamics:
    """Newton's equations by velocity Verlet, at constant energy; the input (ASE or pymatgen) is not changed, its constraints hold.

    `calculator`: any ASE calculator or a potential. `temperature_K` draws momenta of that temperature (Maxwell-Boltzmann, by `seed`; the
    centre of mass rests and what is not periodic does not turn, unless atoms are constrained); without it the momenta of the input are
    kept. `out` takes an extxyz trajectory with a frame each `every` steps and the last (eV, eV/A, momenta in ASE's units, time_fs); it
    appears when the run ends, also by an error or an interrupt, with the whole frames up to then. Raises ConfigError for options,
    DataError for an empty structure, ConvergenceError that names the step at which the run blows up: energy, forces or positions that are
    not finite, an atom that moves 2 A in one step, a temperature above 1e6 K (and above 100 times the first); SciMLError that names the
    step at which the calculator raised an error.
    """
    moving = as_atoms(atoms).copy()
    _check(moving, ensemble, timestep_fs, steps, temperature_K, every)
    moving.calc = as_calculator(calculator)
    if temperature_K is not None:
        _draw_momenta(moving, temperature_K, seed)
    rows: list[tuple[float, ...]] = []
    with contextlib.nullcontext() if out is None else files.write_records(out) as trajectory, _kept(rows, every, out):
        for step, *figures in _steps(moving, timestep_fs, int(steps)):
            if trajectory is not None and (step % every == 0 or step == steps):
                trajectory.write(_frame(moving, step * timestep_fs))
            rows.append((step * timestep_fs, *figures))
    times, potential, kinetic, temperatures = np.array(rows).T
    run = MolecularDynamics(_frozen(moving), timestep_fs, times, potential, kinetic, temperatures, seed, None if out is None else str(out))
    _log.info("%d steps of %g fs: drift %s eV/atom/ps", steps, timestep_fs, run.drift_eV_per_atom_per_ps)
    return run


def _check(atoms: Atoms, ensemble: str, timestep_fs: float, steps: int, temperature_K: float | None, every: int) -> None:
    if ensemble != "nve":
        raise ConfigError(f"molecular_dynamics: ensemble={ensemble!r}, expected 'nve' (constant energy); there are no thermostats yet")
    if not (math.isfinite(timestep_fs) and timestep_fs > 0):
        raise ConfigError(f"molecular_dynamics: timestep_fs={timestep_fs}, expected a finite number above 0")
    if steps % 1 != 0 or steps < 0 or every % 1 != 0 or every < 1:
        raise ConfigError(f"molecular_dynamics: steps={steps}, every={every}, expected whole numbers, steps >= 0 and every >= 1")
    if temperature_K is not None and not (math.isfinite(temperature_K) and temperature_K >= 0):
        raise ConfigError(f"molecular_dynamics: temperature_K={temperature_K}, expected a finite number >= 0")
    if len(atoms) == 0:
        raise DataError("molecular_dynamics: the structure has no atoms")


def _draw_momenta(atoms: Atoms, temperature_K: float, seed: int) -> None:
    """Maxwell-Boltzmann: p = sqrt(m k T) times a normal deviate; then no drift, and no rotation of what is not periodic."""
    masses = atoms.get_masses()[:, None]
    draws = seeding.numpy_generator(seed, "molecular_dynamics").normal(size=(len(atoms), 3))
    momenta = np.sqrt(masses * units.kB * temperature_K) * draws
    if not atoms.constraints and len(atoms) > 1:
        momenta -= masses / masses.sum() * momenta.sum(0)
        if not atoms.pbc.any():
            arms, inertia = _inertia(atoms)
            spin = np.linalg.pinv(inertia, rcond=FLAT) @ np.cross(arms, momenta).sum(0)
            momenta -= masses * np.cross(spin, arms)
    atoms.set_momenta(momenta)


def _inertia(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Arms from the centre of mass [N,3] (A), and the tensor of inertia [3,3] about it (u A^2)."""
    arms = atoms.positions - atoms.get_center_of_mass()
    tensors = (arms**2).sum(1)[:, None, None] * np.eye(3) - arms[:, :, None] * arms[:, None, :]
    return arms, (atoms.get_masses()[:, None, None] * tensors).sum(0)


def _degrees_of_freedom(atoms: Atoms) -> int:
    """3 N less what is constrained, the centre of mass that rests, and rotations of what is not periodic and does not turn."""
    freedom = int(atoms.get_number_of_degrees_of_freedom())
    momenta = atoms.get_momenta()
    if len(atoms) < 2 or atoms.constraints or not _vanishes(momenta):
        return freedom
    arms, inertia = _inertia(atoms)
    if atoms.pbc.any() or not _vanishes(np.cross(arms, momenta), np.abs(arms).max() * np.abs(momenta).sum()):
        return freedom - 3
    moments = np.linalg.eigvalsh(inertia)
    return freedom - 3 - int((moments > FLAT * moments.max()).sum())


def _vanishes(vectors: np.ndarray, scale: float | None = None) -> bool:
    """Whether the sum of vectors [N,3] is nothing but rounding, relative to their own size or to `scale`."""
    return bool(np.abs(vectors.sum(0)).max() <= 1e-8 * (np.abs(vectors).sum() if scale is None else scale))


def _steps(atoms: Atoms, timestep_fs: float, steps: int) -> Iterator[tuple[int, float, float, float]]:
    """Step, potential and kinetic energy (eV), temperature (K) at every step, the start included; raises where the run blows up."""
    freedom, first = _degrees_of_freedom(atoms), 0.0
    integrator = VelocityVerlet(atoms, timestep_fs * units.fs)
    for step in range(steps + 1):
        before = atoms.positions.copy()
        with _named(step, atoms):
            if step:
                integrator.step()
            forces, potential = atoms.get_forces(), potential_energy(atoms)
        kinetic = float(atoms.get_kinetic_energy())
        temperature = 2 * kinetic / (units.kB * freedom) if freedom else 0.0
        first = first if step else temperature
        if fault := _fault(atoms.positions - before, (potential, kinetic, forces, atoms.positions), temperature, first):
            slower = f"timestep_fs={timestep_fs:g} is too long, or " if step else ""
            raise _BrokenError(ConvergenceError, step, f"{fault}; {slower}the start is far from anything stable (relax it first)")
        yield step, potential, kinetic, temperature


@contextlib.contextmanager
def _kept(rows: list[tuple[float, ...]], every: int, out: str | Path | None) -> Iterator[None]:
    """An error in the block that ends the dynamics says where the frames up to then lie."""
    try:
        yield
    except _BrokenError as error:
        frames = f"; {out} has the frames up to step {(len(rows) - 1) // every * every}" if rows and out is not None else ""
        raise error.kind(f"{error}{frames}") from error.__cause__


class _BrokenError(Exception):
    """The dynamics cannot go on; `kind` is what the caller will get."""

    def __init__(self, kind: type[SciMLError], step: int, message: str) -> None:
        super().__init__(f"molecular_dynamics: step {step}: {message}")
        self.kind = kind


@contextlib.contextmanager
def _named(step: int, atoms: Atoms) -> Iterator[None]:
    """Within the block an error of the calculator becomes one that names the step: a SciMLError, or of the same kind if it is one."""
    try:
        yield
    except SciMLError as error:
        if not step:  # the structure as given: nothing has run yet
            raise
        raise _BrokenError(type(error), step, str(error)) from error
    except Exception as error:  # any code may stand behind a calculator
        what = f"the calculator {type(atoms.calc).__name__} raised {type(error).__name__}: {error}"
        raise _BrokenError(SciMLError, step, what) from error


def _fault(moves: np.ndarray, state: tuple[Any, ...], temperature_K: float, first_K: float) -> str:
    """What shows that the run has blown up after moves [N,3] (A), or ""."""
    if not all(np.isfinite(values).all() for values in state):
        return "energy, forces or positions are not finite"
    lengths = np.linalg.norm(moves, axis=1)
    atom = int(lengths.argmax())
    if lengths[atom] > FARTHEST_A:
        return f"atom {atom} moved by {lengths[atom]:.3g} A in one step, more than {FARTHEST_A:g}, at {temperature_K:.3g} K"
    hottest = max(HOTTEST_K, HOTTER * first_K)
    return f"the temperature is {temperature_K:.3g} K, above {hottest:.3g}" if temperature_K > hottest else ""


def _frame(atoms: Atoms, time_fs: float) -> bytes:
    """One frame of the trajectory: species, positions, momenta, forces, energy, time; columns of the input are left out."""
    frame = Atoms(atoms.numbers, atoms.positions, momenta=atoms.get_momenta(), cell=atoms.cell, pbc=atoms.pbc, info={"time_fs": time_fs})
    frame.calc = _frozen(atoms).calc
    return as_extxyz(frame)


def _frozen(atoms: Atoms) -> Atoms:
    """A copy with the figures of its calculator, and without the calculator."""
    frame = atoms.copy()
    frame.calc = SinglePointCalculator(frame, **energy_and_forces(atoms))
    return frame
