"""All checks of labels in one call, and the check of given stresses against those of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from sciml.errors import DataError
from sciml.materials.labels.census import census
from sciml.materials.labels.consistency import CHECK_ATOMS, Consistency, Slope, robust_slope
from sciml.materials.labels.copies import EQUIVALENT_EV_PER_ATOM, compare_sets, equivalent_groups, identical_groups, members
from sciml.materials.labels.factors import Factor, explain, known_factors, name_ratio
from sciml.materials.labels.finding import Labels, labels_of, voigt_of
from sciml.materials.labels.findings import Finding, LabelReport, listed
from sciml.materials.labels.increments import increments
from sciml.materials.labels.pulay import PulayStress, pulay_pressure, pulay_stress
from sciml.materials.labels.records import element_offsets, odd_records
from sciml.materials.labels.references import cohesive_findings, measure_beside, reference_findings

Evaluate = Callable[[Sequence[Atoms]], Sequence[Any]]
GROSS = {True: (0.95, 0.05), False: (0.6, 0.25)}  # least share explained, largest relative error of a slope
PRECISE, ROUGH = 0.2, 0.5  # tolerance in the logarithm of a ratio by increments, and by the linear model


@dataclass(frozen=True)
class Examination:
    """What is found in one list of structures; records held against a model; ratios of labels to what the others lead to expect."""

    findings: tuple[Finding, ...]
    examined: int
    ratios: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)


def check(
    structures: Sequence[Atoms],
    *,
    test: Sequence[Atoms] | None = None,
    weights: Mapping[str, float | None] | None = None,
    evaluate: Evaluate | None = None,
) -> LabelReport:
    """Census, scale and sign, Pulay stress, single odd records, element offsets, copies; with `test` also leakage.

    structures: labels as `labels_of` finds them. weights: targets that must have data. evaluate: a model, see `check_stress`.
    Identical structures are an error between `structures` and `test`, a warning within `structures`; equivalent ones are a note. Raises
    DataError for a label that cannot be read and for a weighted target without data.
    """
    counted = census(structures)
    counted.require(weights or {})
    labels = [labels_of(atoms, where=f"record {index}") for index, atoms in enumerate(structures)]
    found = examine(structures, labels, pulay_stress(structures, labels), test=test or [])
    findings = list(found.findings)
    if evaluate is not None:
        findings += check_stress(structures, evaluate)
    findings += _equivalent(structures)
    comparison = None
    if test is not None:
        findings += _unknown_elements(structures, test)
        comparison = compare_sets(structures, test)
        if comparison.identical:
            records = tuple(record for record, _ in comparison.identical)
            message = f"{comparison.text()} (test records {listed(records)})"
            findings.append(Finding("error", "leakage", message, records[:50]))
        elif comparison.equivalent:
            findings.append(Finding("note", "equivalent", comparison.text(), tuple(record for record, _ in comparison.equivalent)[:50]))
    return LabelReport(counted, tuple(findings), found.examined, found.ratios, comparison)


def examine(
    structures: Sequence[Atoms],
    labels: Sequence[Labels],
    pulay: PulayStress | None,
    *,
    test: Sequence[Atoms] = (),
    max_atoms: int = CHECK_ATOMS,
) -> Examination:
    """The checks of one list: scale and sign, single records, element offsets, identical copies.

    `pulay`: what `pulay_stress` says of it; it is named, and taken off first. `test`: its energies are held against those of the list.
    max_atoms: see `measure`.
    """
    whole = labels if pulay is None else [_without(pulay, atoms, own) for atoms, own in zip(structures, labels, strict=True)]
    measured, shift = measure_beside(structures, whole, test, max_atoms)
    findings, ratios = _scales(increments(structures, whole), measured, structures)
    copies = _identical(structures, labels)
    if measured is not None and not findings:
        odd = odd_records(measured.records, structures, _table(structures))
        named = any(finding.kind in ("energy-scale", "odd-energy") for finding in odd)
        findings += odd if named else element_offsets(measured.records, structures) or odd
    if pulay is not None:
        findings.append(Finding("note", "pulay-stress", pulay.text()))
    findings += cohesive_findings(structures, labels) + reference_findings(structures, labels)
    # two energies of one structure are said once, with both records
    told = {record for finding in copies if finding.kind == "contradiction" for record in finding.records}
    findings = [each for each in findings if each.kind != "odd-energy" or not set(each.records) <= told]
    return Examination((*findings, *copies, *shift), 0 if measured is None else len(measured.records), ratios)


def _unknown_elements(structures: Sequence[Atoms], test: Sequence[Atoms]) -> list[Finding]:
    """Elements of the test set that the training set does not have."""
    known = {int(number) for atoms in structures for number in atoms.numbers}
    strange = {index: {int(number) for number in atoms.numbers} - known for index, atoms in enumerate(test)}
    records = tuple(index for index, own in strange.items() if own)
    if not records:
        return []
    names = ", ".join(chemical_symbols[number] for number in sorted(set.union(*strange.values())))
    message = (
        f"{len(records)} of {len(test)} test records have elements that the training set lacks: {names} (test records {listed(records)})"
    )
    return [Finding("warning", "unknown-element", message, records[:50])]


def _without(pulay: PulayStress, atoms: Atoms, own: Labels) -> Labels:
    """Labels less the Pulay stress, which explains by itself what else would look like another unit."""
    if own.stress is None:
        return own
    return replace(own, stress=own.stress - pulay_pressure(pulay.eV_per_atom, atoms.numbers, atoms.get_volume()) * np.eye(3))


def check_stress(structures: Sequence[Atoms], evaluate: Evaluate) -> list[Finding]:
    """Given stresses against a model's: `evaluate(structures)` returns one stress each ([3,3] or Voigt-6, eV/A^3, tension positive), or
    an object with `.stress`, or None.

    A ratio near a known factor is named; a ratio that is none is a warning where the two are proportional (r2 > 0.9).
    """
    chosen = [atoms for atoms in structures if atoms.pbc.all() and labels_of(atoms).stress is not None]
    answers = [getattr(answer, "stress", answer) for answer in evaluate(chosen)] if chosen else []
    if len(answers) != len(chosen):
        raise DataError(f"evaluate: {len(chosen)} structures were given, {len(answers)} answers came back; one each is right")
    both = [(labels_of(atoms).stress, np.asarray(answer)) for atoms, answer in zip(chosen, answers, strict=True) if answer is not None]
    if not both:
        return []
    found = np.array([voigt_of(stress) for stress, _ in both if stress is not None])
    expected = np.array([voigt_of(answer) if answer.shape == (3, 3) else answer.ravel() for _, answer in both])
    slope = robust_slope(expected, found)
    if slope.r2 < 0.5 or (slope.ratio > 0 and abs(np.log(slope.ratio)) < ROUGH):
        return []
    factor = name_ratio("stress", slope.ratio, ROUGH, _table(chosen))
    if factor is None and slope.r2 < 0.9:
        return []
    text = factor.text if factor else "no unit that is known here explains it"
    return [
        Finding("warning", "stress-scale", f"the stress is {slope.ratio:.4g} times what the model gives ({len(both)} structures): {text}")
    ]


def _scales(near: Mapping[str, Slope], measured: Consistency | None, structures: Sequence[Atoms]) -> tuple[list[Finding], dict[str, float]]:
    """Findings about units and signs of whole columns, and the ratios by name (of labels to what the others lead to expect).

    The trial of hypotheses decides; where it cannot, the energy differences between neighbours do. What the one says and the other
    excludes is not said.
    """
    table = _table(structures)
    exact = [(name, "energy", slope.ratio, PRECISE + 3 * abs(slope.error / slope.ratio)) for name, slope in near.items()]
    ratios = {f"{upper}/{lower}": float(ratio) for upper, lower, ratio, _ in exact}
    if measured is not None:
        rough = {f"{name}/{measured.source}": slope.ratio for name, slope in measured.slopes.items() if slope.r2 > ROUGH}
        ratios = rough | ratios
    verdict = None if measured is None else measured.trial.verdict(_table(structures, typical=True), exact)
    told = ", ".join(f"{name} {ratio:.4g}" for name, ratio in ratios.items())
    gross = _gross(measured, exact, verdict is not None and verdict.certain)
    if verdict is None or (verdict.factors == () and (gross or not verdict.certain)):
        return _told(explain(exact + gross, table), (), table, f"ratios that should be 1: {told}"), ratios
    if verdict.factors == ():
        return [], ratios
    shares = ", ".join(f"{name} {100 * share:.2g} %" for name, share in verdict.shares.items())
    evidence = f"one model of all labels as they are leaves unexplained: {shares}" + (f"; ratios that should be 1: {told}" if told else "")
    if verdict.free is not None:
        quantity, factor = verdict.free
        message = (
            f"labels do not go together in scale or sign: {quantity} as if {factor:.2g} times too large, no unit known here ({evidence})"
        )
        return [Finding("warning", "scale", message)], ratios
    return _told(verdict.factors, verdict.rivals, table, evidence), ratios


def _gross(
    measured: Consistency | None, exact: Sequence[tuple[str, str, float, float]], certain: bool
) -> list[tuple[str, str, float, float]]:
    """Evidence of the model fitted to one kind of labels: another sign, or more than a factor of 8, where it explains the others.

    certain: whether one model explains all labels as they are; then it must explain nearly all.
    """
    if measured is None or measured.fit < 0.5:
        return []
    least, error = GROSS[certain]
    known = {item[:2] for item in exact}
    slopes = [(name, slope) for name, slope in measured.slopes.items() if slope.r2 > least and (name, measured.source) not in known]
    far = [(name, slope.ratio) for name, slope in slopes if not 1 / 8 < slope.ratio < 8 and slope.error < error * abs(slope.ratio)]
    return [(name, measured.source, ratio, ROUGH) for name, ratio in far]


def _told(reason: Sequence[Factor] | None, rivals_known: Sequence[Factor], table: Sequence[Factor], evidence: str) -> list[Finding]:
    """A finding for each wrong quantity; one of kind "scale" where no known factor is the reason (None)."""
    if reason is None:
        message = f"labels do not go together in scale or sign, and no known unit explains it ({evidence})"
        return [Finding("warning", "scale", message)]
    findings = []
    for each in reason:
        doubt = "".join(f"; or, nearly as well, {rival.quantity}: {rival.text}" for rival in rivals_known)
        findings.append(Finding("warning", f"{each.quantity}-scale", f"{each.quantity}: {each.text}{doubt} ({evidence})"))
    return findings


def _identical(structures: Sequence[Atoms], labels: Sequence[Labels]) -> list[Finding]:
    """Identical copies within one list; those with different energies are named as a contradiction and not again."""
    findings = []
    same, equal = members(identical_groups(structures)), []
    for group in same:
        energies = [labels[index].energy for index in group if labels[index].energy is not None]
        spread = np.ptp(np.array(energies, dtype=float)) / len(structures[group[0]]) if len(energies) > 1 else 0.0
        if spread > EQUIVALENT_EV_PER_ATOM:
            message = f"records {listed(group)} are the same structure, but their energies differ by {spread:.4g} eV an atom"
            findings.append(Finding("warning", "contradiction", message, group[:50]))
        else:
            equal.append(group)
    if equal:
        extra = sum(len(group) - 1 for group in equal)
        examples = "; ".join(" = ".join(map(str, group[:4])) for group in equal[:5])
        records = tuple(group[1] for group in equal)
        findings.append(
            Finding("warning", "identical", f"{extra} of {len(structures)} records are identical copies ({examples})", records[:50])
        )
    return findings


def _equivalent(structures: Sequence[Atoms]) -> list[Finding]:
    """Equivalent structures within one list that are not identical: a note."""
    findings = []
    alike = members(equivalent_groups(structures))
    known = {frozenset(group) for group in members(identical_groups(structures))}
    new = [group for group in alike if frozenset(group) not in known]
    if new:
        extra = sum(len(group) - 1 for group in new)
        message = f"{extra} of {len(structures)} records equal an earlier one up to rotation or symmetry; splits keep them together"
        findings.append(Finding("note", "equivalent", message, tuple(group[1] for group in new)[:50]))
    return findings


def _table(structures: Sequence[Atoms], typical: bool = False) -> list[Factor]:
    """Known factors, with those that depend on size where all structures are of about one size, or for a `typical` size."""
    sizes = np.array([len(atoms) for atoms in structures if len(atoms) > 1])
    volumes = np.array([atoms.get_volume() for atoms in structures if atoms.pbc.all()])
    if typical:
        return known_factors(*(float(np.median(values)) if len(values) else None for values in (sizes, volumes)))
    return known_factors(_common(sizes), _common(volumes))


def _common(values: Any) -> float | None:
    """The median where nine of ten values lie within 30 % of it."""
    if not len(values):
        return None
    middle = float(np.median(values))
    return middle if np.mean(np.abs(values / middle - 1) < 0.3) > 0.9 else None
