"""Do energy and forces stay continuous when atoms cross a cut-off that nobody told us?

Atoms move along a path on which every distance sweeps a range (a crystal is stretched to 1.65 times its size while its atoms shift, an
atom of a molecule is pulled 12 A away). At each point of a regular grid the value is compared with the cubic through its four neighbours:
a smooth function leaves O(h^4), a jump J leaves J/2. The most suspicious intervals are halved until the change across them is explained
by the slopes beside them, or is a jump: what is left at a width of 2^-14 of an interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from sciml.materials.audit.probe import CalculatorFault, Evaluation, Frame, Probe
from sciml.report.verdicts import Row

__all__ = ["Jump", "continuity_rows", "find_jump", "path"]

POINTS, STRETCH, PULL_A, WOBBLE_A, HALVINGS = 48, 0.65, 12.0, 0.25, 14
FORCE_LIMITS = {"float64": 1e-4, "float32": 1e-3}  # of the rms force, of the structure or of the middle of the path, whichever is less
ENERGY_LIMITS = {"float64": 1e-5, "float32": 1e-4}  # of the interaction energy of one atom
NAMES = ("energy continuity", "force continuity")


@dataclass(frozen=True)
class Jump:
    """The largest jump found: its size (largest row of the value's change) and the place on the path, 0 <= place <= 1."""

    size: float
    place: float


def path(atoms: Atoms, generator: np.random.Generator) -> Callable[[float], Atoms]:
    """A smooth path t -> atoms, 0 <= t <= 1, on which the distances sweep every cut-off from the nearest neighbours outwards."""
    start = atoms.positions.copy()
    if not atoms.pbc.any():
        arms = start - start.mean(0)
        far = int(np.linalg.norm(arms, axis=1).argmax())
        outward = arms[far] / max(float(np.linalg.norm(arms[far])), 1e-12)

        def pulled(t: float) -> Atoms:
            copy = atoms.copy()
            copy.positions[far] = start[far] + PULL_A * t**1.5 * outward
            return copy

        return pulled
    wobble = WOBBLE_A * generator.uniform(-1, 1, start.shape)

    def stretched(t: float) -> Atoms:
        copy = atoms.copy()
        copy.set_cell(atoms.cell.array * (1 + STRETCH * t), scale_atoms=False)
        copy.positions = start * (1 + STRETCH * t) + wobble * np.sin(np.pi * t)
        return copy

    return stretched


def find_jump(value: Callable[[float], np.ndarray], negligible: float, points: int = POINTS) -> Jump:
    """The largest jump of `value`(t) [rows, k] on 0 <= t <= 1; intervals whose change is explained to `negligible` are smooth."""
    grid = np.linspace(0.0, 1.0, points + 1)
    values = np.array([value(t) for t in grid])  # [points + 1, rows, k]
    residual = _size(values[2:-2] - (4 * (values[1:-3] + values[3:-1]) - values[:-4] - values[4:]) / 6)  # at grid[2:-2]
    found = Jump(0.0, 0.0)
    for k in _suspects(residual, negligible):
        interval = (grid[k - 1], grid[k], grid[k + 1], grid[k + 2])
        jump = _halve(value, list(interval), [values[i] for i in range(k - 1, k + 3)], negligible)
        found = max(found, jump, key=lambda each: each.size)
    return found


def continuity_rows(probe: Probe, frame: Frame | None) -> list[Row]:
    """The rows of energy and force continuity, on one structure."""
    if frame is None:
        return [Row.absent(name, "every structure is a single atom") for name in NAMES]
    along, memory = path(frame.work, probe.generator("path", frame.index)), dict[float, Evaluation]()

    def at(t: float) -> Evaluation:
        if t not in memory:
            memory[t] = probe.evaluate(along(float(t)), stress=False)
        return memory[t]

    atom_scale = frame.energy_scale / len(frame.work)
    energy_limit, force_limit = ENERGY_LIMITS[probe.precision], FORCE_LIMITS[probe.precision]
    how = "stretched to 1.65 times its size" if frame.work.pbc.any() else f"one atom pulled {PULL_A:g} A away"
    try:
        energy = find_jump(lambda t: np.array([[at(t).energy / atom_scale]]), energy_limit / 10)
        along_path = float(np.median([at(t).rms_force for t in np.linspace(0.0, 1.0, POINTS + 1)]))
        force_scale = max(min(frame.force_scale, along_path), 1e-3 * frame.force_scale)
        forces = find_jump(lambda t: at(t).forces / force_scale, force_limit / 10)
    except CalculatorFault as fault:
        return [Row.failed(name, f"structure {frame.index}, {how}: {fault}") for name in NAMES]
    where = f"largest jump, structure {frame.index} {how}"
    return [
        Row.judged(NAMES[0], energy.size, energy_limit, f"{where}, relative to the interaction energy an atom"),
        Row.judged(NAMES[1], forces.size, force_limit, f"{where}, relative to the rms force there"),
    ]


def _size(values: np.ndarray) -> np.ndarray:
    """Length of the longest row of each value [..., rows, k] -> [...]."""
    return np.linalg.norm(values, axis=-1).max(axis=-1)


def _suspects(residual: np.ndarray, negligible: float) -> list[int]:
    """Left ends (grid indices) of the intervals to halve: beside the largest residuals, absolute and relative to their surroundings."""
    around = np.array([np.median(residual[max(0, i - 4) : i + 5]) for i in range(len(residual))])
    ranked = [int(i) for order in (residual, residual / (around + negligible)) for i in np.argsort(-order)[:3]]
    padded = np.pad(residual, 1)  # a jump between two points shows at both: take the side of the larger neighbour
    left = [i + 2 if padded[i + 2] >= padded[i] else i + 1 for i in ranked if residual[i] > negligible / 2]
    return list(dict.fromkeys(left))[:4]


def _halve(value: Callable[[float], np.ndarray], at: list[float], values: list[np.ndarray], negligible: float) -> Jump:
    """Follow the unexplained change in the middle interval of four points, at[1] to at[2], into its halves."""
    for _ in range(HALVINGS):
        unexplained = _unexplained(at, values)
        if _size(unexplained) < negligible:
            break
        middle = (at[1] + at[2]) / 2
        here = value(middle)
        left = ([at[0], at[1], middle, at[2]], [values[0], values[1], here, values[2]])
        right = ([at[1], middle, at[2], at[3]], [values[1], here, values[2], values[3]])
        curve = _curvature(at, values) * ((at[2] - at[1]) / 2) ** 2
        bend = (here - values[1]) - (values[2] - here) + curve  # a jump on the left adds itself, one on the right takes itself away
        at, values = left if float((bend * unexplained).sum()) > 0 else right
    return Jump(float(_size(_unexplained(at, values))), at[1])


def _unexplained(at: list[float], values: list[np.ndarray]) -> np.ndarray:
    """The change from at[1] to at[2] that the slope between them, interpolated from those on both sides, does not explain."""
    left, right, _ = _slopes(at, values)
    share = (at[2] - at[0]) / (at[3] + at[2] - at[1] - at[0])
    return values[2] - values[1] - (left + (right - left) * share) * (at[2] - at[1])


def _curvature(at: list[float], values: list[np.ndarray]) -> np.ndarray:
    """The second derivative from the slopes on both sides."""
    left, right, apart = _slopes(at, values)
    return (right - left) / apart


def _slopes(at: list[float], values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, float]:
    """The slopes from at[0] to at[1] and from at[2] to at[3], and the distance between the middles of these two."""
    left, right = (values[1] - values[0]) / (at[1] - at[0]), (values[3] - values[2]) / (at[3] - at[2])
    return left, right, (at[3] + at[2] - at[1] - at[0]) / 2
