"""Copies among structures on two levels: identical (same cell and atoms) and equivalent (same up to rotation, reflection, symmetry or
supercell).

Near-linear in time: structures are sorted by numbers that do not change under what is ignored, and only neighbours in that order are
compared.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import gcd, lcm
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sciml.errors import DataError
from sciml.materials.labels.finding import Array, labels_of
from sciml.materials.neighbors import neighbor_pairs

IDENTICAL_A = 1e-6
EQUIVALENT_A = 1e-4
EQUIVALENT_EV_PER_ATOM = 1e-4
CUTOFF_A = 5.0
_WAVES = 2 * np.pi * np.array([[1, 2, 3], [2, -1, 1]])  # of the scaled coordinates
_OPEN_WAVES = np.array([[1.1, 1.7, 2.3], [0.7, -1.3, 1.9]])  # 1/A, of coordinates in directions that are not periodic
_MOMENTS = np.arange(12)


@dataclass(frozen=True)
class SetComparison:
    """Test structures that the training set holds too: (test record, its training records), identical ones and, apart, equivalent ones."""

    n_train: int
    n_test: int
    identical: tuple[tuple[int, tuple[int, ...]], ...]
    equivalent: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def independent(self) -> list[int]:
        """Test records that are neither identical nor equivalent to a training record."""
        copies = {record for record, _ in (*self.identical, *self.equivalent)}
        return [record for record in range(self.n_test) if record not in copies]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)

    def text(self) -> str:
        """One line."""
        return (
            f"test against training set: {len(self.identical)} of {self.n_test} identical, "
            f"{len(self.equivalent)} more equal up to rotation or symmetry"
        )

    def require_disjoint(self) -> None:
        """Raises DataError where a test structure is identical to a training structure."""
        if self.identical:
            record, sources = self.identical[0]
            raise DataError(
                f"leakage: {len(self.identical)} of {self.n_test} test structures are identical to training structures "
                f"(test record {record} = training record {sources[0]}); take them out of one of the two"
            )


def compare_sets(train: Sequence[Atoms], test: Sequence[Atoms]) -> SetComparison:
    """Which test structures stand in the training set, identical or equivalent (see `identical_groups`, `equivalent_groups`)."""
    both = [*train, *test]
    identical = _across(identical_groups(both), len(train))
    known = {record for record, _ in identical}
    equivalent = [pair for pair in _across(equivalent_groups(both), len(train)) if pair[0] not in known]
    return SetComparison(len(train), len(test), tuple(identical), tuple(equivalent))


def identical_groups(structures: Sequence[Atoms]) -> NDArray[np.int64]:
    """[n] group numbers: the same number for equal cell, pbc, species and positions after wrapping and permutation, within 1e-6 A."""
    buckets: list[Hashable] = [(tuple(atoms.pbc), np.sort(atoms.numbers).tobytes()) for atoms in structures]
    described = [_identity_numbers(atoms) for atoms in structures]
    return _grouped(buckets, described, lambda a, b: _identical(structures[a], structures[b]))


def equivalent_groups(structures: Sequence[Atoms]) -> NDArray[np.int64]:
    """[n] group numbers: the same number for equal sorted distances by species within 5 A (1e-4 A), and energies an atom (1e-4 eV) where
    known.

    Such structures differ by rotation, reflection, a symmetry of the crystal, another choice of cell or a supercell, and go to one side
    of a split.
    """
    energies = [labels_of(atoms).energy for atoms in structures]

    @lru_cache(maxsize=256)
    def distances(index: int) -> dict[int, Array]:
        return _distances_by_species(structures[index])

    def equal(a: int, b: int) -> bool:
        first, second = energies[a], energies[b]
        n_a, n_b = len(structures[a]), len(structures[b])
        if first is not None and second is not None and abs(first / n_a - second / n_b) > EQUIVALENT_EV_PER_ATOM:
            return False
        return _same_distances(distances(a), distances(b), n_a, n_b)

    return _grouped([_composition(atoms) for atoms in structures], [_moments(atoms) for atoms in structures], equal)


def members(groups: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Groups of more than one member, each as its sorted records."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1) if len(groups) else []
    return [tuple(int(index) for index in part) for part in parts if len(part) > 1]


def _across(groups: NDArray[np.int64], n_train: int) -> list[tuple[int, tuple[int, ...]]]:
    """(test record, training records of its group) for groups with both."""
    found = []
    for group in members(groups):
        sources = tuple(index for index in group if index < n_train)
        found += [(index - n_train, sources) for index in group if index >= n_train and sources]
    return sorted(found)


def _grouped(buckets: Sequence[Hashable], described: Sequence[tuple[Array, Array]], equal: Callable[[int, int], bool]) -> NDArray[np.int64]:
    """Leader clustering: each structure joins the first leader of its bucket whose numbers lie within the tolerance and which is
    `equal`."""
    groups = np.arange(len(buckets))
    by_bucket: dict[Hashable, list[int]] = {}
    for index, bucket in enumerate(buckets):
        by_bucket.setdefault(bucket, []).append(index)
    for own in by_bucket.values():
        if len(own) == 1:
            continue
        numbers = np.array([described[index][0] for index in own])  # [m, k]
        tolerance = np.array([described[index][1] for index in own])
        order = np.argsort(numbers[:, 0], kind="stable")
        numbers, tolerance = numbers[order], tolerance[order]
        leads = np.zeros(len(own), dtype=bool)
        lows = np.searchsorted(numbers[:, 0], numbers[:, 0] - tolerance[:, 0])
        for place, low in enumerate(lows):
            near = leads[low:place] & (np.abs(numbers[low:place] - numbers[place]) <= tolerance[place]).all(1)
            index = own[order[place]]
            leader = next((own[order[low + each]] for each in np.flatnonzero(near) if equal(own[order[low + each]], index)), None)
            leads[place] = leader is None
            groups[index] = index if leader is None else leader
    return np.asarray(groups, dtype=np.int64)


def _coordinates(atoms: Atoms) -> tuple[Array, Array]:
    """[N,3] scaled coordinates (cartesian for a structure without periodic directions) and the cell that belongs to them."""
    if not atoms.pbc.any():
        return atoms.positions, np.eye(3)
    cell = atoms.cell.complete().array
    return np.linalg.solve(cell.T, atoms.positions.T).T, cell


def _identity_numbers(atoms: Atoms) -> tuple[Array, Array]:
    """Numbers that wrapping and permutation leave as they are, and how far 1e-6 A can move each."""
    coordinates, cell = _coordinates(atoms)
    open_scale = np.linalg.norm(cell, axis=1)
    waves = np.where(atoms.pbc, _WAVES, _OPEN_WAVES * open_scale)
    phases = coordinates @ waves.T  # [N,2]
    weights = 1 + 0.5 * np.sin(atoms.numbers)
    steepness = np.linalg.norm(np.linalg.inv(cell), 2) * np.linalg.norm(waves, axis=1)  # of a phase, 1/A
    sums = np.concatenate([weights @ np.cos(phases), weights @ np.sin(phases)])
    slack = 1.5 * len(atoms) * 2 * IDENTICAL_A * np.concatenate([steepness, steepness]) + 1e-9
    return sums, slack


def _identical(first: Atoms, second: Atoms) -> bool:
    periodic = first.pbc
    if np.abs(first.cell.array - second.cell.array)[periodic].max(initial=0.0) > IDENTICAL_A:
        return False
    here, cell = _coordinates(first)
    there, _ = _coordinates(second)
    _, partner = cKDTree(_on_circles(second, there)).query(_on_circles(first, here))
    if len(np.unique(partner)) < len(first) or (first.numbers != second.numbers[partner]).any():
        return False
    steps = here - there[partner]
    steps -= np.where(periodic, np.round(steps), 0.0)
    return bool(np.linalg.norm(steps @ cell, axis=1).max(initial=0.0) <= IDENTICAL_A * (1 + 1e-6))


def _on_circles(atoms: Atoms, coordinates: Array) -> Array:
    """[N, 4..7] in A: a periodic coordinate as a point on a circle, so that wrapping does not matter; the species far apart."""
    columns = [10.0 * atoms.numbers]
    lengths = np.linalg.norm(_coordinates(atoms)[1], axis=1)
    for column, length, periodic in zip(coordinates.T, lengths, atoms.pbc, strict=True):
        angle, radius = 2 * np.pi * column, length / (2 * np.pi)
        columns += [radius * np.cos(angle), radius * np.sin(angle)] if periodic else [length * column]
    return np.column_stack(columns)


def _composition(atoms: Atoms) -> Hashable:
    """The reduced formula."""
    numbers, counts = np.unique(atoms.numbers, return_counts=True)
    divisor = gcd(*map(int, counts)) if len(counts) else 1
    return tuple(map(int, numbers)), tuple(int(count) // divisor for count in counts)


def _pair_distances(atoms: Atoms) -> tuple[NDArray[np.int64], Array]:
    """Code of the two species, and distance, of every pair within 5 A (each pair counts twice)."""
    target, source, shift, _ = neighbor_pairs(atoms.positions, atoms.cell.array, atoms.pbc, CUTOFF_A)
    vectors = atoms.positions[source] + shift @ atoms.cell.array - atoms.positions[target]
    low, high = np.sort(np.stack([atoms.numbers[target], atoms.numbers[source]]), axis=0)
    return np.asarray(128 * low + high, dtype=np.int64), np.linalg.norm(vectors, axis=1)


def _moments(atoms: Atoms) -> tuple[Array, Array]:
    """Per atom: sum over pairs of w(species) (1 - x^2)^3 cos(k pi x), x = r / 5 A; and how far 1e-4 A in every distance moves it."""
    codes, distances = _pair_distances(atoms)
    scaled = distances / CUTOFF_A
    weighted = (1 + 0.4 * np.sin(codes)) * (1 - scaled**2) ** 3
    moments = weighted @ np.cos(np.pi * np.outer(scaled, _MOMENTS)) / max(len(atoms), 1)
    steepest = 1.4 * (2 + np.pi * _MOMENTS) / CUTOFF_A * len(codes) / max(len(atoms), 1)
    return moments, 2 * EQUIVALENT_A * steepest + 1e-9


def _distances_by_species(atoms: Atoms) -> dict[int, Array]:
    """Sorted distances within 5 A, by the code of the two species."""
    codes, distances = _pair_distances(atoms)
    return {int(code): np.sort(distances[codes == code]) for code in np.unique(codes)}


def _same_distances(first: dict[int, Array], second: dict[int, Array], n_first: int, n_second: int) -> bool:
    """Whether the distances an atom agree to 1e-4 A; those within 1e-4 A of the cut-off may stand in one list only."""
    whole = lcm(n_first, n_second)
    for code in first.keys() | second.keys():
        here = np.repeat(first.get(code, np.empty(0)), whole // n_first)
        there = np.repeat(second.get(code, np.empty(0)), whole // n_second)
        common = min(len(here), len(there))
        rest = np.concatenate([here[common:], there[common:]])
        if np.abs(here[:common] - there[:common]).max(initial=0.0) > EQUIVALENT_A or rest.min(initial=CUTOFF_A) < CUTOFF_A - EQUIVALENT_A:
            return False
    return True
