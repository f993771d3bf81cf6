"""The label census: what a list of structures holds, counted before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from sciml.errors import DataError
from sciml.materials.labels.finding import QUANTITIES, STANDARD_KEYS, Array, Labels, group_of, labels_of
from sciml.units import EV_PER_A3_IN_GPA

_OWN_ARRAYS = {"numbers", "positions"}
_USED = _OWN_ARRAYS | {"group", "config_type"} | {name for names in STANDARD_KEYS.values() for name in names}


@dataclass(frozen=True)
class Range:
    """Smallest, largest, mean and root mean square of `count` numbers."""

    count: int
    low: float
    high: float
    mean: float
    rms: float


@dataclass(frozen=True)
class ElementCount:
    """Of one element: structures and atoms that have it, and how many of these structures have each label."""

    structures: int
    atoms: int
    energy: int
    forces: int
    stress: int


@dataclass(frozen=True)
class LabelCensus:
    """What a list of structures holds.

    counts: structures with energy, forces, stress. elements: by symbol. ranges: `energy_per_atom` (eV), `forces` (components, eV/A),
    `stress` (components, GPa), `atoms` and `volume_per_atom` (A^3, where all three directions are periodic). pbc: "TTT" -> structures.
    groups: the column `group`, where there is one. unused: columns that no one reads -> structures that have them.
    """

    structures: int
    atoms: int
    counts: dict[str, int]
    elements: dict[str, ElementCount]
    ranges: dict[str, Range]
    pbc: dict[str, int]
    groups: dict[str, int]
    unused: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)

    def require(self, weights: Mapping[str, float | None]) -> None:
        """Raises DataError where a target with a weight above 0 ("energy", "forces", "stress") has no data at all."""
        for name, weight in weights.items():
            if weight and not self.counts.get(name, 0):
                near = [column for column in self.unused if name[:4] in column.lower()]
                hint = (
                    f"; columns with a similar name: {', '.join(near)} (name one with keys=)"
                    if near
                    else f"; set its weight to 0 or add {name}"
                )
                raise DataError(f"{name}: the weight is {weight:g}, but none of {self.structures} structures has this label{hint}")

    def text(self) -> str:
        """A table of a few lines for the terminal."""
        lines = [f"{self.structures} structures, {self.atoms} atoms, pbc {_listed(self.pbc)}"]
        lines += [f"  {name:<8}{self.counts[name]:>7} of {self.structures}" for name in QUANTITIES]
        lines.append("  element  structures    atoms   energy   forces   stress")
        for symbol, own in self.elements.items():
            lines.append(f"  {symbol:<7}{own.structures:>12}{own.atoms:>9}{own.energy:>9}{own.forces:>9}{own.stress:>9}")
        for name, unit in _RANGE_UNITS.items():
            if name in self.ranges:
                own_range = self.ranges[name]
                lines.append(f"  {name:<17}{own_range.low:>13.6g} .. {own_range.high:<12.6g} rms {own_range.rms:.6g} {unit}".rstrip())
        if self.groups:
            lines.append(f"  groups: {_listed(self.groups)}")
        if self.unused:
            lines.append(f"  columns kept but not used: {_listed(self.unused)}")
        return "\n".join(lines)


_RANGE_UNITS = {"energy_per_atom": "eV", "forces": "eV/A", "stress": "GPa", "atoms": "", "volume_per_atom": "A^3"}


def census(structures: Sequence[Atoms]) -> LabelCensus:
    """Counts the labels of structures. Raises DataError, naming the record, for a label that `labels_of` refuses."""
    labels = [labels_of(atoms, where=f"record {index}") for index, atoms in enumerate(structures)]
    return LabelCensus(
        structures=len(structures),
        atoms=sum(map(len, structures)),
        counts={name: sum(getattr(own, name) is not None for own in labels) for name in QUANTITIES},
        elements=_elements(structures, labels),
        ranges=_ranges(structures, labels),
        pbc=_sorted(Counter("".join("FT"[int(flag)] for flag in atoms.pbc) for atoms in structures)),
        groups=_sorted(Counter(group for atoms in structures if (group := group_of(atoms)))),
        unused=_sorted(Counter(name for atoms in structures for name in {*atoms.info, *atoms.arrays} - _USED)),
    )


def _elements(structures: Sequence[Atoms], labels: Sequence[Labels]) -> dict[str, ElementCount]:
    tallies: dict[int, Counter[str]] = {}
    for atoms, own in zip(structures, labels, strict=True):
        for number, amount in zip(*np.unique(atoms.numbers, return_counts=True), strict=True):
            tally = tallies.setdefault(int(number), Counter())
            tally.update({"structures": 1, "atoms": int(amount)})
            tally.update({name: 1 for name in QUANTITIES if getattr(own, name) is not None})
    names = ("structures", "atoms", *QUANTITIES)
    return {chemical_symbols[number]: ElementCount(**{name: tally[name] for name in names}) for number, tally in sorted(tallies.items())}


def _ranges(structures: Sequence[Atoms], labels: Sequence[Labels]) -> dict[str, Range]:
    pairs = list(zip(structures, labels, strict=True))
    columns = {
        "energy_per_atom": [np.array([own.energy / len(atoms)]) for atoms, own in pairs if own.energy is not None and len(atoms)],
        "forces": [own.forces.ravel() for own in labels if own.forces is not None],
        "stress": [EV_PER_A3_IN_GPA * own.stress.ravel() for own in labels if own.stress is not None],
        "atoms": [np.array([float(len(atoms))]) for atoms in structures],
        "volume_per_atom": [np.array([atoms.get_volume() / len(atoms)]) for atoms in structures if atoms.pbc.all() and len(atoms)],
    }
    return {name: _range(np.concatenate(parts)) for name, parts in columns.items() if sum(map(len, parts))}


def _range(values: Array) -> Range:
    rms = float(np.sqrt(np.mean(values**2)))
    return Range(len(values), float(values.min()), float(values.max()), float(values.mean()), rms)


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
