"""What the commands on information share: their options, declared once, and a channel from a table of cells or from a model."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from sciml.cli.networks import Budget, OutFolder, Set, Yes, variant
from sciml.cli.runs import spread_values
from sciml.cli.terminal import Json, Quiet, Seed, Verbose, command
from sciml.errors import ConfigError

if TYPE_CHECKING:
    from sciml.biology import Channel

__all__ = ["ChannelOptions", "Groups", "Source", "channel_command", "is_table", "made_channel", "numbers"]

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


@dataclass(frozen=True, kw_only=True)
class ChannelOptions:
    """What every command on a channel asks: which channel of a table or a model, what exact runs may cost, and where the result goes."""

    dose: Dose = "dose"
    readout: Readout = "response"
    missing: Missing = "refuse"
    layer: Layer = None
    doses: Doses = None
    times: Times = None
    cells: Cells = 1000
    method: Way = "ssa"
    extrinsic: Noise = None
    hold: Held = True
    set: Set = None
    out: OutFolder = None
    budget: Budget = 60.0
    yes: Yes = False
    seed: Seed = 0
    json: Json = False
    verbose: Verbose = False
    quiet: Quiet = False


def channel_command(function: Callable[..., None]) -> Callable[..., None]:
    """`command` of a function that takes `asked: ChannelOptions`: each field is an option, behind those of the function."""
    hints = get_type_hints(ChannelOptions, include_extras=True)
    shared = [inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
              for f in fields(ChannelOptions)]  # fmt: skip
    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in inspect.signature(function, eval_str=True).parameters.values()]
    required = [p for p in own if p.default is p.empty and p.name != "asked"]
    parameters = [*required, *(p for p in own if p.default is not p.empty), *shared]

    @functools.wraps(function)
    def run(**given: Any) -> None:
        asked = ChannelOptions(**{f.name: given.pop(f.name) for f in fields(ChannelOptions)})
        function(asked=asked, **given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return command(run)


def made_channel(source: str, asked: ChannelOptions, groups: str | None = None) -> Channel:
    """The channel that the options describe. ConfigError, naming the option, for those that do not apply to a table or a model."""
    from sciml import biology as bio

    doses, names = asked.doses, _names(asked.readout)
    at = None if asked.times is None else numbers("--times", asked.times)
    if is_table(source):
        for option, given in {"--doses": doses, "--extrinsic": asked.extrinsic, "--set": asked.set}.items():
            if given:
                raise ConfigError(f"{option}: goes with a model; {source} is a table, whose doses are measured")
        if asked.missing not in ("refuse", "drop"):
            raise ConfigError(f"--missing: found {asked.missing!r}, expected refuse or drop")
        options: dict[str, Any] = {"layer": asked.layer} if asked.layer is not None else {}
        together = _names(groups) if groups else None
        return bio.Channel.from_table(source, asked.dose, names, together, times=at, missing=asked.missing, **options)  # type: ignore[arg-type]
    if doses is None or at is None:
        raise ConfigError(f"{'--doses' if doses is None else '--times'}: {source} is a model: say which doses it gets and when it is read")
    for option, value in {"--groups": groups, "--layer": asked.layer}.items():
        if value:
            raise ConfigError(f"{option}: goes with a table; {source} is a model")
    network = variant(bio.load(source), asked.set)
    laws = {id: bio.LogNormal(cv=cv) for id, cv in _coefficients(asked.extrinsic or ()).items()}
    held = asked.hold and any(species.id == asked.dose for species in network.species)
    return bio.Channel.from_network(
        network, asked.dose, names, spread_values("--doses", doses), at, n=asked.cells, seed=asked.seed, method=asked.method, hold=held,
        extrinsic=laws or None,
    )  # fmt: skip


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
