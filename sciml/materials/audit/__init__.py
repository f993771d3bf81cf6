"""Is this calculator safe to simulate with? Checks of any ASE calculator or potential: exact symmetries, derivatives, behaviour."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from sciml.errors import DataError
from sciml.materials.audit.continuity import continuity_rows
from sciml.materials.audit.physics import close_approach_row, compression_row, drift_row, force_row, loop_row, stress_row
from sciml.materials.audit.probe import CalculatorFault, Frame, Probe, chosen
from sciml.materials.audit.symmetry import symmetry_rows
from sciml.materials.audit.table import Audit
from sciml.materials.structure import as_atoms, one_or_many
from sciml.report.verdicts import Row

__all__ = ["Audit", "Row", "audit"]


def audit(calculator: Any, structures: Any, seed: int = 0) -> Audit:
    """Check an ASE calculator or a potential on up to three of `structures` (ASE or pymatgen), one of each kind first.

    Some 200 evaluations each. Structures are rattled by 0.05 A (perfect crystals have no forces) and cells of fewer than four atoms
    repeated; none is changed. Symmetries are judged relative to the interaction energy and the rms force, by limits of float64 or
    float32, whichever the calculator keeps (`Audit.precision`). What a calculator or a structure does not have is "not applicable", with
    the reason; a row that meets an error or NaN fails, with the reason. Raises DataError for an empty list, or a structure the calculator
    cannot evaluate.
    """
    frames_given = [as_atoms(structure) for structure in one_or_many(structures)]
    probe = Probe(calculator, seed)
    indices = chosen(frames_given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # atoms pushed together and alone are outside every training set: the table speaks instead
        first = [_finite_row(probe, frames_given, indices)]
        frames, faults = _frames(probe, frames_given, indices)
        if not frames:
            rows = [*first, Row.failed("forces against differences", "; ".join(faults))]
        else:
            rows = [*first, *_rows(probe, frames), *(Row.failed("finite values, rattled", fault) for fault in faults)]
    return Audit(probe.name, probe.precision, len(frames_given), tuple(indices), tuple(rows), probe.calls, seed)


def _rows(probe: Probe, frames: list[Frame]) -> list[Row]:
    probe.find_precision(frames)
    several = [frame for frame in frames if len(frame.work) > 1]
    subject = next((frame for frame in several if all(frame.work.pbc)), several[0] if several else None)
    checks: list[Callable[[], list[Row]]] = [
        lambda: symmetry_rows(probe, frames),
        lambda: [force_row(probe, frames), stress_row(probe, frames)],
        lambda: continuity_rows(probe, subject),
        lambda: [loop_row(probe, subject), drift_row(probe, subject)],
        lambda: [close_approach_row(probe, frames), compression_row(probe, frames)],
        lambda: [_repeat_row(probe, frames)],
    ]
    return [row for check in checks for row in check()]


def _finite_row(probe: Probe, structures: Sequence[Atoms], indices: list[int]) -> Row:
    """Energy, forces and stress are finite for the structures as given: perfect crystals and straight molecules have no slack."""
    name, raised = "finite values", []
    for index in indices:
        try:
            probe.evaluate(structures[index])
        except CalculatorFault as fault:
            if fault.__cause__ is not None:
                raise DataError(f"audit: structure {index} ({structures[index].get_chemical_formula()}): {fault}") from fault
            raised.append(f"structure {index}: {fault}")
    if raised:
        return Row.failed(name, "; ".join(raised))
    return Row(name, "pass", reason="energy, forces and stress of the structures as given")


def _frames(probe: Probe, structures: Sequence[Atoms], indices: list[int]) -> tuple[list[Frame], list[str]]:
    frames, faults = [], []
    for index in indices:
        try:
            frames.append(probe.frame(structures[index], index))
        except CalculatorFault as fault:
            faults.append(f"structure {index}, rattled: {fault}")
    return frames, faults


def _repeat_row(probe: Probe, frames: Sequence[Frame]) -> Row:
    """The first evaluations again, after all others: what a calculator remembers must not change what it says."""
    worst = 0.0
    try:
        for frame in frames:
            again = probe.evaluate(frame.work)
            energy = abs(again.energy - frame.base.energy) / frame.energy_scale
            worst = max(worst, energy, float(np.abs(again.forces - frame.base.forces).max(initial=0.0)) / frame.force_scale)
    except CalculatorFault as fault:
        return Row.failed("repeatability", str(fault))
    return Row.judged("repeatability", worst, probe.limit, "the first structures evaluated again at the end, relative")
