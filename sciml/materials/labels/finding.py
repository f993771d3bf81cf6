"""Labels of one structure: energy, forces, stress, wherever ASE or the writer of a file has put them, in eV, eV/A, eV/A^3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from sciml import units as sciml_units
from sciml.errors import DataError

Array = NDArray[np.float64]

STANDARD_KEYS = {
    "energy": ("free_energy", "energy"),  # the free energy is the one that forces derive from
    "forces": ("forces", "force"),
    "stress": ("stress",),
    "virial": ("virial", "virials"),
}
QUANTITIES = ("energy", "forces", "stress")
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class Labels:
    """Labels of one structure; None where it has none.

    energy: eV, total. forces: [N,3] eV/A, without constraints applied. stress: [3,3] symmetric, eV/A^3,
    sigma = (1/V) dE/d eps (tension positive).
    """

    energy: float | None = None
    forces: Array | None = None
    stress: Array | None = None


def labels_of(
    atoms: Atoms, *, keys: Mapping[str, str] | None = None, units: Mapping[str, str] | None = None, where: str = "structure"
) -> Labels:
    """Labels of a structure, looked for in its calculator's results, in `info` and in `arrays`.

    keys: names to read instead of the standard ones, as in {"energy": "REF_energy"}; units: as in {"stress": "-kBar"}, of what stands in
    the structure; where: how messages name the structure. `virial` = -V sigma becomes stress; where both are given they must agree
    within 1e-4 of the larger + 1e-6 eV/A^3. Raises DataError for a wrong shape, a NaN or infinite component, stale results (the atoms
    have moved since) or a contradiction.
    """
    columns = _columns(atoms, where)
    energy = _read(columns, "energy", keys, units, where)
    forces = _read(columns, "forces", keys, units, where)
    stress = _read(columns, "stress", keys, units, where)
    virial = _read(columns, "virial", keys, units, where)
    return Labels(
        energy=None if energy is None else _scalar(energy, where),
        forces=None if forces is None else _shaped(forces, (len(atoms), 3), "forces", where),
        stress=_joined_stress(atoms, stress, virial, where),
    )


def group_of(atoms: Atoms) -> str:
    """The group a structure belongs to: `info["group"]` or `info["config_type"]`, else empty."""
    return str(atoms.info.get("group", atoms.info.get("config_type", "")))


def has_labels(atoms: Atoms) -> bool:
    """Whether any of energy, forces and stress is known."""
    found = labels_of(atoms)
    return any(getattr(found, name) is not None for name in QUANTITIES)


def matrix_of(values: Array) -> Array:
    """[3,3] of Voigt-6 (xx yy zz yz xz xy), nine numbers or [3,3]."""
    if values.size == 6:
        matrix = np.empty((3, 3))
        for value, (row, column) in zip(values.ravel(), _VOIGT, strict=True):
            matrix[row, column] = matrix[column, row] = value
        return matrix
    return values.reshape(3, 3)


def voigt_of(stress: Array) -> Array:
    """Six components xx yy zz yz xz xy of a symmetric [3,3]."""
    return np.array([stress[index] for index in _VOIGT])


def _columns(atoms: Atoms, where: str) -> dict[str, Any]:
    """Everything a label may stand in: arrays, then info, then the calculator, which wins."""
    columns = {**atoms.arrays, **atoms.info}
    results = getattr(atoms.calc, "results", None)
    if not results:
        return columns
    changed = atoms.calc.check_state(atoms, tol=1e-8) if getattr(atoms.calc, "atoms", None) is not None else []
    if changed:
        raise DataError(
            f"{where}: the calculator's results belong to another state of the atoms (changed since: {', '.join(changed)}); "
            "compute the labels again or set atoms.calc = None"
        )
    return {**columns, **{name: value for name, value in results.items() if value is not None}}


def _read(
    columns: Mapping[str, Any], quantity: str, keys: Mapping[str, str] | None, unit_of: Mapping[str, str] | None, where: str
) -> Array | None:
    """The column of a quantity in our units, or None."""
    names = (keys[quantity],) if keys and quantity in keys else STANDARD_KEYS[quantity]
    name = next((each for each in names if columns.get(each) is not None), None)
    if name is None:
        return None
    try:
        values = np.asarray(columns[name], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}, field {name!r}: numbers are needed for {quantity}, found {columns[name]!r:.60}") from error
    if not np.isfinite(values).all():
        raise DataError(
            f"{where}, field {name!r}: {quantity} has a component that is NaN or infinite; leave the label out where it is not known"
        )
    if unit_of and quantity in unit_of:
        values = values * sciml_units.factor(quantity, unit_of[quantity])
    return values


def _scalar(values: Array, where: str) -> float:
    if values.size != 1:
        raise DataError(f"{where}, field 'energy': one number is needed, found an array of shape {values.shape}")
    return float(values.reshape(()) if values.ndim == 0 else values.ravel()[0])


def _shaped(values: Array, shape: tuple[int, ...], name: str, where: str) -> Array:
    if values.shape != shape:
        raise DataError(f"{where}, field {name!r}: shape {shape} is needed, found {values.shape}")
    return values


def _joined_stress(atoms: Atoms, stress: Array | None, virial: Array | None, where: str) -> Array | None:
    """[3,3] stress from what is given of stress and virial; both must agree."""
    from_stress = None if stress is None else _symmetric(stress, "stress", where)
    if virial is None:
        return from_stress
    if atoms.cell.rank < 3:
        raise DataError(f"{where}, field 'virial': a virial needs a cell with a volume, to become a stress")
    from_virial = -_symmetric(virial, "virial", where) / atoms.get_volume()
    if from_stress is None:
        return from_virial
    difference = np.abs(from_stress - from_virial).max()
    if difference > 1e-4 * max(np.abs(from_stress).max(), np.abs(from_virial).max()) + 1e-6:
        hint = (
            "it is +V times the stress: the sign differs"
            if np.allclose(from_stress, -from_virial, rtol=1e-3, atol=1e-6)
            else "state units="
        )
        raise DataError(
            f"{where}, field 'virial': -virial/V and stress differ by {difference:.3g} eV/A^3 ({hint}); virial = -V stress is right"
        )
    return from_stress


def _symmetric(values: Array, name: str, where: str) -> Array:
    if values.size not in (6, 9):
        raise DataError(f"{where}, field {name!r}: six numbers (xx yy zz yz xz xy), nine or 3 x 3 are needed, found shape {values.shape}")
    matrix = matrix_of(values)
    skew = np.abs(matrix - matrix.T).max()
    if skew > 0.05 * np.abs(matrix).max() + 1e-4:
        raise DataError(
            f"{where}, field {name!r}: the tensor is not symmetric (largest difference {skew:.3g}); check the order of its components"
        )
    return 0.5 * (matrix + matrix.T)
