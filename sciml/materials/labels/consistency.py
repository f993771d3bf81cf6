"""How well energies, forces and stresses of a data set go together: a linear model is fitted to some of them and asked for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sciml.materials.labels.finding import Array, Labels, voigt_of
from sciml.materials.labels.hypotheses import Equation, Trial, halves, inliers, robust_shares
from sciml.materials.labels.linear_model import Basis, Rows

RIDGE, JOINT_RIDGE = 1e-3, 1e-6  # of the mean diagonal, in units in which every function changes the energies by the same amount
FIT_ATOMS, CHECK_ATOMS, MIN_RECORDS = 20_000, 100_000, 8
TRIAL_ATOMS, SILENT_EV_PER_A = 8_000, 1e-5  # in the trial of units; forces that are rounding
MAPPED = 12  # components
AGREE = 0.3  # share that a fit to all labels at once may leave
FIT_WORK = 2_500_000_000  # forces times functions squared
_KEPT_NUMBERS = 20_000_000  # numbers of rows kept in memory; the rest is computed again
FLOORS = {"forces": 0.01, "energy": 1e-4, "stress": 1e-3}  # eV/A, eV an atom, eV an atom: no label counts as more precise
_STRANGE = 0.8  # misfit above which a record does not take part in the second fit


@dataclass(frozen=True)
class Slope:
    """ratio = label / what the other labels lead to expect, its standard error, the share r2 of the variance it explains, records used."""

    ratio: float
    error: float
    r2: float
    records: int


@dataclass(frozen=True)
class Record:
    """One record beside its prediction by a model fitted without its half of the data; None where there is no label.

    energy, expected_energy: eV an atom. stress and expected_stress: Voigt-6 (eV/A^3). place: its surroundings as a point, on average over
    the atoms. distance: from there to the nearest record that the prediction rests on; in units of what is usual in the set. half:
    which it belongs to, 0 or 1.
    """

    index: int
    n_atoms: int
    energy: float | None
    expected_energy: float
    forces: Array | None
    expected_forces: Array
    stress: Array | None
    expected_stress: Array | None
    place: Array
    distance: float
    half: int


@dataclass(frozen=True)
class Consistency:
    """Slopes by name ("energy", "stress": against the model of `source`, which is "forces" or "energy"), the records looked at, and the
    trial of hypotheses about units and signs."""

    source: str
    fit: float
    slopes: dict[str, Slope]
    records: tuple[Record, ...]
    trial: Trial


def measure(structures: Sequence[Atoms], labels: Sequence[Labels], max_atoms: int = CHECK_ATOMS) -> Consistency | None:
    """Fits forces where there are some, else energies; None where there is too little to fit (fewer than 8 records, or no motion at
    all).

    max_atoms: of a set with more of them every k-th record is looked at.
    """
    source = _source(labels)
    if source is None:
        return None
    chosen = _chosen(structures, labels, max_atoms)
    if len(chosen) < MIN_RECORDS:
        return None
    fitter = _Fitter([structures[index] for index in chosen], [labels[index] for index in chosen], source)
    if not fitter.run():
        return None
    fitter.map_out()
    records = tuple(fitter.record(place, index) for place, index in enumerate(chosen))
    measured = {"energy": _energy_slope(records, fitter.shares) if source == "forces" else None, "stress": _stress_slope(records)}
    slopes = {name: slope for name, slope in measured.items() if slope}
    trial = fitter.trial()
    agree = len(trial.names) > 1 and max(trial.judge({})[1].values()) < AGREE
    if agree or all(0.5 < slope.ratio < 2 for slope in slopes.values() if slope.r2 > 0.5):
        fitter.run_jointly()
        records = tuple(fitter.record(place, index) for place, index in enumerate(chosen))
    return Consistency(source, fitter.fit, slopes, records, trial)


def misfit(found: Array, expected: Array) -> float:
    """|a - b| / sqrt(|a|^2 + |b|^2): 0 for equal, 1 for unrelated, sqrt 2 for opposite arrays."""
    size = np.sqrt(np.sum(found**2) + np.sum(expected**2))
    return float(np.linalg.norm(found - expected) / size) if size > 0 else 0.0


def deviator(stress: Array) -> Array:
    """[...,5] the part of a Voigt stress that changes shape: three shears, two differences of the diagonal."""
    return np.concatenate([stress[..., 3:], np.diff(stress[..., :3], axis=-1)], axis=-1)


def _source(labels: Sequence[Labels]) -> str | None:
    moved = sum(own.forces is not None and np.abs(own.forces).max(initial=0) > 0.02 for own in labels)
    if moved >= MIN_RECORDS:
        return "forces"
    both = sum(own.energy is not None and own.stress is not None for own in labels)
    return "energy" if both >= 2 * MIN_RECORDS or sum(own.energy is not None for own in labels) >= 3 * MIN_RECORDS else None


def _chosen(structures: Sequence[Atoms], labels: Sequence[Labels], limit: int) -> list[int]:
    """Records with more than one atom and a label, evenly thinned to a number of atoms."""
    usable = [
        index for index, own in enumerate(labels) if len(structures[index]) > 1 and (own.forces is not None or own.energy is not None)
    ]
    total = sum(len(structures[index]) for index in usable)
    return usable[:: max(1, -(-total // limit))]


class _Fitter:
    """Two fits, each without one half of the records, by weighted normal equations over K functions and one reference energy an element."""

    def __init__(self, structures: Sequence[Atoms], labels: Sequence[Labels], source: str) -> None:
        self.structures, self.labels, self.source = structures, labels, source
        self.basis = Basis.for_structures(structures)
        self.sizes = np.array([len(atoms) for atoms in structures])
        counts = np.array([[np.sum(atoms.numbers == number) for number in self.basis.species] for atoms in structures])
        self.shares = counts / self.sizes[:, None]
        known = [place for place, own in enumerate(labels) if own.energy is not None]
        energies = np.array([labels[place].energy for place in known], dtype=float) / self.sizes[known]
        self.references = robust_shares(self.shares[known], energies) if known else np.zeros(len(self.basis.species))
        self.fold = np.zeros(len(structures), dtype=np.int64)
        self.sigma = {source: 1.0}
        self.dropped: set[tuple[int, str]] = set()
        self.fit = 0.0
        self.coefficients: list[Array] = []
        self._kept: dict[int, Rows] = {}
        self._room = _KEPT_NUMBERS

    def rows(self, place: int) -> Rows:
        """The rows of one record, kept while there is room."""
        rows = self._kept.get(place)
        if rows is None:
            rows = self.basis.rows(self.structures[place])
            if rows.forces.size <= self._room:
                self._room -= rows.forces.size
                self._kept[place] = rows
        return rows

    def run(self) -> bool:
        """Fits the source, a second time without the records that the first fit finds strange. False where there is nothing to fit."""
        used = [place for place, own in enumerate(self.labels) if getattr(own, self.source) is not None]
        work = 3 * int(self.sizes[used].sum()) * (len(self.rows(used[0]).energy) ** 2 if used else 0)
        self.used = used[:: max(1, -(-int(self.sizes[used].sum()) // FIT_ATOMS), round(work / FIT_WORK))]
        if len(self.used) < MIN_RECORDS:
            return False
        self.fold[self.used] = np.arange(len(self.used)) % 2
        rows, shares = np.array([self.rows(place).energy / self.sizes[place] for place in self.used]), self.shares[self.used]
        spread = np.std(rows - shares @ np.linalg.lstsq(shares, rows, rcond=None)[0], axis=0)
        self.scale = np.append(1 / np.maximum(spread, 1e-6 * max(spread.max(), 1e-12)), np.ones(shares.shape[1]))
        self._solve()
        goals = [self._equations(place)[self.source][1] for place in self.used]
        total = sum(np.sum(goal**2) for goal in goals)
        floor = 0.1 * np.sqrt(total / max(sum(map(len, goals)), 1))
        strange = {place for place, goal in zip(self.used, goals, strict=True) if self._misfit(place, float(floor)) > _STRANGE}
        if 0 < len(strange) <= len(self.used) // 4:
            self.used = [place for place in self.used if place not in strange]
            self._solve()
        self.fit = float(1 - self._mean_square(self.source, False) / max(self._mean_square(self.source, True), 1e-300))
        return bool(total > 0)

    def run_jointly(self) -> None:
        """Fits energies, forces and stresses together, each in units of what the fit before left of it (five rounds).

        The three labels of a record weigh the same, though it has 3N forces for one energy.
        """
        share = 3 * float(np.mean(self.sizes[self.used]))
        wild = self._wild_energies()
        for turn in range(
            5
        ):  # at first nothing but wild energies is left out: what the forces alone foretell of surfaces, say, may be poor
            self.dropped = set.union(wild, *(self._outliers(name) for name in FLOORS if turn))
            left = {name: np.sqrt(self._mean_square(name, False)) for name in FLOORS}
            weight = {"forces": 1.0, "energy": share**0.5, "stress": (share / 6) ** 0.5}
            self.sigma = {
                name: max(FLOORS[name], float(size)) / weight[name] for name, size in left.items() if size > 0 or name == self.source
            }
            self._solve(JOINT_RIDGE)

    def _wild_energies(self) -> set[tuple[int, str]]:
        known = [place for place in self.used if self.labels[place].energy is not None]
        values = np.array([self._equations(place)["energy"][1][0] for place in known])
        return {(place, "energy") for place, kept in zip(known, inliers(values), strict=True) if not kept}

    def _outliers(self, name: str) -> set[tuple[int, str]]:
        """Labels that lie ten times further off than the median one does, and three times further than nine of ten: they take no part in
        the fit. (A tenth of the records may be structures of another kind, which the fit is yet to learn.)"""
        parts = [place for place in self.used if name in self._equations(place)]
        if not parts:
            return set()
        left = [self._left(place, name) for place in parts]
        if name == "energy":
            left = list(self._without_composition(parts, np.concatenate(left))[:, None])
        sizes = np.array([np.sqrt(np.mean(each**2)) for each in left])
        limit = max(10 * float(np.median(sizes)), 3 * float(np.quantile(sizes, 0.9))) + FLOORS[name]
        return {(place, name) for place, size in zip(parts, sizes, strict=True) if size > limit}

    def _without_composition(self, parts: Sequence[int], values: Array) -> Array:
        """Values less the median of their composition, where that has enough records; less a fit over the elements elsewhere."""
        shares = self.shares[parts]
        rest = values - shares @ np.linalg.lstsq(shares, values, rcond=None)[0]
        _, own, counts = np.unique(np.round(shares, 6), axis=0, return_inverse=True, return_counts=True)
        for composition in np.flatnonzero(counts >= MIN_RECORDS):
            same = own.ravel() == composition
            rest[same] = values[same] - np.median(values[same])
        return rest

    def record(self, place: int, index: int) -> Record:
        """The record beside its prediction."""
        atoms, own, rows = self.structures[place], self.labels[place], self.rows(place)
        coefficients = self.coefficients[self.fold[place]]
        inner = coefficients[: len(rows.energy)]
        periodic = bool(atoms.pbc.all())
        return Record(
            index=index,
            n_atoms=len(atoms),
            energy=None if own.energy is None else own.energy / len(atoms),
            expected_energy=float(rows.energy @ inner / len(atoms) + self.shares[place] @ (coefficients[len(inner) :] + self.references)),
            forces=own.forces,
            expected_forces=(rows.forces @ inner).reshape(-1, 3),
            stress=voigt_of(own.stress) if own.stress is not None and periodic else None,
            expected_stress=rows.virial @ inner / atoms.get_volume() if periodic else None,
            place=self.points[place],
            distance=float(self.distances[place]),
            half=int(self.fold[place]),
        )

    def map_out(self) -> None:
        """Points of all records (the components that vary most), and their distances to the nearest record of the other half."""
        table = (
            np.array([self.rows(place).energy / self.sizes[place] for place in range(len(self.structures))])
            * self.scale[: -len(self.references)]
        )
        table = table - table[self.used].mean(0)
        _, _, ways = np.linalg.svd(table[self.used][:1000], full_matrices=False)
        self.points = table @ ways[:MAPPED].T
        self.distances = np.zeros(len(self.points))
        for half in (0, 1):
            own, others = np.flatnonzero(self.fold == half), [place for place in self.used if self.fold[place] != half]
            self.distances[own] = cKDTree(self.points[others]).query(self.points[own])[0]
        self.distances /= max(float(np.median(self.distances)), 1e-9)

    def trial(self) -> Trial:
        """The labels of records that have two kinds of them or more, for a judgement of units and signs."""
        kinds = [sum(getattr(own, name) is not None for name in FLOORS) for own in self.labels]
        places = [place for place, number in enumerate(kinds) if number > 1]
        places = places[:: max(1, -(-int(self.sizes[places].sum()) // TRIAL_ATOMS))]
        trial = Trial(len(self.scale) - len(self.references))
        scale, sizes, shares = self.scale[: len(self.scale) - len(self.references)], self.sizes[places], self.shares[places]
        half = halves(len(places))
        energies = [(np.nan if (value := self.labels[place].energy) is None else value) for place in places]
        designs = np.array([self.rows(place).energy for place in places]).reshape(len(places), len(scale)) * scale / sizes[:, None]
        for name, goal in (("energy", np.array(energies) / sizes), ("energy, an atom", np.array(energies))):
            for row, (design, value) in _beside_composition(designs, goal, shares).items():
                trial.add(Equation(name, int(half[row]), design[None], np.array([value])))
        for name in ("forces", "stress"):
            known = [row for row, place in enumerate(places) if name in self._equations(place)]
            size = np.array([np.sqrt(np.mean(self._equations(places[row])[name][1] ** 2)) for row in known])
            silent = name == "forces" and np.quantile(size, 0.75) < SILENT_EV_PER_A if known else True
            for row, own in zip(known, size, strict=True):
                if not silent and own <= 20 * np.quantile(size, 0.75):
                    design, goal = self._equations(places[row])[name]
                    trial.add(Equation(name, int(half[row]), design * scale, goal))
                    if name == "stress":
                        volume = self.structures[places[row]].get_volume()
                        trial.add(Equation("stress, virial", int(half[row]), design * scale, goal / volume))
        trial.finish()
        return trial

    def _equations(self, place: int) -> dict[str, tuple[Array, Array]]:
        """(rows, goal) by label: forces (eV/A), energy an atom without references (eV), stress times volume an atom (eV)."""
        own, rows, size = self.labels[place], self.rows(place), self.sizes[place]
        shares = self.shares[place]
        found = {}
        if own.forces is not None:
            found["forces"] = (rows.forces, own.forces.ravel())
        if own.energy is not None:
            found["energy"] = (np.append(rows.energy / size, shares)[None], np.array([own.energy / size - shares @ self.references]))
        if own.stress is not None and self.structures[place].pbc.all():
            found["stress"] = (rows.virial / size, voigt_of(own.stress) * self.structures[place].get_volume() / size)
        return found

    def _left(self, place: int, name: str) -> Array:
        design, goal = self._equations(place)[name]
        return np.asarray(goal - design @ self.coefficients[self.fold[place]][: design.shape[1]])

    def _misfit(self, place: int, floor: float) -> float:
        goal = self._equations(place)[self.source][1]
        return misfit(goal, goal - self._left(place, self.source)) if np.sqrt(np.mean(goal**2)) > floor else 0.0

    def _mean_square(self, name: str, whole: bool) -> float:
        """Of the label (whole) or of what the fit leaves of it."""
        parts = [place for place in self.used if name in self._equations(place) and (place, name) not in self.dropped]
        values = [self._equations(place)[name][1] if whole else self._left(place, name) for place in parts]
        return float(np.mean(np.concatenate(values) ** 2)) if values else 0.0

    def _solve(self, ridge_share: float = RIDGE) -> None:
        """Ridge regression for each half from the records of the other half; references are free."""
        size, inner = len(self.scale), len(self.scale) - len(self.references)
        self.coefficients = []
        for half in (0, 1):
            matrix, vector = np.zeros((size, size)), np.zeros(size)
            for place in self.used:
                if self.fold[place] == half:
                    continue
                for name, (design, goal) in self._equations(place).items():
                    if name in self.sigma and (place, name) not in self.dropped:
                        k = design.shape[1]
                        matrix[:k, :k] += design.T @ design / self.sigma[name] ** 2
                        vector[:k] += design.T @ goal / self.sigma[name] ** 2
            matrix = matrix * self.scale * self.scale[:, None]
            ridge = ridge_share * np.trace(matrix[:inner, :inner]) / inner
            matrix[range(size), range(size)] += np.append(np.full(inner, ridge), np.full(size - inner, 1e-9 * ridge)) + 1e-300
            self.coefficients.append(self.scale * np.linalg.lstsq(matrix, self.scale * vector, rcond=1e-14)[0])


def _beside_composition(designs: Array, goals: Array, shares: Array) -> dict[int, tuple[Array, float]]:
    """Designs and goals [n] less what the composition explains of them, by row; rows without a goal and wild ones left out."""
    rows = np.flatnonzero(np.isfinite(goals))
    if not len(rows):
        return {}
    rows = rows[inliers(goals[rows] - shares[rows] @ robust_shares(shares[rows], goals[rows]))]
    both = np.column_stack([designs, goals])[rows]
    both -= shares[rows] @ np.linalg.lstsq(shares[rows], both, rcond=None)[0]
    return {int(row): (own[:-1], float(own[-1])) for row, own in zip(rows, both, strict=True)}


def _energy_slope(records: Sequence[Record], composition: Array) -> Slope | None:
    known = np.array([record.energy is not None for record in records])
    if known.sum() < MIN_RECORDS:
        return None
    shares = composition[known]
    found = np.array([record.energy for record in records if record.energy is not None])
    expected = np.array([record.expected_energy for record in records if record.energy is not None])
    columns = np.column_stack([found, expected])
    columns -= shares @ np.linalg.lstsq(shares, columns, rcond=None)[0]
    columns = columns[_on_one_line(columns[:, 1], columns[:, 0])]
    return robust_slope(columns[:, 1] - columns[:, 1].mean(), columns[:, 0] - columns[:, 0].mean())


def _on_one_line(x: Array, y: Array) -> NDArray[np.bool_]:
    """Points near the line whose slope is the median over many pairs, so that a shifted part of the records does not turn it (Theil
    1950)."""
    steps = [1, 2, 3, 5, 8, 13, 21, 34]
    dx, dy = (np.concatenate([np.roll(each, -step) - each for step in steps]) for each in (x, y))
    apart = np.abs(dx) > 0.2 * np.std(x)
    slope = float(np.median(dy[apart] / dx[apart])) if apart.any() else 0.0
    rest = y - slope * x
    rest = rest - np.median(rest)
    kept: NDArray[np.bool_] = np.abs(rest) <= 8 * np.median(np.abs(rest)) + 1e-12
    return kept


def _stress_slope(records: Sequence[Record]) -> Slope | None:
    both = [record for record in records if record.stress is not None and record.expected_stress is not None]
    if len(both) < MIN_RECORDS:
        return None
    found = np.array([record.stress for record in both])
    expected = np.array([record.expected_stress for record in both])
    return robust_slope(deviator(expected), deviator(found))


def robust_slope(expected: Array, found: Array) -> Slope:
    """found = ratio * expected through the origin; [n] or [n,k], rows of less and less weight the further they lie off (10 rounds).

    The ratio is <found, found> / <found, expected>: labels are exact and expectations noisy, so that noise does not lower it.
    """
    x, y = expected.reshape(len(expected), -1), found.reshape(len(found), -1)
    weights = np.ones(len(x))
    for _ in range(10):
        xx, xy, yy = (float(np.sum(weights[:, None] * a * b)) for a, b in ((x, x), (x, y), (y, y)))
        if xx <= 0 or yy <= 0 or xy == 0:
            return Slope(0.0, 0.0, 0.0, len(x))
        distance = np.linalg.norm(x - (xy / yy) * y, axis=1)
        weights = 1 / np.maximum(1.0, distance / max(2.0 * float(np.median(distance)), 1e-300))
    ratio = yy / xy
    spread = np.sqrt(np.sum(weights**2 * np.sum((x - y / ratio) * y, axis=1) ** 2)) / yy  # of 1/ratio
    return Slope(ratio, float(spread * ratio**2), xy**2 / (xx * yy), len(x))
