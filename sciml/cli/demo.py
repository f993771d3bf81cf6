"""`sciml demo`: from real DFT data to an audited potential, and from a pathway to its bits, in one report, by public calls only."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sciml.cli.terminal import Device, Json, Quiet, Seed, Threads, Verbose, command, emit

if TYPE_CHECKING:
    from sciml.report import Section

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
    """Train and audit a small potential on real DFT data of silicon, ask what a signalling pathway transmits, and leave a report."""
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
    pathway, sections = _pathway(quick, seed, say)
    sections = [*run_sections(record, test, audit, checked), *sections]
    title = "Demo: a potential for silicon, and what a pathway tells a cell"
    report = write_report(sections, folder / "report.html", title=title, run=run_facts(record))
    result = {"report": str(report), "model": str(folder / "model"), "audit_passed": audit.passed, "metrics": record.metrics} | pathway
    failed = "".join(f"\n  {row.name}: {row.reason}" for row in audit.table if row.verdict == "fail")
    emit(result, f"{audit.summary()}{failed}\nmodel:  {folder / 'model'}\nreport: {report}", as_json=json, quiet=quiet)


def _pathway(quick: bool, seed: int, say: Callable[[str], None]) -> tuple[dict[str, float], list[Section]]:
    """A ligand in two environments, the kinase that it switches on, the protein behind: capacity, bottleneck, efficiency, a design map."""
    import numpy as np

    from sciml import biology as bio
    from sciml.biology import information as info
    from sciml.biology.cell import efficiency_map

    doses = np.geomspace(0.05, 20, 6 if quick else 10)
    given = np.array([np.exp(-0.5 * ((np.log(doses) - mean) / 0.9) ** 2) for mean in (-1.0, 1.0)])
    given /= given.sum(axis=1, keepdims=True)
    channel = bio.Channel.from_network(bio.load_pathway("signalling"), "L", ["Kp", "P"], doses, 3000.0, n=40 if quick else 120, seed=seed)
    say(f"ligand -> kinase -> protein: {channel.forecast()} ...")
    signal = channel.with_readout("Kp")
    x, y = signal.samples or ((), ())
    capacity = info.capacity_from_data(x, y, seed=seed)
    cell = bio.cell_efficiency([0.5, 0.5], given, signal, expression=channel.with_readout("P"), seed=seed)
    designs = efficiency_map([0.5, 0.5], given, doses, half_point=(0.3, 1.0, 3.0), seed=seed)
    say(f"capacity {capacity.bits:.2f} bit ({capacity.low:.2f} to {capacity.high:.2f})\n{cell.sentence()}")
    sections = [*signal.to_sections(), *capacity.to_sections(), *cell.to_sections(), *designs.to_sections()]
    return {"capacity": capacity.bits, "efficiency": cell.efficiency}, sections
