"""Are the forces and the stress the derivatives of the energy, and does the calculator behave where simulations take it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms

from sciml.errors import SciMLError
from sciml.materials.audit.probe import CalculatorFault, Frame, Precision, Probe
from sciml.materials.audit.symmetry import no_stress
from sciml.materials.audit.table import FORCE_ROW
from sciml.materials.dynamics import MolecularDynamics, molecular_dynamics
from sciml.report.verdicts import Row

__all__ = ["close_approach_row", "compression_row", "difference", "drift_row", "force_row", "loop_row", "stress_row"]

DIFFERENCE_LIMITS: dict[Precision, float] = {"float64": 1e-6, "float32": 1e-4}
STEPS_A: dict[Precision, tuple[float, ...]] = {"float64": (1e-3, 1e-4, 1e-5), "float32": (1e-2, 3e-3, 3e-2)}  # of one coordinate
STRAINS: dict[Precision, tuple[float, ...]] = {"float64": (1e-3, 1e-4, 1e-5), "float32": (2e-3, 5e-3)}
DIRECTIONS, SINGLE = 2, 2  # random directions in which every atom moves; single coordinates
LOOPS = ((0.02, 16), (0.004, 16), (0.02, 128), (0.004, 128), (0.02, 512))  # radius (A) and points, until the figure is known
DRIFT_LIMITS: dict[Precision, float] = {"float64": 1e-4, "float32": 1e-3}  # eV/atom/ps
DRIFT_FS, DRIFT_K = 24, 300.0
APPROACH = (0.8, 0.7, 0.6, 0.55, 0.5, 0.45, 0.4)  # of the distance between the nearest neighbours
SQUEEZE, ENOUGH = np.linspace(1.0, 0.3, 15).round(2).tolist(), 0.6  # of all lengths; down to where, if the crystal resists by then
SINGLE_ATOM = "every structure is a single atom"


def difference(energy: Callable[[float], float], step: float) -> float:
    """Derivative at 0 by central differences of fourth order: (8 (E(h) - E(-h)) - (E(2h) - E(-2h))) / 12 h."""
    return (8 * (energy(step) - energy(-step)) - (energy(2 * step) - energy(-2 * step))) / (12 * step)


def force_row(probe: Probe, frames: Sequence[Frame]) -> Row:
    """-F . u against the difference of the energy along u, for random u of all atoms and for single coordinates.

    The error of -F . u is divided by rms force x |u|; it is the best of several steps, as no single one suits every calculator.
    """
    worst, where = 0.0, ""
    several = [frame for frame in frames if len(frame.work) > 1]
    if not several:
        return Row.absent(FORCE_ROW, SINGLE_ATOM)
    try:
        for frame in several:
            for direction in _directions(frame, probe):
                error = _force_error(probe, frame, direction)
                if not error <= worst:
                    worst, where = error, f"structure {frame.index}"
    except CalculatorFault as fault:
        return Row.failed(FORCE_ROW, str(fault))
    return Row.judged(FORCE_ROW, worst, DIFFERENCE_LIMITS[probe.precision], f"relative to the rms force; worst: {where}")


def stress_row(probe: Probe, frames: Sequence[Frame]) -> Row:
    """Each of the six components against the difference of the energy under that strain, of cell and positions, over the volume."""
    name = "stress against differences"
    worst, where = 0.0, ""
    stressed = [frame for frame in frames if frame.small_base.stress is not None]
    if not stressed:
        return Row.absent(name, no_stress(probe))
    try:
        for frame in stressed:
            for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
                error = _stress_error(probe, frame, a, b)
                if not error <= worst:
                    worst, where = error, f"{'xyz'[a]}{'xyz'[b]} of structure {frame.index}"
    except CalculatorFault as fault:
        return Row.failed(name, str(fault))
    limit = DIFFERENCE_LIMITS[probe.precision]
    return Row.judged(name, worst, limit, f"relative to the larger of |stress| and interaction energy / volume; worst: {where}")


def loop_row(probe: Probe, frame: Frame | None) -> Row:
    """The work along a closed loop, sum F . dx over a circle in the space of all positions: 0 for forces that have an energy.

    Equally spaced points converge faster than any power for smooth forces, and every second or fourth of them give the sum again: how far
    the worst of these lies off bounds the error. Divided by rms force x length of the loop, and scaled to the largest radius. A small loop
    crosses fewer of the kinks that forces have at a cut-off; what no loop resolves down to the limit is no verdict.
    """
    name, limit = "closed loops", DIFFERENCE_LIMITS[probe.precision]
    if frame is None:
        return Row.absent(name, SINGLE_ATOM)
    u, v = probe.generator("loop", frame.index).normal(size=(2, *frame.work.positions.shape))
    v -= (u * v).sum() / (u * u).sum() * u
    v *= np.linalg.norm(u) / np.linalg.norm(v)
    scale = frame.force_scale * 2 * np.pi * LOOPS[0][0] * float(np.linalg.norm(u))
    reason = f"work along a loop of all atoms of structure {frame.index}, relative to rms force x length"
    figure = error = float("inf")
    for radius, points in LOOPS:
        try:
            work = _loop_work(probe, frame.work, u, v, radius, points) / scale * (LOOPS[0][0] / radius) ** 2
        except CalculatorFault as fault:
            return Row.failed(name, str(fault))
        parts = 2 if points == LOOPS[0][1] else 4
        figure, error = float(abs(work.sum())), float(np.abs(parts * work.reshape(-1, parts).sum(0) - work.sum()).max())
        if error <= limit and (figure <= limit or parts > 2):  # few points may agree by chance, but not on nothing
            return Row.judged(name, figure, limit, f"{reason}, known to {error:.0e}")
    if figure - error > limit:
        return Row.judged(name, figure - error, limit, f"{reason}, at least")
    return Row.absent(name, f"forces too rough: {figure:.0e} is known to {error:.0e} only, with {LOOPS[-1][1]} points; {reason}")


def drift_row(probe: Probe, frame: Frame | None) -> Row:
    """Slope of the total energy in a short NVE run, what two time steps agree on: (4 E(dt/2) - E(dt)) / 3 is free of the error dt^2.

    Where that exceeds the limit the steps are halved, twice: what is left of the error falls by 16, a drift of the calculator stays.
    """
    name, limit = "energy drift", DRIFT_LIMITS[probe.precision]
    if frame is None:
        return Row.absent(name, SINGLE_ATOM)
    step_fs = float(np.clip(round(0.2 * np.sqrt(frame.work.get_masses().min()), 1), 0.2, 1.0))
    slope, previous = float("inf"), np.empty(0)
    try:
        for halvings in range(4):
            run = _short_run(probe, frame, step_fs / 2**halvings, round(DRIFT_FS / step_fs) * 2**halvings)
            change = (run.total_energy_eV - run.total_energy_eV[0]) / len(frame.work)
            if halvings:
                times_ps = run.times_fs[::2] / 1e3
                slope = min(slope, abs(float(np.polyfit(times_ps, (4 * change[::2] - previous) / 3, 1)[0])))
            if slope <= limit:
                break
            previous = change
    except SciMLError as error:
        return Row.failed(name, str(error))
    except Exception as error:  # any code may stand behind a calculator
        return Row.failed(name, f"the calculator raised {type(error).__name__}: {error}")
    reason = f"structure {frame.index}, {DRIFT_FS} fs at {DRIFT_K:g} K, extrapolated from two time steps, the last {run.timestep_fs:g} fs"
    return Row.judged(name, slope, limit, reason, "eV/atom/ps")


def close_approach_row(probe: Probe, frames: Sequence[Frame]) -> Row:
    """Does the nearest neighbour of an atom, pushed into it, push back at the end, and never pull again once it has pushed?

    The figure is the strongest pull where there should be a push, 0 where all is well.
    """
    name = "close approach"
    pairs = _nearest_pairs(frames)
    if not pairs:
        return Row.absent(name, "no structure has two atoms near each other")
    worst, where = 0.0, "every nearest pair repels"
    for label, (frame, i, vector) in pairs.items():
        length, pushed = float(np.linalg.norm(vector)), False
        for fraction in APPROACH:
            atoms = frame.work.copy()
            atoms.positions[i] += (1 - fraction) * vector
            try:
                pull = float(probe.evaluate(atoms, stress=False).forces[i] @ vector) / length
            except CalculatorFault as fault:
                return Row.failed(name, f"{label} at {fraction * length:.2f} A: {fault}")
            if pull > worst and (pushed or fraction == APPROACH[-1]):
                worst, where = pull, f"{label} attract each other at {fraction * length:.2f} A (structure {frame.index})"
            pushed = pushed or pull < 0
    reason = f"{where}; pairs {', '.join(pairs)}, down to {APPROACH[-1]:g} of their distance"
    return Row.judged(name, worst, 0.0, reason, "eV/A")


def compression_row(probe: Probe, frames: Sequence[Frame]) -> Row:
    """Does the energy of a crystal rise when all its lengths shrink, and go on rising once it does?

    No pair need be nearer than any seen for matter to collapse: many neighbours at once are enough. The figure is the largest fall of the
    energy from one length to the next after the first rise (one in tension may fall before), or of all, where it never rises.
    """
    name = "compression"
    crystals = [frame for frame in frames if all(frame.small.pbc)]
    if not crystals:
        return Row.absent(name, "no structure is periodic in three directions")
    worst, where, last = 0.0, "the energy rises", ENOUGH
    for frame in crystals:
        energies: list[float] = []
        for scale in SQUEEZE:
            if scale < ENOUGH and (np.diff(energies) > 0).any():
                break
            atoms = frame.small.copy()
            atoms.set_cell(atoms.cell.array * scale, scale_atoms=True)
            try:
                energies.append(probe.evaluate(atoms, stress=False).energy / len(atoms))
            except CalculatorFault as fault:
                return Row.failed(name, f"structure {frame.index} at {scale:.2g} of its lengths: {fault}")
            last = min(last, scale)
        changes = np.diff(energies)
        first = int((changes > 0).argmax())  # 0 where it never rises
        fall = first + int(changes[first:].argmin())
        if -changes[fall] > worst:
            scale = SQUEEZE[fall + 1]
            worst, where = -float(changes[fall]), f"structure {frame.index} collapses at {scale:.2g} of its lengths"
    return Row.judged(name, worst, 0.0, f"{where}; all lengths scaled down to {last:.2g}", "eV/atom")


def _short_run(probe: Probe, frame: Frame, step_fs: float, steps: int) -> MolecularDynamics:
    probe.calls += steps + 1
    return molecular_dynamics(frame.work, probe.calculator, timestep_fs=step_fs, steps=steps, temperature_K=DRIFT_K, seed=probe.seed)


def _directions(frame: Frame, probe: Probe) -> list[np.ndarray]:
    """Random moves [N,3] of all atoms, components about 1; in float64 single coordinates too, of which noise leaves enough."""
    generator, shape = probe.generator("forces", frame.index), frame.work.positions.shape
    directions = list(generator.normal(size=(DIRECTIONS, *shape)))
    if probe.precision == "float64":
        strongest = np.abs(frame.base.forces).argmax()
        for index in (strongest, *generator.integers(0, shape[0] * 3, SINGLE - 1)):
            single = np.zeros(shape)
            single.flat[index] = 1.0
            directions.append(single)
    return directions


def _force_error(probe: Probe, frame: Frame, direction: np.ndarray) -> float:
    def energy(step: float) -> float:
        moved = frame.work.copy()
        moved.positions += step * direction
        return probe.evaluate(moved, stress=False).energy

    expected = -float((frame.base.forces * direction).sum())
    scale = frame.force_scale * float(np.linalg.norm(direction))
    return _best(energy, expected, scale, STEPS_A[probe.precision], DIFFERENCE_LIMITS[probe.precision])


def _stress_error(probe: Probe, frame: Frame, a: int, b: int) -> float:
    small, stress = frame.small, frame.small_base.stress
    scale = frame.stress_scale * small.get_volume()

    def energy(strain: float) -> float:
        tensor = np.eye(3)
        tensor[a, b] += strain / 2
        tensor[b, a] += strain / 2
        strained = small.copy()
        strained.set_cell(small.cell.array @ tensor, scale_atoms=False)
        strained.positions = small.positions @ tensor
        return probe.evaluate(strained, stress=False).energy

    expected = float(stress[a, b]) * small.get_volume() if stress is not None else np.nan
    return _best(energy, expected, scale, STRAINS[probe.precision], DIFFERENCE_LIMITS[probe.precision])


def _best(energy: Callable[[float], float], expected: float, scale: float, steps: Sequence[float], limit: float) -> float:
    """Smallest |difference - expected| / scale over the steps; the later ones only where the earlier did not meet the limit."""
    error = np.inf
    for step in steps:
        error = min(error, abs(difference(energy, step) - expected) / scale)
        if error <= limit:
            break
    return error


def _loop_work(probe: Probe, atoms: Atoms, u: np.ndarray, v: np.ndarray, radius: float, points: int) -> np.ndarray:
    """F . dx at each point of the loop [points], eV."""
    work = np.empty(points)
    for k, angle in enumerate(2 * np.pi * np.arange(points) / points):
        moved = atoms.copy()
        moved.positions += radius * (np.cos(angle) * u + np.sin(angle) * v)
        tangent = radius * (np.cos(angle) * v - np.sin(angle) * u)
        work[k] = (probe.evaluate(moved, stress=False).forces * tangent).sum() * 2 * np.pi / points
    return work


def _nearest_pairs(frames: Sequence[Frame]) -> dict[str, tuple[Frame, int, np.ndarray]]:
    """The nearest pair i, j of every two elements that are somebody's nearest neighbours: label -> (frame, i, vector from i to j)."""
    pairs: dict[str, tuple[Frame, int, np.ndarray]] = {}
    for frame in frames:
        atoms = frame.work
        if len(atoms) < 2:
            continue
        vectors = atoms.get_all_distances(mic=bool(atoms.pbc.any()), vector=True)
        distances = np.linalg.norm(vectors, axis=-1) + np.diag(np.full(len(atoms), np.inf))
        nearest = distances.argmin(axis=1)
        for i in np.argsort(distances.min(axis=1)):
            symbols = sorted((atoms.symbols[int(i)], atoms.symbols[int(nearest[i])]))
            pairs.setdefault("-".join(symbols), (frame, int(i), vectors[i, nearest[i]]))
    return pairs
