"""What the commands on information share: their options, and a channel from a table of cells or from a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sciml.cli.networks import variant
from sciml.cli.runs import spread_values
from sciml.errors import ConfigError

if TYPE_CHECKING:
    from sciml.biology import Channel

__all__ = [
    "Cells", "Dose", "Doses", "Groups", "Held", "Layer", "Missing", "Noise", "Readout", "Source", "Times", "Way", "is_table",
    "made_channel", "numbers",
]  # fmt: skip

Source = Annotated[
    str,
    typer.Argument(
        help="Table of single cells (CSV, parquet, h5ad, FCS or a folder of those), model (SBML, Antimony, BioNetGen) or shipped name.",
        metavar="SOURCE",
    ),
]
Dose = Annotated[str, typer.Option("--dose", help="Column of the dose, or the parameter or species of a model that is varied.")]
Readout = Annotated[str, typer.Option("--readout", help="Columns that are read, by commas, or species of a model.")]
Groups = Annotated[str | None, typer.Option("--groups", help="Columns of what belongs together (day, donor), by commas; tables only.")]
Missing = Annotated[str, typer.Option("--missing", help="refuse, or drop: what is done with rows that have an empty field.")]
Layer = Annotated[str | None, typer.Option("--layer", help="Layer of an h5ad file that the genes are read from.")]
Doses = Annotated[str | None, typer.Option("--doses", help="Doses of a model: A,B,C or FIRST:LAST:COUNT, with :log for equal ratios.")]
Times = Annotated[
    str | None, typer.Option("--times", help="Times A,B,C: when a model is read, or when each column of a table was; several are a trace.")
]
Cells = Annotated[int, typer.Option("-n", "--cells", min=4, help="Cells simulated at each dose of a model.")]
Way = Annotated[str, typer.Option("--method", help="ssa (exact), tau, hybrid, langevin, or ode where only cells and instruments differ.")]
Noise = Annotated[list[str] | None, typer.Option("--extrinsic", help="ID=CV: a parameter or start that differs between cells, log-normal.")]
Held = Annotated[bool, typer.Option("--hold/--no-hold", help="No reaction changes the dose species of a model.")]

_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".h5ad", ".fcs")


def is_table(source: str) -> bool:
    """A folder, or a file whose name says that it is a table of cells."""
    return Path(source).is_dir() or source.lower().endswith(_TABLES)


def made_channel(
    source: str,
    dose: str,
    readout: str,
    *,
    groups: str | None = None,
    missing: str = "refuse",
    layer: str | None = None,
    doses: str | None = None,
    times: str | None = None,
    cells: int = 1000,
    method: str = "ssa",
    extrinsic: Sequence[str] | None = None,
    hold: bool = True,
    set: Sequence[str] | None = None,
    seed: int = 0,
) -> Channel:
    """The channel that the options describe. ConfigError, naming the option, for those that do not apply to a table or a model."""
    from sciml import biology as bio

    names, at = _names(readout), None if times is None else numbers("--times", times)
    if is_table(source):
        for option, given in {"--doses": doses, "--extrinsic": extrinsic, "--set": set}.items():
            if given:
                raise ConfigError(f"{option}: goes with a model; {source} is a table, whose doses are measured")
        if missing not in ("refuse", "drop"):
            raise ConfigError(f"--missing: found {missing!r}, expected refuse or drop")
        options: dict[str, Any] = {"layer": layer} if layer is not None else {}
        return bio.Channel.from_table(source, dose, names, _names(groups) if groups else None, times=at, missing=missing, **options)  # type: ignore[arg-type]
    if doses is None or at is None:
        raise ConfigError(f"{'--doses' if doses is None else '--times'}: {source} is a model: say which doses it gets and when it is read")
    for option, value in {"--groups": groups, "--layer": layer}.items():
        if value:
            raise ConfigError(f"{option}: goes with a table; {source} is a model")
    network = variant(bio.load(source), set)
    laws = {id: bio.LogNormal(cv=cv) for id, cv in _coefficients(extrinsic or ()).items()}
    held = hold and any(species.id == dose for species in network.species)
    return bio.Channel.from_network(
        network, dose, names, spread_values("--doses", doses), at, n=cells, seed=seed, method=method, hold=held, extrinsic=laws or None
    )


def numbers(option: str, text: str) -> list[float]:
    """A,B,C as finite numbers. ConfigError names the option."""
    found = []
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ConfigError(f"{option}: found {part.strip()!r}, expected finite numbers by commas")
        found.append(value)
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _coefficients(words: Sequence[str]) -> dict[str, float]:
    found = {}
    for word in words:
        id, sign, text = (part.strip() for part in word.partition("="))
        if not (sign and id):
            raise ConfigError(f"--extrinsic: found {word!r}, expected ID=CV, as in NFkB=0.3")
        found[id] = numbers("--extrinsic", text)[0]
    return found
