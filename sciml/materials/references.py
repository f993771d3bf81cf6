"""Reference energies: what a single atom of each element is worth, and where the number comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols


@dataclass(frozen=True)
class References:
    """Energies of single atoms that are added to the network's energy."""

    species: tuple[int, ...]
    energies: tuple[float, ...]
    """eV, one for each element."""
    origin: tuple[str, ...]
    """`isolated` (an atom of the data alone in space), `given`, or `fitted` (least squares over compositions)."""
    rank: int
    """How many of the fitted energies the data determine; with a lower rank than their number the solution of minimum norm is taken."""

    @classmethod
    def fit(
        cls,
        species: Sequence[int],
        counts: np.ndarray,
        energies: np.ndarray,
        isolated: np.ndarray | None = None,
        given: Mapping[str | int, float] | None = None,
    ) -> References:
        """From compositions [n, S] (atoms of each of `species`), total energies [n] in eV (NaN: no label) and flags of isolated atoms [n].

        Isolated atoms come first, then `given` (by symbol or number), then least squares (minimum norm) on what these leave.
        """
        counts, energies = np.asarray(counts, float), np.asarray(energies, float)
        known = np.isfinite(energies)
        alone = known & (np.zeros(len(energies), bool) if isolated is None else np.asarray(isolated, bool))
        stated = {atomic_numbers[k] if isinstance(k, str) else int(k): float(v) for k, v in (given or {}).items()}
        values, origin = np.zeros(len(species)), ["fitted"] * len(species)
        for k, z in enumerate(species):
            rows = alone & (counts[:, k] == 1) & (counts.sum(1) == 1)
            if rows.any():
                values[k], origin[k] = energies[rows].mean(), "isolated"
            elif z in stated:
                values[k], origin[k] = stated[z], "given"
        free = np.array([o == "fitted" for o in origin], bool)
        rank = 0
        rows = known & ~alone
        if free.any() and rows.any():
            rest = energies[rows] - counts[rows][:, ~free] @ values[~free]
            values[free], _, rank, _ = np.linalg.lstsq(counts[rows][:, free], rest, rcond=1e-10)
        return cls(tuple(map(int, species)), tuple(map(float, values)), tuple(origin), int(rank))

    def __getitem__(self, element: str | int) -> float:
        """Energy in eV of an element, by symbol or atomic number."""
        return self.energies[self.species.index(atomic_numbers[element] if isinstance(element, str) else element)]

    def to_dict(self) -> dict[str, Any]:
        """By symbol: energy in eV and origin; and the rank of the fit."""
        rows = zip(self.species, self.energies, self.origin, strict=True)
        return {
            "elements": {chemical_symbols[z]: {"energy": e, "origin": o} for z, e, o in rows},
            "rank": self.rank,
            "fitted": self.origin.count("fitted"),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> References:
        """Inverse of `to_dict`."""
        rows = {atomic_numbers[symbol]: row for symbol, row in values["elements"].items()}
        order = sorted(rows)
        return cls(
            tuple(order), tuple(float(rows[z]["energy"]) for z in order), tuple(rows[z]["origin"] for z in order), int(values["rank"])
        )
