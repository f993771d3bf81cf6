"""The report of a training run, made from its folder: what was run, its data, learning curves, errors on the test set, audit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from ase import Atoms

from sciml import files
from sciml.errors import DataError
from sciml.materials.audit import Audit, audit
from sciml.materials.labels import Finding, LabelReport, group_of
from sciml.materials.potential import Potential
from sciml.materials.run_figures import Curve, Parity, curve_figures, parity_figures, uncertainty_figures
from sciml.report import KeyFigure, KeyFigures, Section, Structure3D, Table, Text, write_report

__all__ = ["RunRecord", "audit_in_time", "run_facts", "run_sections", "write_run_report"]

_log = logging.getLogger("sciml.materials.run_report")
AUDIT_EVALUATIONS, AUDIT_SECONDS = 300, 60.0
SHOWN_UNITS = {"meV_per_atom": "meV/atom", "eV_per_A": "eV/Å", "GPa": "GPa"}


@dataclass(frozen=True)
class RunRecord:
    """What a run folder holds: its JSON files, learning curve [one dict a line] and parity columns by target (empty without a test set)."""

    manifest: Mapping[str, Any]
    census: Mapping[str, Any]
    budget: Mapping[str, Any]
    metrics: Mapping[str, Any]
    curve: Curve
    parity: Parity = field(default_factory=dict)

    @classmethod
    def read(cls, folder: str | Path) -> RunRecord:
        """Read the folder of a finished run. Raises DataError, naming the file, where one is missing or damaged."""
        place = Path(folder)
        manifest = files.read_manifest(place)
        if manifest.get("kind") != "training":
            raise DataError(f"{place}: manifest.json, kind: found {manifest.get('kind')!r}, expected 'training'")
        census, budget, metrics = (files.read_json(place / f"{name}.json") for name in ("census", "budget", "metrics"))
        return cls(manifest, census, budget, metrics, _curve(place), _parity(place))

    @property
    def test(self) -> Mapping[str, Any] | None:
        """Errors on the test set by part ("all", "independent", "by_group"), None without a test set."""
        found: Mapping[str, Any] | None = self.metrics.get("test")
        return found


def write_run_report(
    folder: str | Path, potential: Potential, structures: Sequence[Atoms], *, title: str = "", seed: int = 0, device: str = "auto"
) -> Path:
    """Write `report.html` and its data into the run folder; returns the page's path.

    `structures`: the test set in the order of its file (or training structures where there is none): groups, the worst structure and
    the structure of the audit are taken from them. The audit is left out, and that is said, where it would take longer than a minute.
    """
    record = RunRecord.read(folder)
    found = audit_in_time(potential, structures, seed=seed, device=device) if len(structures) else "no structure to audit was at hand."
    sections = run_sections(record, structures if record.test is not None else (), found)
    path = write_report(sections, Path(folder) / "report.html", title=title or f"Training of {Path(folder).name}", run=run_facts(record))
    _log.info("the report lies in %s", path)
    return path


def audit_in_time(
    potential: Potential, structures: Sequence[Atoms], *, seconds: float = AUDIT_SECONDS, seed: int = 0, device: str = "auto"
) -> Audit | str:
    """The audit of a potential on the smallest of `structures`, or a sentence that says why it was left out: it would take too long."""
    smallest = min(structures, key=lambda atoms: (len(atoms) < 2, len(atoms)))
    potential.predict(smallest, dtype="float64", device=device)  # the first call builds what is used later
    begun = perf_counter()
    potential.predict(smallest, dtype="float64", device=device)
    expected = AUDIT_EVALUATIONS * (perf_counter() - begun)
    if expected > seconds:
        return f"not run: about {expected:.0f} s are expected, more than {seconds:.0f}; `sciml materials audit` runs it."
    return audit(potential.calculator(device=device), smallest, seed=seed)


def run_facts(record: RunRecord) -> dict[str, Any]:
    """What was run, for the head of the page: plain facts, then configuration and versions as parts that open."""
    config = record.manifest["config"]
    model = config["model"]
    return {
        "model": f"{model['kind']}, cut-off {model['cutoff_A']} Å",
        "steps": record.budget["steps"],
        "seed": record.manifest["seed"],
        "date": str(record.manifest["date"]).replace("T", " ").replace("+00:00", " UTC"),
        "training structures": f"{config['train_structures']} (+ {config['valid_structures']} for validation)",
        "data digest (SHA-256)": config["train_digest"],
        "configuration": {name: value for name, value in config.items() if not name.endswith("digest")}
        | {"budget": dict(record.budget), "data": record.manifest.get("data")},
        "versions": dict(record.manifest["versions"]),
    }


def run_sections(
    record: RunRecord, structures: Sequence[Atoms] = (), found: Audit | str = "", checked: LabelReport | None = None
) -> list[Section]:
    """The sections of a run's report.

    `structures`: the test set in order, or empty; `found`: an audit, or why there is none; `checked`: what the checks of labels found.
    """
    groups = [group_of(atoms) for atoms in structures]
    sections = [Section("", [overview(record, found)])]
    if record.test is not None:
        worst = worst_structure(record, structures)
        spread = uncertainty_figures(record.parity)
        lead = "The spread of the members' predictions (standard deviation, ddof = 1), uncalibrated."
        sections.append(test_section(record, groups))
        sections += [Section("Predicted uncertainty", spread, lead)] if spread else []
        sections += [Section("Worst structure", [worst], "The test structure with the largest force errors.")] if worst else []
    sections += found.to_sections() if isinstance(found, Audit) else [Section("Audit", [Text(f"Audit: {found}", tone="warn")])]
    data = Section("Data", [*census_blocks(record.census), *pulay_blocks(record), *([] if checked is None else check_blocks(checked))])
    labels = label_section(record) if checked is None else []
    return [*sections, training_section(record), *labels, data]


def overview(record: RunRecord, found: Audit | str) -> KeyFigures:
    """The strip of key figures: test errors (validation errors without a test set), and the verdict of the audit."""
    strip = [
        KeyFigure(
            f"{name.replace('_', ' ')} RMSE",
            row["rmse"],
            SHOWN_UNITS[row["unit"]],
            f"95 %: {_interval(row['rmse_interval'])}; {row['structures']} test structures",
        )
        for name, row in (record.test or {}).get("all", {}).items()
    ]
    first = next(iter(record.metrics.get("validation") or []), None) or {}
    if not strip:
        names = {"energy_rmse_meV_per_atom": "meV/atom", "forces_rmse_eV_per_A": "eV/Å", "stress_rmse_GPa": "GPa"}
        strip = [
            KeyFigure(key.partition("_")[0] + " RMSE", first[key], unit, "validation set") for key, unit in names.items() if first.get(key)
        ]
    if isinstance(found, Audit):
        failed = [row.name for row in found.table if row.verdict == "fail"]
        note = "failed: " + ", ".join(failed) if failed else f"{len(found.table)} checks, limits of {found.precision}"
        return KeyFigures(
            [*strip, KeyFigure("audit", "passed" if found.passed else "not passed", "", note, "good" if found.passed else "bad")]
        )
    return KeyFigures([*strip, KeyFigure("audit", "not run", "", "", "warn")])


def label_section(record: RunRecord) -> list[Section]:
    """What the checks of labels that training made say; nothing for a run that has none."""
    if "labels" not in record.metrics:
        return []
    found = record.metrics["labels"]
    if found is None:
        text = "The labels of the training set were not checked; `sciml materials check FILE` checks them."
        return [Section("Labels", [Text(text, tone="warn")])]
    findings = tuple(Finding(each["level"], each["kind"], each["message"], tuple(each["records"])) for each in found["findings"])
    return [
        Section("Labels", finding_blocks(findings, found["examined"]), "Units, signs, odd records, offsets and copies in the training set.")
    ]


def pulay_blocks(record: RunRecord) -> list[Text]:
    """What training took off the stress labels, in a sentence."""
    shares = ", ".join(f"{symbol} {value:+.3f} eV" for symbol, value in (record.metrics.get("pulay_eV_per_atom") or {}).items())
    told = "A Pulay stress was taken off the stress labels, which contradict the energies of strained cells"
    return [Text(f"{told}; an atom over the volume: {shares}.", tone="warn")] if shares else []


def census_blocks(census: Mapping[str, Any]) -> list[Table | Text]:
    """The label census of the training set as tables: labels by element, groups, columns nobody read."""
    counts = ", ".join(f"{name} {number}" for name, number in census["counts"].items())
    blocks: list[Table | Text] = [
        Text(f"{census['structures']} structures with {census['atoms']:,} atoms. Structures that carry a label: {counts}.")
    ]
    order = ("structures", "atoms", "energy", "forces", "stress")
    elements = [{"element": symbol, **{key: row[key] for key in order}} for symbol, row in census.get("elements", {}).items()]
    if elements:
        blocks.append(
            Table.from_rows("labels by element", elements, caption="Structures that have the element, and of these those with each label.")
        )
    units = {"energy_per_atom": "eV", "forces": "eV/Å", "stress": "GPa", "volume_per_atom": "Å³", "atoms": ""}
    order = ("low", "high", "mean", "rms", "count")
    ranges = [
        {"quantity": name.replace("_", " "), "unit": units.get(name, ""), **{key: _chopped(row[key], row["rms"]) for key in order}}
        for name, row in census.get("ranges", {}).items()
    ]
    if ranges:
        blocks.append(Table.from_rows("ranges", ranges, caption="Forces and stress by component; stress with tension positive."))
    for name, text in (("groups", "Groups: {}."), ("unused", "Columns kept but not used: {}.")):
        if census.get(name):
            blocks.append(Text(text.format(", ".join(f"{key} ({number})" for key, number in census[name].items()))))
    return blocks


def check_blocks(checked: LabelReport) -> list[Table | Text]:
    """What the checks of units, signs, odd records, copies and leakage found."""
    return finding_blocks(checked.findings, checked.examined)


def finding_blocks(findings: Sequence[Finding], examined: int) -> list[Table | Text]:
    """A sentence, and a table of the findings where there are some."""
    tone = "good" if all(finding.level == "note" for finding in findings) else "warn"
    blocks: list[Table | Text] = [Text(f"Checks of labels: {examined} records held against each other, {_verdict(findings)}", tone)]
    if findings:
        columns = {name: [getattr(finding, name) for finding in findings] for name in ("level", "kind", "message")}
        blocks.append(Table("checks of labels", columns, tones={"error": "bad", "warning": "warn", "note": ""}))
    return blocks


def _chopped(value: float, scale: float) -> float:
    """Zero where a sum of numbers of this scale has nothing but rounding left."""
    return 0.0 if abs(value) < 1e-9 * abs(scale) else value


def _verdict(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level == level for finding in findings) for level in ("error", "warning", "note")}
    return ", ".join(f"{number} {level}{'s' * (number != 1)}" for level, number in counts.items()) + "."


def training_section(record: RunRecord) -> Section:
    """Learning curves of all members."""
    seconds = sum({line["member"]: line.get("seconds", 0.0) for line in record.curve}.values())
    missing = record.metrics.get("without_validation")
    kept = "the weights with the lowest validation loss (running means) are kept."
    if missing:
        kept = f"{missing}. The running means of the weights at the end are kept."
    lead = f"{record.budget['steps']} steps a member, {seconds:.0f} s; {kept}"
    return Section("Training", curve_figures(record.curve), lead)


def test_section(record: RunRecord, groups: Sequence[str]) -> Section:
    """Parity plots, errors with intervals, errors without copies of training structures, errors by group."""
    found = record.test or {}
    parts = {"all": "all", "independent": "without copies"}
    rows = [{"set": text, **_row(name, row)} for part, text in parts.items() for name, row in found.get(part, {}).items()]
    caption = "Intervals: 95 %, bootstrap over structures. Copies: equal to a training structure up to rotation or symmetry."
    blocks: list[Any] = parity_figures(record.parity, groups)
    blocks.append(Table.from_rows("errors on the test set", rows, digits=3, caption=caption))
    if found.get("by_group"):
        blocks.append(
            Table.from_rows("errors by group", _group_rows(found["by_group"]), digits=3, caption="RMSE of each group of the test set.")
        )
    copies = found.get("structures", 0) - max((row["structures"] for row in found.get("independent", {}).values()), default=0)
    lead = f"{found.get('structures', 0)} structures that were not trained on; read once, at the end."
    if found.get("independent"):
        lead += f" {copies} of them equal a training structure up to rotation or symmetry: the table has the errors without them too."
    if "stress_less_pulay" in found.get("all", {}):
        lead += (
            " The stress labels have a Pulay stress, which contradicts the energies and was taken off in training (see Data); the table has"
        )
        lead += " the errors against the labels as they are (stress) and without it (stress less pulay)."
    return Section("Test set", blocks, lead)


def worst_structure(record: RunRecord, structures: Sequence[Atoms]) -> Structure3D | None:
    """The test structure with the largest rms force error; None without structures or forces."""
    columns = record.parity.get("forces")
    if columns is None or not len(structures):
        return None
    place = np.asarray(columns["record"], dtype=np.int64)
    square = (np.asarray(columns["predicted"]) - np.asarray(columns["label"])) ** 2
    sums, numbers = np.bincount(place, square), np.bincount(place)
    errors = np.sqrt(sums / np.maximum(numbers, 1))
    worst = int(np.argmax(errors))
    if worst >= len(structures):
        return None
    atoms = structures[worst]
    group = f", group {group_of(atoms)}" if group_of(atoms) else ""
    caption = f"Record {worst} of the test set: {atoms.get_chemical_formula()}{group}; force RMSE {errors[worst]:.3g} eV/Å."
    cell = atoms.cell.array if atoms.pbc.any() else None
    return Structure3D.from_arrays("worst structure", atoms.get_chemical_symbols(), atoms.positions, cell, caption)


def _row(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    figures = {
        "MAE": row["mae"],
        "MAE, 95 %": _interval(row["mae_interval"]),
        "RMSE": row["rmse"],
        "RMSE, 95 %": _interval(row["rmse_interval"]),
    }
    return {
        "target": name.replace("_", " "),
        "unit": SHOWN_UNITS[row["unit"]],
        **figures,
        "spread of the labels": row["label_spread"],
        "structures": row["structures"],
    }


def _group_rows(groups: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name, targets in groups.items():
        errors = {f"{target} ({SHOWN_UNITS[row['unit']]})": row["rmse"] for target, row in targets.items()}
        rows.append({"group": name or "(none)", "structures": max((row["structures"] for row in targets.values()), default=0), **errors})
    return rows


def _interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:.3g} – {ends[1]:.3g}"


def _curve(place: Path) -> Curve:
    import json

    path = place / "learning_curve.jsonl"
    try:
        return [json.loads(line) for line in files.read_lines(path)] if path.is_file() else []
    except ValueError as error:
        raise DataError(f"{path}: not JSON lines ({error})") from error


def _parity(place: Path) -> dict[str, dict[str, np.ndarray]]:
    import pyarrow
    import pyarrow.parquet

    found = {}
    for name in ("energy", "forces", "stress"):
        path = place / f"parity-{name}.parquet"
        if path.is_file():
            try:
                table = pyarrow.parquet.read_table(path)
            except (pyarrow.ArrowException, OSError) as error:
                raise DataError(f"{path}: not a Parquet file, or damaged: {error}") from error
            found[name] = {column: table.column(column).to_numpy() for column in table.column_names}
    return found
