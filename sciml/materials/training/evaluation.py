"""Errors of a finished potential on a test set: MAE and RMSE with bootstrap intervals, by group, and the pairs behind the parity plots."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from ase import Atoms

from sciml.materials.labels import group_of, labels_of, pulay_pressure
from sciml.materials.potential import VOIGT, Potential, Prediction
from sciml.materials.training.metrics import UNITS
from sciml.seeding import numpy_generator

BOOTSTRAPS, INTERVAL = 1000, (2.5, 97.5)
PARITY_ROWS = 200_000


@dataclass
class Parity:
    """Labels and predictions of one target, a row a number: `record` of the structure, `label`, `predicted`, `std` (NaN for one model)."""

    record: list[np.ndarray] = field(default_factory=list)
    label: list[np.ndarray] = field(default_factory=list)
    predicted: list[np.ndarray] = field(default_factory=list)
    std: list[np.ndarray] = field(default_factory=list)

    def add(self, record: int, label: np.ndarray, predicted: np.ndarray, std: np.ndarray | None) -> None:
        """Enter the numbers of one structure."""
        self.record.append(np.full(label.size, record))
        self.label.append(label.ravel())
        self.predicted.append(predicted.ravel())
        self.std.append(np.full(label.size, np.nan) if std is None else std.ravel())

    def columns(self) -> dict[str, np.ndarray]:
        """The four columns."""
        names = ("record", "label", "predicted", "std")
        return {name: np.concatenate(getattr(self, name)) if self.record else np.empty(0) for name in names}


@dataclass(frozen=True)
class TestResult:
    """Errors of a test set (`metrics`, JSON-able) and the columns of its parity plots by target, in the units of the metrics."""

    __test__ = False  # no test class
    metrics: dict[str, Any]
    parity: dict[str, dict[str, np.ndarray]]

    def parquet(self, target: str) -> bytes:
        """The parity columns of a target as a Parquet file; of very long ones 200,000 rows drawn at random, in their order."""
        columns, rows = self.parity[target], np.arange(len(self.parity[target]["label"]))
        if len(rows) > PARITY_ROWS:
            rows = np.sort(numpy_generator(0, "parity", target).choice(rows, PARITY_ROWS, replace=False))
        buffer = io.BytesIO()
        pa.parquet.write_table(pa.table({name: column[rows] for name, column in columns.items()}), buffer)
        return buffer.getvalue()


def evaluate(
    potential: Potential,
    pieces: Iterable[Sequence[Atoms]],
    *,
    excluded: Sequence[int] = (),
    pulay_eV_per_atom: Mapping[str, float] | None = None,
    seed: int = 0,
    device: str = "auto",
) -> TestResult:
    """Predict all structures and compare with their labels.

    `excluded`: records that are left out of a second set of figures, `independent` (copies of training structures). `pulay_eV_per_atom`:
    what training took off the stress labels (see `PulayStress`); the errors without it stand beside the others as `stress_less_pulay`.
    """
    parity, lowered = {name: Parity() for name in UNITS}, Parity()
    groups: list[str] = []
    for piece in pieces:
        for atoms, prediction in zip(piece, potential.predict(list(piece), device=device), strict=True):
            _compare(atoms, prediction, len(groups), parity)
            if pulay_eV_per_atom:
                _compare_less_pulay(atoms, prediction, len(groups), lowered, pulay_eV_per_atom)
            groups.append(group_of(atoms))
    columns = {name: own.columns() for name, own in parity.items()}
    everything = np.arange(len(groups))
    metrics: dict[str, Any] = {"structures": len(groups), "all": errors(columns, everything, seed)}
    if lowered.record:
        metrics["all"]["stress_less_pulay"] = errors({"stress": lowered.columns()}, everything, seed)["stress"]
    if excluded:
        metrics["independent"] = errors(columns, np.setdiff1d(everything, np.asarray(excluded)), seed)
    if len(set(groups)) > 1:
        names = np.array(groups)
        metrics["by_group"] = {name: errors(columns, np.flatnonzero(names == name), seed) for name in sorted(set(groups))}
    return TestResult(metrics, columns)


def _compare(atoms: Atoms, prediction: Prediction, record: int, parity: dict[str, Parity]) -> None:
    labels = labels_of(atoms, where=f"test set: record {record}")
    if labels.energy is not None:
        factor = UNITS["energy"][1] / len(atoms)
        std = None if prediction.energy_std is None else np.array([factor * prediction.energy_std])
        parity["energy"].add(record, np.array([factor * labels.energy]), np.array([factor * prediction.energy]), std)
    if labels.forces is not None:
        parity["forces"].add(record, labels.forces, prediction.forces, prediction.forces_std)
    if labels.stress is not None and prediction.stress is not None:
        factor = UNITS["stress"][1]
        parity["stress"].add(record, factor * labels.stress[VOIGT], factor * prediction.stress[VOIGT], None)


def _compare_less_pulay(atoms: Atoms, prediction: Prediction, record: int, parity: Parity, eV_per_atom: Mapping[str, float]) -> None:
    labels = labels_of(atoms, where=f"test set: record {record}")
    if labels.stress is not None and prediction.stress is not None:
        stress = labels.stress - pulay_pressure(eV_per_atom, atoms.numbers, atoms.get_volume()) * np.eye(3)
        factor = UNITS["stress"][1]
        parity.add(record, factor * stress[VOIGT], factor * prediction.stress[VOIGT], None)


def errors(columns: dict[str, dict[str, np.ndarray]], records: np.ndarray, seed: int) -> dict[str, Any]:
    """By target: mae, rmse, their 95 % intervals (bootstrap over structures), the label's rms about its mean, structures, unit."""
    result: dict[str, Any] = {}
    for name, own in columns.items():
        chosen = np.isin(own["record"], records)
        if not chosen.any():
            continue
        difference = own["predicted"][chosen] - own["label"][chosen]
        _, place = np.unique(own["record"][chosen], return_inverse=True)
        parts = (np.abs(difference), difference**2, np.ones_like(difference))
        sums = np.stack([np.bincount(place, part) for part in parts])  # [3, G]
        draws = numpy_generator(seed, "bootstrap", name).integers(sums.shape[1], size=(BOOTSTRAPS, sums.shape[1]))
        total, square, number = sums[:, draws].sum(2)  # [B] each
        result[name] = {
            "unit": UNITS[name][0],
            "structures": int(sums.shape[1]),
            "mae": float(sums[0].sum() / sums[2].sum()),
            "rmse": float(np.sqrt(sums[1].sum() / sums[2].sum())),
            "mae_interval": np.percentile(total / number, INTERVAL).tolist(),
            "rmse_interval": np.percentile(np.sqrt(square / number), INTERVAL).tolist(),
            "label_spread": float(own["label"][chosen].std()),
        }
    return result
