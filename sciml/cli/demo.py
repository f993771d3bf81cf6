"""`sciml demo`: from real DFT data to an audited potential and its report, by public calls only."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from sciml.cli.terminal import Device, Json, Quiet, Seed, Threads, Verbose, command, emit

__all__ = ["demo"]

OutFolder = Annotated[Path | None, typer.Option("--out", help="Folder of the run; default runs/demo-DATE-TIME.")]
Quick = Annotated[bool, typer.Option("--quick", help="A few seconds: few structures, few steps, a model that has learned little.")]


@command
def demo(
    quick: Quick = False,
    out: OutFolder = None,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Train a small potential on real DFT data of silicon, audit it, and leave a report."""
    from sciml import materials as mat
    from sciml.cli.computing import use_threads
    from sciml.materials.labels import check
    from sciml.materials.run_report import RunRecord, run_facts, run_sections
    from sciml.report import write_report

    use_threads(threads)
    say = (lambda text: None) if quiet or json else typer.echo
    folder = out or Path("runs") / time.strftime("demo-%Y%m%d-%H%M%S")
    train, test = (mat.load_dataset("mlearn-si", part=part) for part in ("train", "test"))
    train, test, steps = (train[::10], test[::4], 12) if quick else (train[::2], test, 180)
    checked = check(train, test=test)
    edges = sum(mat.build_graph(atoms, cutoff=5.0).edge_index.shape[1] for atoms in train)
    say(f"{checked.text()}\n{edges:,} pairs of atoms within 5 A\ntraining, {steps} steps ...")
    mat.train_potential(train, test=test, steps=steps, seed=seed, device=device, out=folder, report=False, recipe={"validations": 10})
    potential = mat.load_potential(folder)
    energy = potential.predict(test[-1], device=device)[0].energy
    say(f"{test[-1].symbols}: {energy:.3f} eV predicted, {test[-1].get_potential_energy():.3f} eV by DFT\naudit ...")
    audit = mat.audit(potential, min(test, key=len), seed=seed)
    record = RunRecord.read(folder)
    sections = run_sections(record, test, audit, checked)
    report = write_report(sections, folder / "report.html", title="Demo: a potential for silicon", run=run_facts(record))
    result = {"report": str(report), "model": str(folder / "model"), "audit_passed": audit.passed, "metrics": record.metrics}
    failed = "".join(f"\n  {row.name}: {row.reason}" for row in audit.table if row.verdict == "fail")
    emit(result, f"{audit.summary()}{failed}\nmodel:  {folder / 'model'}\nreport: {report}", as_json=json, quiet=quiet)
