"""Energy differences between structures that lie close together, against the work of their forces and stresses: a check without any model.

E_b - E_a = -1/2 (F_a + F_b) . dx + 1/2 (V_a sigma_a + V_b sigma_b) : eps + third order,
with dx at fixed strain, eps the strain from a to b.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from sciml.materials.labels.consistency import Slope
from sciml.materials.labels.finding import Array, Labels

MAX_STEP_A, MAX_STRAIN, MIN_PAIRS = 0.25, 0.04, 6
MIN_SIGMAS, MIN_SHARE = 8.0, 0.1  # of a slope that is believed; of its part of the energy differences


class Work(NamedTuple):
    """Of two structures: difference of the energies, work of the forces and of the stress, all in eV; change of volume in A^3; strain.

    growth: trace of the strain. moves: sum of the squared moves against the cell (A^2). atoms: their number.
    """

    energy: float
    forces: float
    stress: float
    volume: float
    strain: float
    growth: float
    moves: float
    atoms: int

    @property
    def reach(self) -> float:
        """How far the two lie apart, as a share of what is allowed; the error of the work grows with its third power."""
        return max(self.strain / MAX_STRAIN, (self.moves / self.atoms) ** 0.5 / MAX_STEP_A)


def increments(structures: Sequence[Atoms], labels: Sequence[Labels]) -> dict[str, Slope]:
    """ratio = label / what the energy differences lead to expect, for "forces" and "stress", where neighbours in the data determine it.

    The error counts the residuals and the difference between all pairs and the half of them that lie closest, since what the trapezoidal
    rule leaves out grows with the third power of the distance.
    """
    works = [work for pair in pairs(structures, labels) if (work := work_between(structures, labels, *pair)) is not None]
    if len(works) < MIN_PAIRS:
        return {}
    found = _slopes(works)
    near = sorted(works, key=lambda work: work.reach)[: max(MIN_PAIRS, len(works) // 2)]
    closer = _slopes(near)
    slopes = {}
    for name, (slope, error, share, r2) in found.items():
        if name not in closer:
            continue
        doubt = float(np.hypot(error, slope - closer[name][0]))
        if abs(slope) > MIN_SIGMAS * doubt and share > MIN_SHARE:
            slopes[name] = Slope(1 / slope, doubt / slope**2, r2, len(works))
    return slopes


def _slopes(works: Sequence[Work]) -> dict[str, tuple[float, float, float, float]]:
    """(slope, standard error, size of its part beside that of the energy, share of the variance that all explain) of the energy by the work
    of "forces" and "stress"."""
    table = np.array([[work.energy, work.forces, work.stress] for work in works])
    size = np.sqrt(np.mean(table**2, axis=0))
    names = {name: place for place, name in ((1, "forces"), (2, "stress")) if size[place] > 1e-12}
    if size[0] < 1e-6 or not names:
        return {}
    third = np.array([[work.growth * work.moves, work.growth * work.strain**2 * work.atoms] for work in works])
    third = third[:, np.sqrt(np.mean(third**2, axis=0)) > 1e-12]  # what vibrations and anharmonicity add
    columns = (
        np.column_stack([table[:, list(names.values())], third])
        if len(works) >= 6 * (len(names) + third.shape[1])
        else table[:, [*names.values()]]
    )
    scale = np.sqrt(np.mean(columns**2, axis=0))
    slopes, errors, r2 = regression(columns / scale, table[:, 0] / size[0])
    if r2 < 0.9:
        return {}
    factor = size[0] / scale
    return {
        name: (float(slopes[place] * factor[place]), float(errors[place] * factor[place]), float(abs(slopes[place])), r2)
        for place, name in enumerate(names)
    }


def pairs(structures: Sequence[Atoms], labels: Sequence[Labels]) -> Iterator[tuple[int, int]]:
    """Pairs of one composition and order of atoms that follow each other by record or by energy, or have nearly the same cell."""
    families: dict[Hashable, list[int]] = {}
    for index, (atoms, own) in enumerate(zip(structures, labels, strict=True)):
        if own.energy is not None and (own.forces is not None or own.stress is not None):
            families.setdefault((atoms.numbers.tobytes(), atoms.pbc.tobytes()), []).append(index)
    for family in families.values():
        orders = [
            family,
            sorted(family, key=lambda index: labels[index].energy or 0.0),
        ]
        follow = {(min(pair), max(pair)) for order in orders for pair in pairwise(order)}
        yield from sorted(follow | _cell_neighbors([structures[index].cell.array for index in family], family))


def _cell_neighbors(cells: Sequence[Array], family: Sequence[int]) -> set[tuple[int, int]]:
    """Pairs whose cells are nearest to each other, three for each record, where the cells differ at all."""
    flat = np.reshape(cells, (len(cells), 9))
    if len(family) < 3 or np.ptp(flat, axis=0).max() < 1e-6:
        return set()
    _, near = cKDTree(flat).query(flat, k=min(4, len(family)))
    return {(min(family[a], family[b]), max(family[a], family[b])) for a, row in enumerate(near) for b in row if a != b}


def work_between(structures: Sequence[Atoms], labels: Sequence[Labels], a: int, b: int) -> Work | None:
    """dE, -1/2 (F_a + F_b) . dx and 1/2 (V sigma_a + V sigma_b) : eps; None where the two lie too far apart or a label that is needed
    lacks."""
    first, second = structures[a], structures[b]
    periodic = bool(first.pbc.any())
    cell = first.cell.complete().array if periodic else np.eye(3)
    other = second.cell.complete().array if periodic else np.eye(3)
    gradient = np.linalg.solve(cell, other) - np.eye(3)
    if np.abs(gradient).max() > MAX_STRAIN:
        return None
    steps = np.linalg.solve(other.T, second.positions.T).T - np.linalg.solve(cell.T, first.positions.T).T
    steps -= np.where(first.pbc, np.round(steps), 0.0)
    moves = steps @ (0.5 * (cell + other))
    moves -= moves.mean(0)
    strained = bool(np.abs(gradient).max() > 1e-8)
    moved = bool(np.abs(moves).max() > 1e-6)
    if np.abs(moves).max() > MAX_STEP_A or not (strained or moved):
        return None
    middle = 2 * np.linalg.solve((2 * np.eye(3) + gradient).T, gradient.T).T  # seen from half-way, so that errors are of third order
    strain: Array = 0.5 * (middle + middle.T)
    by_forces = _against(labels[a].forces, labels[b].forces, -moves, (1.0, 1.0)) if moved else 0.0
    volumes = abs(float(np.linalg.det(cell))), abs(float(np.linalg.det(other)))
    by_stress = _against(labels[a].stress, labels[b].stress, strain, volumes) if strained else 0.0
    if by_forces is None or by_stress is None or (strained and not first.pbc.all()):
        return None
    return Work(
        energy=(labels[b].energy or 0.0) - (labels[a].energy or 0.0),
        forces=by_forces,
        stress=by_stress,
        volume=volumes[1] - volumes[0],
        strain=float(np.linalg.norm(strain)),
        growth=float(np.trace(strain)),
        moves=float(np.sum(moves**2)) if moved else 0.0,
        atoms=len(first),
    )


def _against(first: Array | None, second: Array | None, way: Array, weights: tuple[float, float]) -> float | None:
    """Half of (w_a first + w_b second) : way; None where one of them lacks."""
    if first is None or second is None:
        return None
    return 0.5 * float(np.sum((weights[0] * first + weights[1] * second) * way))


def regression(columns: Array, goal: Array) -> tuple[Array, Array, float]:
    """Robust least squares through the origin: slopes, standard errors, share of the variance explained.

    Standard errors allow for unequal residuals and for single rows that decide by themselves (HC3, MacKinnon and White 1985).
    """
    weights: Array = np.ones(len(goal))
    slopes: Array = np.zeros(columns.shape[1])
    for _ in range(10):
        root = np.sqrt(weights)
        slopes = np.asarray(np.linalg.lstsq(columns * root[:, None], goal * root, rcond=1e-10)[0], dtype=np.float64)
        distance = np.abs(goal - columns @ slopes)
        weights = 1 / np.maximum(1.0, distance / max(2.0 * float(np.median(distance)), 1e-12))
    residual = goal - columns @ slopes
    inverse = np.linalg.pinv((columns * weights[:, None]).T @ columns)
    leverage = weights * np.einsum("ij,jk,ik->i", columns, inverse, columns)
    scores = columns * (weights * residual / np.maximum(1 - leverage, 0.05))[:, None]
    meat = scores.T @ scores
    errors = np.sqrt(np.diag(inverse @ meat @ inverse))
    r2 = 1 - float(np.sum(weights * residual**2) / np.sum(weights * goal**2))
    return slopes, errors, r2
