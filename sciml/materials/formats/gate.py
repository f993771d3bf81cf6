"""The gate after reading: no structure passes that cannot be one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from sciml.materials.formats.record import Array
from sciml.materials.formats.tokens import ELEMENTS, Place

__all__ = ["check_structure", "close_pair"]

SMALLEST_VOLUME_A3 = 1.5
"""Volume an atom has at least where all three directions are periodic (angstrom^3)."""
_SYMBOLS = ["X", *ELEMENTS]


def check_structure(
    numbers: Array, positions: Array, cell: Array, pbc: Array, place: Place, *, min_distance_A: float, max_sites: int
) -> None:
    """Raises DataError unless elements are known, cell and positions finite, periodic vectors independent, the volume per atom at least
    1.5 A^3 where all directions are periodic, every distance (periodic images included) above `min_distance_A`, and there are 1 to
    `max_sites` atoms.

    numbers [N], positions [N,3] A, cell [3,3] A (rows are lattice vectors), pbc [3].
    """
    count = len(numbers)
    if not 0 < count <= max_sites:
        raise place.fault("number of atoms", f"{count}", f"1 to {max_sites} (max_sites=)")
    if numbers.min() < 1 or numbers.max() > len(ELEMENTS):
        k = int(np.argmax((numbers < 1) | (numbers > len(ELEMENTS))))
        raise place.fault("elements", f"atom {k} has the number {numbers[k]} (a dummy)", "elements from H to Og")
    if not np.isfinite(positions).all():
        raise place.fault("positions", f"atom {int(np.argmin(np.isfinite(positions).all(axis=1)))} is not finite", "finite coordinates")
    if not np.isfinite(cell).all():
        raise place.fault("cell", "not finite", "three finite lattice vectors")
    axes = np.flatnonzero(pbc)
    if np.abs(positions).max() > 1e9 or np.abs(cell).max() > 1e9:
        raise place.fault("positions, cell", "beyond 1e9 A", "coordinates in angstrom")
    if len(axes):
        _check_cell(cell, axes, count, place)
    pair = close_pair(positions, cell, pbc, min_distance_A)
    if pair is not None:
        i, j, distance = pair
        names = f"{_SYMBOLS[numbers[i]]} (atom {i}) and {_SYMBOLS[numbers[j]]} (atom {j})"
        found = (
            f"{names} are {distance:.3f} A apart" if i != j else f"{names[: names.index(' and')]} is {distance:.3f} A from its own image"
        )
        raise place.fault("smallest distance", found, f"more than {min_distance_A:g} A (min_distance_A=)")


def _check_cell(cell: Array, axes: Array, count: int, place: Place) -> None:
    """Independent periodic vectors, and room for the atoms."""
    vectors = cell[axes]
    lengths = np.linalg.norm(vectors, axis=1)
    content = math.sqrt(max(float(np.linalg.det(vectors @ vectors.T)), 0.0))
    if lengths.min() <= 0 or content <= 1e-6 * float(np.prod(lengths)):
        names = ", ".join("abc"[axis] for axis in axes)
        raise place.fault("cell", f"periodic along {names}, but these vectors span nothing", "independent lattice vectors, or pbc F there")
    if len(axes) == 3 and content < SMALLEST_VOLUME_A3 * count:
        raise place.fault(
            "cell", f"{content / count:.3f} A^3 an atom", f"at least {SMALLEST_VOLUME_A3} A^3 (coordinates and cell in angstrom)"
        )


def close_pair(positions: Array, cell: Array, pbc: Array, cutoff: float) -> tuple[int, int, float] | None:
    """(i, j, distance) of the closest two atoms if they are no farther apart than `cutoff` (A), images included (i = j: an atom and its own
    image), else None. Linear in N times log N."""
    cutoff = math.nextafter(float(cutoff), math.inf)
    axes = [axis for axis in range(3) if pbc[axis]]
    if not axes:
        return _closest(positions, positions, np.arange(len(positions)), cutoff)
    basis = _complete(cell, axes)
    inverse = np.linalg.inv(basis)
    heights = 1.0 / np.linalg.norm(inverse, axis=0)
    own_image = None
    if min(heights[axis] for axis in axes) <= cutoff:
        basis[axes] = _reduced(basis[axes])
        inverse = np.linalg.inv(basis)
        heights = 1.0 / np.linalg.norm(inverse, axis=0)
        shortest = min(float(np.linalg.norm(basis[axis])) for axis in axes)
        if shortest < cutoff:
            own_image, cutoff = (0, 0, shortest), shortest
    fractions = positions @ inverse
    fractions[:, axes] -= np.floor(fractions[:, axes])
    images, owners = fractions, np.arange(len(positions))
    for axis in axes:
        images, owners = _with_images(images, owners, axis, cutoff / heights[axis])
    return _closest(fractions @ basis, images @ basis, owners, cutoff) or own_image


def _complete(cell: Array, axes: list[int]) -> Array:
    """A basis that has the periodic vectors, and unit vectors across to them in the open directions."""
    basis = cell.copy()
    if len(axes) < 3:
        _, _, right = np.linalg.svd(cell[axes])
        basis[[axis for axis in range(3) if axis not in axes]] = right[len(axes) :]
    return basis


def _reduced(vectors: Array) -> Array:
    """Short vectors of the same lattice [k,3] (pairwise Gauss reduction, then sums of two for the third), so that heights are near the
    lengths.
    """
    vectors = vectors.copy()
    for _ in range(1000):
        order = np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")
        vectors = vectors[order]
        before = vectors.copy()
        for k in range(1, len(vectors)):
            lower = vectors[:k]
            steps = np.rint(np.linalg.lstsq(lower.T, vectors[k], rcond=None)[0])
            around = np.array(np.meshgrid(*[[-1, 0, 1]] * k)).reshape(k, -1).T + steps
            options = vectors[k] - around @ lower
            best = options[np.argmin(np.linalg.norm(options, axis=1))]
            if np.linalg.norm(best) < np.linalg.norm(vectors[k]) * (1 - 1e-12):
                vectors[k] = best
        if np.array_equal(before, vectors):
            break
    return vectors


def _with_images(fractions: Array, owners: Array, axis: int, reach: float) -> tuple[Array, Array]:
    """The points and their images along one axis that lie within `reach` (fractional) of the cell."""
    found, found_owners = [fractions], [owners]
    for step in range(1, math.ceil(reach) + 1):
        for shift in (step, -step):
            moved = fractions[:, axis] + shift
            near = (moved >= -reach) & (moved <= 1 + reach)
            if near.any():
                images = fractions[near].copy()
                images[:, axis] += shift
                found.append(images)
                found_owners.append(owners[near])
    return np.concatenate(found), np.concatenate(found_owners)


def _closest(centres: Array, points: Array, owners: Array, cutoff: float) -> tuple[int, int, float] | None:
    """The closest of `centres` (the first rows of `points`) and another point, if nearer than `cutoff`."""
    if len(points) < 2:
        return None
    tree: Any = cKDTree(points)
    distances, neighbours = tree.query(centres, k=2, distance_upper_bound=cutoff)
    if not np.isfinite(distances[:, 1]).any():
        return None
    i = int(np.argmin(distances[:, 1]))
    j = int(neighbours[i, 1] if neighbours[i, 0] == i else neighbours[i, 0])
    return i, int(owners[j]), float(distances[i, 1])
