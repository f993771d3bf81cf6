"""What the commands on networks share: their options, values set on a model, times, and what a run writes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sciml.cli.terminal import settings
from sciml.errors import ConfigError

if TYPE_CHECKING:
    from sciml.biology import Network
    from sciml.report import Section

__all__ = [
    "Budget", "End", "Initial", "Method", "ModelFile", "OutFolder", "Points", "Runs", "Set", "Shown", "Substance", "Yes", "check_out",
    "shown_species", "time_grid", "variant", "write_run",
]  # fmt: skip

ModelFile = Annotated[
    str,
    typer.Argument(
        help="A model: SBML (.xml, .gz), Antimony (.ant, .txt), BioNetGen (.net), SED-ML, COMBINE archive (.omex), or a shipped name.",
        metavar="MODEL",
    ),
]
Set = Annotated[list[str] | None, typer.Option("--set", help="ID=NUMBER: another value of a parameter, compartment or species' start.")]
End = Annotated[float | None, typer.Option("--end", help="Last time, in the model's unit; a SED-ML file brings its own.")]
Points = Annotated[int, typer.Option("--points", min=1, max=1_000_000, help="Number of times from 0 to the end.")]
Method = Annotated[str | None, typer.Option("--method", help="ode (default), ssa (exact), tau, hybrid, langevin or lna (linear noise).")]
Runs = Annotated[int, typer.Option("-n", "--runs", min=1, help="Number of stochastic trajectories.")]
Shown = Annotated[list[str] | None, typer.Option("--species", help="Species to show, several by commas; default those that move.")]
Substance = Annotated[
    str | None, typer.Option("--substance", help="item or mole: what a level 2 model counts in that does not say it (stochastic runs).")
]
Initial = Annotated[str | None, typer.Option("--initial", help="round or stochastic, where start numbers are not whole (stochastic runs).")]
OutFolder = Annotated[Path | None, typer.Option("--out", help="A new folder for report.html, tables and the manifest of the run.")]
Yes = Annotated[bool, typer.Option("--yes", help="Start a run that is expected to take longer than --budget.")]
Budget = Annotated[float, typer.Option("--budget", help="Seconds that a stochastic run may be expected to take without --yes.")]


def variant(network: Network, words: Sequence[str] | None) -> Network:
    """The network with ID=NUMBER words set. ConfigError, naming the option, for anything else."""
    values = settings("--set", words or (), "k=0.1")
    for id, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigError(f"--set: {id}: found {value!r}, expected a finite number")
    return network.set(values) if values else network


def time_grid(end: float | None, points: int) -> Any:
    """Times [points] from 0 to the end; one point is the end alone. ConfigError for an end that is none."""
    import numpy as np

    if end is None:
        raise ConfigError("--end: give the last time, as in --end 100")
    if not (math.isfinite(end) and end >= 0):
        raise ConfigError(f"--end: found {end}, expected a finite number >= 0")
    return np.linspace(0, end, points) if points > 1 else np.array([end])


def check_out(out: Path | None) -> None:
    """ConfigError, before anything is computed, for a folder that exists or cannot be made."""
    if out is None:
        return
    if out.exists():
        raise ConfigError(f"--out: {out} exists; give a folder that is not there yet")
    there = next(folder for folder in out.absolute().parents if folder.exists())  # what is missing on the way is made
    if not there.is_dir():
        raise ConfigError(f"--out: {out}: {there} is no folder")
    if not os.access(there, os.W_OK):
        raise ConfigError(f"--out: {out}: the folder {there} may not be written to")


def shown_species(words: Sequence[str] | None, network: Network) -> list[str]:
    """The ids of --species words. ConfigError for one that is no species."""
    from sciml.biology.network import nearest

    known = [s.id for s in network.species]
    names = [name.strip() for word in words or () for name in word.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise ConfigError(f"--species: {name!r} is no species of {network.id!r}{nearest(name, known)}")
    return names


def write_run(
    out: Path, sections: Sequence[Section], title: str, facts: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]
) -> None:
    """A new folder `out` with report.html and its data, `tables` {name: columns} as CSV and the manifest. ConfigError where it exists."""
    from sciml import files
    from sciml.report import write_report

    check_out(out)
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with files.write_folder(out) as folder:
        write_report(sections, folder / "report.html", title=title, run=facts)
        for name, columns in tables.items():
            files.write_text(folder / f"{name}.csv", _csv(columns))
        names = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
        files.write_manifest(folder, kind="biology", files=names, config=dict(facts))


def _csv(columns: Mapping[str, Any]) -> str:
    """Columns as comma-separated text, numbers to the last bit."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*([v.item() if hasattr(v, "item") else v for v in column] for column in columns.values()), strict=True))
    return text.getvalue()
