"""An ASE calculator around any object that predicts: energies, forces and stress by ASE's own conventions, cached by ASE itself."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes

from sciml.errors import ConfigError, DataError

__all__ = ["Evaluated", "Evaluates", "PotentialCalculator", "as_calculator"]

_VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])  # xx yy zz yz xz xy


class Evaluated(Protocol):
    """What one structure of N atoms evaluates to: energies in eV, forces in eV/A, stress in eV/A^3 (tension positive).

    `energies` [N] add up to `energy`; `stress` is [3,3], or None where it has no meaning; the last three are None for what does not know.
    """

    @property
    def energy(self) -> float:
        """Total energy in eV."""

    @property
    def energies(self) -> Any:
        """[N] eV."""

    @property
    def forces(self) -> Any:
        """[N, 3] eV/A."""

    @property
    def stress(self) -> Any | None:
        """[3, 3] eV/A^3, tension positive, or None."""

    @property
    def energy_std(self) -> float | None:
        """Spread of `energy` in eV, or None."""

    @property
    def forces_std(self) -> Any | None:
        """Spread of `forces` in eV/A, [N, 3], or None."""

    @property
    def in_domain(self) -> bool | None:
        """Whether training saw what is in the structure, or None."""


@runtime_checkable
class Evaluates(Protocol):
    """Anything with the evaluating method: structures in, one `Evaluated` each out."""

    def predict(self, structures: Sequence[Atoms], *, dtype: str = ..., device: str = ...) -> Sequence[Evaluated]:
        """Evaluate each structure."""


class PotentialCalculator(Calculator):
    """ASE calculator of a potential: `atoms.calc = PotentialCalculator(potential, dtype="float64")`.

    Results: `energy` = `free_energy` (eV), `energies` [N] (eV), `forces` [N,3] (eV/A), `stress` [6] (eV/A^3, tension positive, order
    xx yy zz yz xz xy; PropertyNotImplementedError unless all three directions are periodic). An ensemble adds `energy_std` and
    `forces_std`; what knows its training data adds `in_domain`, and a structure outside it is named in a warning, once a pair.
    Charges and magnetic moments change nothing, so ASE's cache ignores them. DataError for an empty structure or non-finite positions.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress"]
    ignored_changes: ClassVar[set[str]] = {"initial_charges", "initial_magmoms"}

    def __init__(self, potential: Evaluates, dtype: str = "float64", device: str = "auto") -> None:
        if not isinstance(potential, Evaluates):
            raise ConfigError(f"calculator: {type(potential).__name__} has no method predict; give a potential")
        super().__init__()
        self.potential, self.dtype, self.device = potential, dtype, device
        self._warned: set[str] = set()

    def calculate(
        self, atoms: Atoms | None = None, properties: Sequence[str] = ("energy",), system_changes: Sequence[str] = all_changes
    ) -> None:
        """Evaluate `atoms` and keep everything in `results`; called by ASE whenever the structure has changed."""
        super().calculate(atoms, properties, system_changes)
        if "stress" in properties and not all(self.atoms.pbc):
            raise PropertyNotImplementedError(f"stress needs three periodic directions, found pbc = {self.atoms.pbc.tolist()}")
        if len(self.atoms) == 0 or not np.isfinite(self.atoms.positions).all():
            raise DataError("calculator: the structure has no atoms or positions that are not finite")
        try:
            (prediction,) = self.potential.predict([self.atoms], dtype=self.dtype, device=self.device)
        except DataError as error:  # here it is the only structure; which one of the caller's it is, the caller knows
            raise type(error)(re.sub(r"^structure 0[:,] ", "", str(error))) from error
        self.results = _results(prediction, periodic=all(self.atoms.pbc))
        if prediction.in_domain is False:
            self._warn(prediction)

    def _warn(self, prediction: Evaluated) -> None:
        """Name the pairs of elements that the training data did not hold; the same ones once a calculator only."""
        pairs = ", ".join(getattr(prediction, "unseen", None) or _unseen_pairs(self.potential, self.atoms))
        if pairs and pairs not in self._warned:
            self._warned.add(pairs)
            message = f"outside the training data: the pairs {pairs} within the cut-off did not occur in training"
            warnings.warn(f"{message}; energies and forces may be wrong", UserWarning, stacklevel=2)


def as_calculator(calculator: Any, dtype: str = "float64") -> Calculator:
    """The ASE calculator of `calculator`: itself if it is one, else the one of a potential. ConfigError for anything else."""
    if not isinstance(calculator, Atoms) and (hasattr(calculator, "get_property") or hasattr(calculator, "get_potential_energy")):
        return calculator
    if isinstance(calculator, Evaluates):
        return PotentialCalculator(calculator, dtype)
    raise ConfigError(f"calculator: found {type(calculator).__name__}, expected an ASE calculator or a potential with a method predict")


def _results(prediction: Evaluated, *, periodic: bool) -> dict[str, Any]:
    energy = float(prediction.energy)
    results: dict[str, Any] = {
        "energy": energy,
        "free_energy": energy,
        "energies": _array(prediction.energies),
        "forces": _array(prediction.forces),
    }
    if periodic and prediction.stress is not None:
        results["stress"] = _array(prediction.stress)[_VOIGT]
    if prediction.energy_std is not None:
        results["energy_std"] = float(prediction.energy_std)
    if prediction.forces_std is not None:
        results["forces_std"] = _array(prediction.forces_std)
    if prediction.in_domain is not None:
        results["in_domain"] = bool(prediction.in_domain)
    return results


def _array(values: Any) -> np.ndarray:
    """A float64 copy; torch tensors included."""
    return np.array(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)


def _unseen_pairs(potential: Any, atoms: Atoms) -> list[str]:
    """Pairs of elements within the cut-off of `potential` that its `pairs_seen` lacks, as "Cu-Si"; empty where it does not say."""
    seen, cutoff = getattr(potential, "pairs_seen", None), getattr(potential, "cutoff_A", None)
    if seen is None or cutoff is None:
        return []
    from ase.data import chemical_symbols
    from ase.neighborlist import neighbor_list

    i, j = neighbor_list("ij", atoms, float(cutoff))
    here = {frozenset(pair) for pair in zip(atoms.numbers[i].tolist(), atoms.numbers[j].tolist(), strict=True)}
    known = {frozenset(_number(item) for item in pair) for pair in seen}
    return sorted("-".join(sorted(chemical_symbols[z] for z in (tuple(pair) * 2)[:2])) for pair in here - known)


def _number(element: str | int) -> int:
    from ase.data import atomic_numbers

    return atomic_numbers[element] if isinstance(element, str) else int(element)
