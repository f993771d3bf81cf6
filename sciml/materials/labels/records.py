"""Single records whose labels do not belong to their positions: swapped between two structures, in another unit, shifted by an element."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sciml.materials.labels.consistency import Record, misfit
from sciml.materials.labels.factors import Factor, name_ratio
from sciml.materials.labels.finding import Array
from sciml.materials.labels.findings import Finding, listed
from sciml.materials.labels.findings import number as number_text

ODD_FORCES, ODD_STRESS, FITTING = 0.75, 0.9, 0.45  # misfits
ODD_ENERGY, FITTING_ENERGY = 12.0, 5.0  # in robust standard deviations
CLEARLY, MIN_ODD_EV, ODD_SHARE = 3.0, 0.3, 0.75  # times the next largest error; of the whole structure; of the range of the energies
UNKNOWN_SHARE = 3.0  # times as much where no other record is like this one
NEAR, FAMILIAR, KNOWN = (
    1.5,
    3.5,
    5.0,
)  # distance to the nearest record in the fit, in units of the median one: further off the fit foretells nothing
MIN_OFFSET_EV, CLEAR_GAP, MIN_SIDE = 0.03, 6.0, 3
_MOST_ODD = 200


def odd_records(records: Sequence[Record], structures: Sequence[Atoms], table: Sequence[Factor]) -> list[Finding]:
    """Findings about single records. Says nothing where the model does not fit the bulk of the records."""
    judge = _Judge(records)
    suspects = [place for place in range(len(records)) if judge.odd(place, place)]
    if not suspects or len(suspects) > max(2, len(records) // 3):
        return _odd_energies(range(len(records)), records, judge)
    findings, settled = _scaled(records, suspects, judge, table), set[int]()
    settled.update(index for finding in findings for index in finding.records)
    rest = [place for place in suspects if records[place].index not in settled][:_MOST_ODD]
    swaps = _swaps(records, rest, judge, structures)
    swapped = {index for finding in swaps for index in finding.records}
    rest = [place for place in rest if records[place].index not in swapped and judge.known(place)]
    strange = [records[place].index for place in rest if judge.alien_forces(place)]
    if strange:
        message = f"the forces of records {listed(strange)} do not go with their positions"
        findings.append(Finding("warning", "odd-forces", message, tuple(strange[:50])))
    pressed = [records[place].index for place in rest if judge.oddities(place) == {"stress"} and judge.alien_stress(place)]
    if pressed:
        message = f"the stress of records {listed(pressed)} does not go with their positions, though the other labels do"
        findings.append(Finding("warning", "odd-stress", message, tuple(pressed[:50])))
    named = {*settled, *swapped, *strange}
    return findings + swaps + _odd_energies([place for place in range(len(records)) if records[place].index not in named], records, judge)


def _odd_energies(places: Sequence[int], records: Sequence[Record], judge: _Judge) -> list[Finding]:
    """Energies of few records that lie far beyond all others, in structures like others, whose forces are as expected."""
    errors = {place: value for place in places if (value := judge.energy(place, place)) is not None}
    order = sorted(errors, key=lambda place: -errors[place])
    most = max(1, len(order) // 20)
    heads = [n for n in range(1, min(most, len(order) - 1) + 1) if errors[order[n - 1]] > max(ODD_ENERGY, CLEARLY * errors[order[n]])]
    odd = []
    for place in order[: max(heads, default=0)]:
        record, forces = records[place], judge.forces(place, place)
        off = abs(_energy_error(record) - judge.offset)
        follows = forces is None or forces < FITTING or not judge.forces_told
        far = off > (1 if record.distance < FAMILIAR else UNKNOWN_SHARE) * judge.energy_range
        if far and off * record.n_atoms > MIN_ODD_EV and follows:
            odd.append(place)
    if not odd:
        return []
    return [odd_energy_finding([(records[p].index, (records[p].energy or 0.0) * records[p].n_atoms, judge.expected(p)) for p in odd])]


def odd_energy_finding(odd: Sequence[tuple[int, float, float]]) -> Finding:
    """The finding about energies of single records: (record, energy found, energy expected), in eV."""
    odd = sorted(odd)
    each = "; ".join(f"record {index}: {found:.6g} eV, about {expected:.6g} eV is expected" for index, found, expected in odd[:6])
    more = f"; ... ({len(odd)} in all)" if len(odd) > 6 else ""
    message = f"energies that do not go with their structures: {each}{more}"
    return Finding("warning", "odd-energy", message, tuple(index for index, _, _ in odd)[:50])


class _Judge:
    """Says of labels of record b at the positions of record a whether they fit, in measure of the bulk of the records."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.offset, self.width = _center([_energy_error(a) for a in records if a.energy is not None])
        expected = [a.expected_energy for a in records if a.energy is not None]
        self.energy_range = ODD_SHARE * float(np.ptp(np.quantile(expected, [0.05, 0.95]))) if expected else 0.0
        self.force_floor = _rms([each.forces for each in records if each.forces is not None])
        self.stress_floor = _rms([each.stress for each in records if each.stress is not None])
        self.forces_told = _typical([m for m in (self.forces(p, p) for p in range(len(records))) if m is not None]) < 0.4
        self.stress_told = _typical([m for m in (self.stress(p, p) for p in range(len(records))) if m is not None]) < 0.4

    def forces(self, a: int, b: int) -> float | None:
        """Misfit of the forces; None where there are none to speak of or the shapes differ."""
        found, expected = self.records[b].forces, self.records[a].expected_forces
        if found is None or found.shape != expected.shape or _size(found, expected) < 0.3 * self.force_floor:
            return None
        return misfit(found, expected)

    def stress(self, a: int, b: int) -> float | None:
        """Misfit of the stress, as for the forces."""
        found, expected = self.records[b].stress, self.records[a].expected_stress
        if found is None or expected is None or _size(found, expected) < 0.3 * self.stress_floor:
            return None
        return misfit(found, expected)

    def energy(self, a: int, b: int) -> float | None:
        """Error of the energy in robust standard deviations."""
        energy = self.records[b].energy
        if energy is None or self.width <= 0:
            return None
        total = energy * self.records[b].n_atoms / self.records[a].n_atoms
        return abs(total - self.records[a].expected_energy - self.offset) / self.width

    def odd_forces(self, a: int, b: int) -> bool:
        """Whether the forces of b are none of a."""
        value = self.forces(a, b)
        return self.forces_told and value is not None and value > ODD_FORCES

    def alien_forces(self, place: int) -> bool:
        """Whether forces of a size that the set has are unlike the expected ones (small forces of an unusual structure do not count)."""
        forces = self.records[place].forces
        large = forces is not None and float(np.sqrt(np.mean(forces**2))) > 0.5 * self.force_floor
        return large and self.odd_forces(place, place)

    def known(self, place: int) -> bool:
        """Whether the fit can know the structure: its energy is as expected, or others like it took part."""
        energy, distance = self.energy(place, place), self.records[place].distance
        if energy is None or energy < ODD_ENERGY:
            return distance < KNOWN or (energy is not None and energy < FITTING_ENERGY)
        return distance < NEAR

    def alien_stress(self, place: int) -> bool:
        """Whether a stress of a size that the set has is unlike the expected one."""
        stress = self.records[place].stress
        large = stress is not None and float(np.sqrt(np.mean(stress**2))) > 0.5 * self.stress_floor
        return large and self.odd_stress(place, place)

    def expected(self, place: int) -> float:
        """The energy expected of a record, in eV."""
        return (self.records[place].expected_energy + self.offset) * self.records[place].n_atoms

    def odd_stress(self, a: int, b: int) -> bool:
        """Whether the stress of b is none of a."""
        value = self.stress(a, b)
        return self.stress_told and value is not None and value > ODD_STRESS

    def odd(self, a: int, b: int) -> bool:
        """Whether a label of b is none of a."""
        value = self.energy(a, b)
        return self.odd_forces(a, b) or self.odd_stress(a, b) or (value is not None and value > ODD_ENERGY)

    def fits(self, a: int, b: int, what: set[str]) -> bool:
        """Whether the labels `what` of b are those of a."""
        values = {"forces": self.forces(a, b), "stress": self.stress(a, b), "energy": self.energy(a, b)}
        limits = {"forces": FITTING, "stress": FITTING, "energy": FITTING_ENERGY}
        return all((value := values[name]) is None or value < limits[name] for name in what)

    def oddities(self, place: int) -> set[str]:
        """Names of the odd labels of a record."""
        value = self.energy(place, place)
        odd = {"energy"} if value is not None and value > ODD_ENERGY else set()
        return odd | ({"forces"} if self.odd_forces(place, place) else set()) | ({"stress"} if self.odd_stress(place, place) else set())


def _swaps(records: Sequence[Record], suspects: Sequence[int], judge: _Judge, structures: Sequence[Atoms]) -> list[Finding]:
    """Pairs of odd records each of which has the labels that the other one should have."""
    findings, used = [], set[int]()
    for place, a in enumerate(suspects):
        for b in suspects[place + 1 :]:
            what = judge.oddities(a) | judge.oddities(b)
            same = sorted(structures[records[a].index].numbers) == sorted(structures[records[b].index].numbers)
            if a in used or b in used or ("forces" in what and not same):
                continue
            if judge.fits(a, b, what) and judge.fits(b, a, what) and not (what == {"energy"} and _is_mild(judge, a, b)):
                used |= {a, b}
                first, second = records[a].index, records[b].index
                names = " and ".join(sorted(what))
                message = f"the labels ({names}) of records {first} and {second} look swapped: each fits the positions of the other"
                findings.append(Finding("warning", "swapped-labels", message, (first, second)))
                break
    return findings


def _is_mild(judge: _Judge, a: int, b: int) -> bool:
    """An energy alone must be far off before the exchange: two real outliers of opposite sign look alike."""
    return min(judge.energy(a, a) or 0.0, judge.energy(b, b) or 0.0) < 2 * ODD_ENERGY


def _scaled(records: Sequence[Record], suspects: Sequence[int], judge: _Judge, table: Sequence[Factor]) -> list[Finding]:
    """Odd records whose forces or stress are a known factor away from what is expected of them."""
    found: dict[tuple[str, str], list[int]] = {}
    for place in suspects:
        record = records[place]
        pairs: list[tuple[str, Array | None, Array | None]] = []
        if judge.odd_forces(place, place):
            pairs.append(("forces", record.forces, record.expected_forces))
        if judge.odd_stress(place, place):
            pairs.append(("stress", record.stress, record.expected_stress))
        for name, label, expected in pairs:
            factor = _factor_of(name, label, expected, table)
            if factor is not None:
                found.setdefault((name, factor.text), []).append(record.index)
        factor = _energy_factor(record, judge, table)
        if factor is not None:
            found.setdefault(("energy", factor.text), []).append(record.index)
    return [
        Finding("warning", f"{name}-scale", f"{name} of records {listed(indices)}: {text}", tuple(indices[:50]))
        for (name, text), indices in found.items()
    ]


def _factor_of(name: str, label: Array | None, expected: Array | None, table: Sequence[Factor]) -> Factor | None:
    """The named ratio of one array to its expectation, where the two are parallel."""
    if label is None or expected is None:
        return None
    product = float(np.sum(label * expected))
    if product == 0 or abs(product) < 0.85 * np.linalg.norm(label) * np.linalg.norm(expected):
        return None
    return name_ratio(name, float(np.sum(label * label)) / product, 0.2, table)


def _energy_factor(record: Record, judge: _Judge, table: Sequence[Factor]) -> Factor | None:
    """The unit of an energy that is far off by itself but right within the usual error after a change of unit."""
    if record.energy is None or judge.width <= 0 or abs(record.expected_energy) < 1e-3:
        return None
    error = abs(_energy_error(record) - judge.offset)
    if error < 0.2 * abs(record.expected_energy) or error < ODD_ENERGY * judge.width:
        return None
    return name_ratio("energy", record.energy / (record.expected_energy + judge.offset), 0.05, table)


def element_offsets(records: Sequence[Record], structures: Sequence[Atoms]) -> list[Finding]:
    """A part of the records whose energies differ from the rest by a fixed amount an atom of one element (a clear gap between two
    heaps)."""
    known = [record for record in records if record.energy is not None]
    if len(known) < 2 * MIN_SIDE:
        return []
    errors = np.array([_energy_error(record) * record.n_atoms for record in known])
    formulas = [structures[record.index].get_chemical_formula() for record in known]
    repeated = 2 * len(set(formulas)) < len(known)
    numbers = sorted({int(number) for record in known for number in structures[record.index].numbers})
    found = []
    for number in numbers:
        counts = np.array([np.sum(structures[record.index].numbers == number) for record in known])
        own = np.flatnonzero(counts)
        split = _two_heaps(errors[own] / counts[own])
        if split is not None:
            shift, clearness, members = split
            heap = {int(own[member]) for member in members}
            if repeated and not {formulas[place] for place in heap} & {formulas[int(place)] for place in own if int(place) not in heap}:
                continue  # whole compositions apart: that is what reference energies are for
            mine = [known[int(place)] for place in own]
            if not _mixed(np.array([each.place for each in mine]), np.array([each.half for each in mine]), np.isin(own, list(heap))):
                continue  # structures of another kind: the model may not know what they cost
            indices = tuple(known[own[member]].index for member in members)
            found.append((clearness, number, shift, indices))
    if not found:
        return []
    _, number, shift, indices = max(found)
    message = (
        f"the energies of {len(indices)} of {len(known)} records differ from the others by {number_text(shift)} eV for every atom of "
        f"{chemical_symbols[number]} (records {listed(indices)}): another reference energy, pseudopotential or +U of this element"
    )
    return [Finding("warning", "element-offset", message, indices[:50])]


def _mixed(points: Array, halves: NDArray[np.int64], heap: NDArray[np.bool_]) -> bool:
    """Whether of the members of a heap at least a fifth have their nearest neighbour outside it, as labels that do not follow structure.

    Nor may the heap be one of the halves, each of which has a fit of its own.
    """
    if min(np.mean(halves == heap), np.mean(halves != heap)) < 0.1:
        return False
    _, near = cKDTree(points).query(points, k=2)
    return float(np.mean(~heap[near[heap, 1]])) >= 0.2


def _two_heaps(values: Array) -> tuple[float, float, Array] | None:
    """(shift, clearness, members of the smaller heap) where the sorted values have one gap much wider than both heaps are."""
    if len(values) < 2 * MIN_SIDE:
        return None
    order = np.argsort(values)
    ordered = values[order]
    gaps = np.diff(ordered)[MIN_SIDE - 1 : len(values) - MIN_SIDE]
    if not len(gaps):
        return None
    cut = MIN_SIDE + int(np.argmax(gaps))
    low, high = ordered[:cut], ordered[cut:]
    width = max(np.ptp(np.quantile(side, [0.16, 0.84])) / 2 for side in (low, high))
    gap = float(ordered[cut] - ordered[cut - 1])
    clearness = gap / max(float(width), 1e-4)
    if gap < MIN_OFFSET_EV or clearness < CLEAR_GAP:
        return None
    shift = float(np.median(high) - np.median(low))
    return (shift, clearness, np.sort(order[cut:])) if len(high) <= len(low) else (-shift, clearness, np.sort(order[:cut]))


def _energy_error(record: Record) -> float:
    return (record.energy or 0.0) - record.expected_energy


def _center(values: Sequence[float]) -> tuple[float, float]:
    """Median and robust standard deviation, at least 1 meV."""
    if len(values) < 8:
        return 0.0, 0.0
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(np.array(values) - middle))), 1e-3)


def _typical(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) >= 8 else np.inf


def _rms(arrays: Sequence[Array]) -> float:
    """Root mean square that three of four records stay below: a few records in another unit do not move it."""
    return float(np.quantile([np.sqrt(np.mean(each**2)) for each in arrays], 0.75)) if arrays else 0.0


def _size(found: Array, expected: Array) -> float:
    return float(np.sqrt(max(np.mean(found**2), np.mean(expected**2))))
