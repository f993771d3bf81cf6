"""Labels of a record: energy, forces and stress by their names or the caller's, in eV, eV/A, eV/A^3; all other columns stay what they
are.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from sciml import units as sciml_units
from sciml.errors import ConfigError, DataError
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import Place, shorten
from sciml.materials.labels.finding import matrix_of, voigt_of

__all__ = ["LabelReader"]

NAMES = {"energy": ("free_energy", "energy"), "forces": ("forces", "force"), "stress": ("stress",), "virial": ("virial", "virials")}
_STANDARD = {name: quantity for quantity, names in NAMES.items() for name in names}
_QUANTITIES = ("energy", "forces", "stress", "virial")
SKEW = 0.05
"""Largest antisymmetric part of a stress, relative to its largest component, that is taken for noise."""


class LabelReader:
    """Reads the labels of record after record and remembers which of the caller's keys were found."""

    def __init__(
        self, path: str, keys: Mapping[str, str] | None = None, units: Mapping[str, str] | None = None, fixed_units: bool = False
    ) -> None:
        self.path, self.keys = path, dict(keys or {})
        wrong = [name for name, column in self.keys.items() if not isinstance(column, str)]
        if wrong:
            raise ConfigError(f"keys: {wrong[0]}: expected the name of a column, found {self.keys[wrong[0]]!r}")
        if units and fixed_units:
            raise ConfigError(f"units: {path} states its own units (OUTCAR, vasprun.xml), which are converted already; leave units= out")
        self.factors = {quantity: sciml_units.factor(quantity, unit) for quantity, unit in (units or {}).items()}
        if "energy" in self.factors:
            self.factors.setdefault("virial", abs(self.factors["energy"]))
        self.seen: dict[str, None] = {}
        self.found: set[str] = set()

    def read(self, record: Record, place: Place) -> dict[str, Any]:
        """Results for a calculator: energy and free_energy (eV), forces [N,3] (eV/A), stress [6] (eV/A^3, xx yy zz yz xz xy), each
        where it is known, and what the source calls a result beside these. Takes what it reads out of the record's `info` and
        `arrays`; a standard column that is not the label (because the caller named another, or a free energy stands beside it) is
        kept as `unused_...`. DataError names record and field.
        """
        self.seen |= dict.fromkeys((*record.info, *record.arrays, *record.results))
        self._scale_lengths(record)
        count = len(record.numbers)
        results: dict[str, Any] = {}
        taken = {quantity: self._take(quantity, record, place) for quantity in _QUANTITIES}
        self._rename(record)
        if taken["energy"] is not None:
            results["energy"] = results["free_energy"] = self._numbers(taken["energy"], "energy", (), place)
        if taken["forces"] is not None:
            results["forces"] = self._numbers(taken["forces"], "forces", (count, 3), place)
        stress = self._stress(taken["stress"], taken["virial"], record, place)
        if stress is not None:
            results["stress"] = stress
        return {name: value for name, value in record.results.items() if name not in _STANDARD and value is not None} | results

    def finish(self, records: int) -> None:
        """After the last record: DataError for a key that the caller named and no record has, with what is near."""
        for quantity, column in self.keys.items():
            if column not in self.found:
                near = difflib.get_close_matches(column, list(self.seen), n=3, cutoff=0.5)
                near = near or [name for name in self.seen if quantity[:4] in name.lower()][:3]
                hint = (
                    f"did you mean {' or '.join(map(repr, near))}?"
                    if near
                    else f"columns found: {', '.join(sorted(self.seen)[:20]) or 'none'}"
                )
                raise DataError(f"{self.path}: {quantity}: none of {records} records has the column {column!r} that keys= names; {hint}")

    def _scale_lengths(self, record: Record) -> None:
        if "length" in self.factors:
            record.positions = record.positions * self.factors["length"]
            record.cell = record.cell * self.factors["length"]

    def _take(self, quantity: str, record: Record, place: Place) -> tuple[str, Any] | None:
        """(column, value) of a quantity, removed from the record; the same column in two places must agree."""
        named = self.keys.get(quantity)
        for wanted in (named,) if named is not None else NAMES[quantity]:
            values = []
            for columns in (record.results, record.info, record.arrays):
                for key in [key for key in columns if key == wanted or (named is None and key.lower() == wanted)]:
                    if columns[key] is not None:
                        values.append((key, columns[key]))
                    del columns[key]
            if named is not None and values:
                self.found.add(named)
            for key, value in values[1:]:
                self._compare(values[0], (key, value), quantity, place)
            if values:
                return values[0]
        return None

    def _compare(self, first: tuple[str, Any], second: tuple[str, Any], quantity: str, place: Place) -> None:
        """Redundant labels must be the same to 1e-6."""
        one, two = (np.asarray(value).ravel() for _, value in (first, second))
        if one.shape != two.shape or one.dtype.kind not in "if" or not np.allclose(one, two, rtol=1e-6, atol=1e-8, equal_nan=True):
            found = f"{shorten(str(first[1]))} as {first[0]!r} and {shorten(str(second[1]))} as {second[0]!r}"
            raise place.fault(quantity, f"given twice, {found}", f"one value, or keys={{{quantity!r}: ...}}")

    def _rename(self, record: Record) -> None:
        """Standard columns that are not the label, out of the way; the caller's further columns under the caller's names."""
        for columns in (record.info, record.arrays, record.results):
            for key in [key for key in columns if key.lower() in _STANDARD]:
                value = columns.pop(key)
                target = record.info if columns is record.results else columns
                target[f"unused_{key}"] = value
        for name, column in self.keys.items():
            for columns in (record.info, record.arrays, record.results) if name not in _QUANTITIES else ():
                if column in columns:
                    self.found.add(column)
                    columns[name] = columns.pop(column)

    def _numbers(self, taken: tuple[str, Any], quantity: str, shape: tuple[int, ...], place: Place) -> Any:
        """Finite numbers of the shape, in our units: a float for shape ()."""
        column, value = taken
        array = np.asarray(value)
        if array.dtype.kind not in "if":
            raise place.fault(column, f"found {shorten(str(value))}", f"{quantity} as a number" if not shape else f"{quantity} as numbers")
        if array.size == 1 and shape == ():
            array = array.reshape(())
        if array.shape != shape:
            raise place.fault(column, f"shape {list(array.shape)}", f"shape {list(shape)} for {quantity}")
        if not np.isfinite(array).all():
            raise place.fault(column, "a component is NaN or infinite", "finite numbers; leave the label out where it is not known")
        scaled = array.astype(float) * self.factors.get(quantity, 1.0)
        return float(scaled) if shape == () else scaled

    def _stress(self, stress: tuple[str, Any] | None, virial: tuple[str, Any] | None, record: Record, place: Place) -> Array | None:
        """Stress [6]; virial = -V stress. Without three periodic directions neither is a label, and both are kept as unused columns."""
        if not record.pbc.all():
            for taken in (stress, virial):
                if taken is not None:
                    record.info[f"unused_{taken[0]}"] = taken[1]
            return None
        given = None if stress is None else self._tensor(stress, "stress", place)
        if virial is None:
            return None if given is None else voigt_of(given)
        volume = abs(float(np.linalg.det(record.cell)))
        if not volume > 0:
            raise place.fault(virial[0], "a virial, and a cell without volume", "a cell with a volume")
        other = -self._tensor(virial, "virial", place) / volume
        if given is not None:
            limit = 1e-4 * max(float(np.abs(given).max()), float(np.abs(other).max())) + 1e-6
            difference = float(np.abs(given - other).max())
            if difference > limit:
                opposite = np.abs(given + other).max() <= limit
                found = f"-virial/V and {stress[0] if stress else 'stress'} differ by {difference:.3g} eV/A^3"
                raise place.fault(virial[0], found + (" (it is +V times the stress: the sign)" if opposite else ""), "virial = -V stress")
        return voigt_of(other if given is None else given)

    def _tensor(self, taken: tuple[str, Any], quantity: str, place: Place) -> Array:
        """[3,3] of six (xx yy zz yz xz xy) or nine numbers."""
        size = np.asarray(taken[1]).size
        if size not in (6, 9):
            raise place.fault(taken[0], f"{size} components", "six (xx yy zz yz xz xy) or nine")
        values = self._numbers((taken[0], np.asarray(taken[1]).ravel()), quantity, (size,), place)
        matrix = matrix_of(values)
        if np.abs(matrix - matrix.T).max() > SKEW * np.abs(matrix).max() + 1e-4 * abs(self.factors.get(quantity, 1.0)):
            raise place.fault(taken[0], "the tensor is not symmetric", "a symmetric tensor; check the order of its components")
        return 0.5 * (matrix + matrix.T)
