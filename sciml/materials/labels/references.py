"""Energies of the elements: isolated atoms that cannot be right, one element far from all others, a test set shifted against the
training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray

from sciml.materials.labels.consistency import CHECK_ATOMS, Consistency, Record, measure
from sciml.materials.labels.finding import Array, Labels, labels_of
from sciml.materials.labels.findings import Finding
from sciml.materials.labels.findings import number as number_text

BINDING_EV = (-15.0, 12.0)  # atomisation energy an atom, with a margin on both sides of what exists
MIN_ELEMENTS, OUTLIER, OUTLIER_EV = 10, 8.0, 3.0
SHIFT_EV, CLEAR = 0.25, 8.0


def cohesive_findings(structures: Sequence[Atoms], labels: Sequence[Labels]) -> list[Finding]:
    """Isolated atoms whose energies leave structures bound by more than any matter is, or unbound, with the element that explains it."""
    isolated = {
        int(atoms.numbers[0]): own.energy for atoms, own in zip(structures, labels, strict=True) if len(atoms) == 1 and _alone(atoms, own)
    }
    used = [
        index
        for index, (atoms, own) in enumerate(zip(structures, labels, strict=True))
        if len(atoms) > 1 and own.energy is not None and set(map(int, atoms.numbers)) <= isolated.keys()
    ]
    if not used:
        return []
    numbers = sorted(isolated)
    shares = _shares([structures[index] for index in used], numbers)
    binding = np.array([(labels[index].energy or 0.0) / len(structures[index]) for index in used]) - shares @ np.array(
        [isolated[n] for n in numbers]
    )
    middle = float(np.median(binding))
    if BINDING_EV[0] < middle < BINDING_EV[1]:
        return []
    single = {number: float(np.median(binding / np.maximum(shares[:, place], 1e-9))) for place, number in enumerate(numbers)}
    misfits = {number: float(np.std(binding - shares[:, place] * single[number])) for place, number in enumerate(numbers)}
    worst = min(misfits, key=lambda number: misfits[number])
    clear = len(numbers) == 1 or misfits[worst] < 0.5 * sorted(misfits.values())[1]
    hint = (
        f"an offset of about {-single[worst]:.4g} eV in the lone atom of {chemical_symbols[worst]} explains it"
        if clear
        else "check their energies"
    )
    message = f"against the isolated atoms, structures have a typical energy of {middle:+.4g} eV an atom, which no matter has: {hint}"
    return [Finding("warning", "element-offset", message)]


def reference_findings(structures: Sequence[Atoms], labels: Sequence[Labels]) -> list[Finding]:
    """With ten elements or more: one whose fitted share of the energies lies far outside those of the others (not for all-electron
    energies)."""
    known = [index for index, own in enumerate(labels) if own.energy is not None and len(structures[index])]
    numbers = sorted({int(number) for index in known for number in structures[index].numbers})
    if len(numbers) < MIN_ELEMENTS or len(known) < 3 * len(numbers):
        return []
    shares = _shares([structures[index] for index in known], numbers)
    energies = np.array([(labels[index].energy or 0.0) / len(structures[index]) for index in known])
    shared, _, rank, _ = np.linalg.lstsq(shares, energies, rcond=None)
    middle = float(np.median(shared))
    width = 1.4826 * float(np.median(np.abs(shared - middle)))
    if rank < len(numbers) or np.median(np.abs(shared)) > 50:
        return []
    odd = [(abs(share - middle), number, share) for number, share in zip(numbers, shared, strict=True)]
    distance, number, share = max(odd)
    if distance < max(OUTLIER_EV, OUTLIER * width):
        return []
    others = f"the other elements take {number_text(middle)} +- {width:.4g}"
    message = f"{chemical_symbols[number]} takes {number_text(share)} eV an atom where {others}: an offset of this element"
    return [Finding("warning", "element-offset", message)]


def measure_beside(
    structures: Sequence[Atoms], labels: Sequence[Labels], test: Sequence[Atoms], max_atoms: int = CHECK_ATOMS
) -> tuple[Consistency | None, list[Finding]]:
    """`measure` of the structures, by a fit that sees the forces of `test` too, and what is found of a shift of the test set's energies."""
    if not test:
        return measure(structures, labels, max_atoms), []
    others = [labels_of(atoms, where=f"test record {index}") for index, atoms in enumerate(test)]
    both = [*structures, *test]
    measured = measure(both, [*labels, *(Labels(None, own.forces, None) for own in others)], max_atoms)
    if measured is None:
        return None, []
    shift: list[Finding] = []
    if "energy" in measured.slopes and measured.slopes["energy"].r2 > 0.5:
        shift = _shift(measured.records, [*labels, *others], both, len(structures))
    return replace(measured, records=tuple(record for record in measured.records if record.index < len(structures))), shift


def _shift(records: Sequence[Record], labels: Sequence[Labels], structures: Sequence[Atoms], n_train: int) -> list[Finding]:
    """The element whose number of atoms explains the median shift of the test records best."""
    rows: list[tuple[int, float]] = []
    for record in records:
        energy = labels[record.index].energy
        if energy is not None:
            rows.append((record.index, energy - record.expected_energy * record.n_atoms))
    found = []
    for number in sorted({int(number) for atoms in structures for number in atoms.numbers}):
        sides: tuple[list[float], list[float]] = ([], [])
        for index, error in rows:
            count = int(np.sum(structures[index].numbers == number))
            if count:
                sides[int(index >= n_train)].append(error / count)
        if min(map(len, sides)) < 8:
            continue
        middles, widths = zip(*(_middle(np.array(side)) for side in sides), strict=True)
        shift, width = middles[1] - middles[0], max(widths)
        if abs(shift) > max(SHIFT_EV, CLEAR * width):
            found.append((abs(shift) / max(width, 1e-6), number, shift))
    if not found:
        return []
    _, number, shift = max(found)
    message = (
        f"the energies of the test set lie {number_text(shift)} eV for every atom of {chemical_symbols[number]} off the training set's"
    )
    return [Finding("warning", "element-offset", message)]


def _middle(values: Array) -> tuple[float, float]:
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))


def _alone(atoms: Atoms, own: Labels) -> bool:
    """One atom with an energy and no image within 8 A."""
    lengths = np.linalg.norm(atoms.cell.array, axis=1)[atoms.pbc]
    return own.energy is not None and bool((lengths > 8.0).all())


def _shares(structures: Sequence[Atoms], numbers: Sequence[int]) -> NDArray[np.float64]:
    """[n, elements] atoms of each element by atoms."""
    return np.array([[np.mean(atoms.numbers == number) for number in numbers] for atoms in structures])
