"""`sciml biology information | capacity | bottleneck | efficiency`: what is transmitted, and against which bound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sciml.cli.channels import ChannelOptions, Groups, Source, channel_command, made_channel, numbers
from sciml.cli.networks import check_out, write_run
from sciml.cli.terminal import emit
from sciml.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np

    from sciml.biology import Channel

__all__ = ["bottleneck", "capacity", "efficiency", "information"]

Estimator = Annotated[str, typer.Option("--estimator", help="auto (the rule of the docs), or the name of one.")]
Environments = Annotated[
    Path,
    typer.Option("--environments", help="CSV: a row an environment; columns environment, p, and p(dose | environment) under each dose."),
]


@channel_command
def information(source: Source, asked: ChannelOptions, groups: Groups = None, estimator: Estimator = "auto") -> None:
    """How many bits the response tells about the dose, at the doses as they are: each column that is read, and all together."""
    from sciml.biology import information as info

    channel = _channel(source, asked, groups)
    facts = _facts(source, channel, asked.seed)
    x, y = _samples(channel)
    labels = _columns(channel, y.shape[1])
    parts = {label: y[:, [k]] for k, label in enumerate(labels)} if len(labels) > 1 else {}
    parts |= {labels[0] if len(labels) == 1 else "all together": y}
    options: dict[str, Any] = {"estimator": estimator, "groups": channel.groups, "x_kind": "discrete", "y_kind": "continuous"}
    found = {
        label: info.mutual_information(x, part, readout="snapshot" if part.shape[1] == 1 else channel.readout, seed=asked.seed, **options)
        for label, part in parts.items()
    }
    rows: dict[str, list[Any]] = {"read": list(found), "bits": [f.bits for f in found.values()], "low": [f.low for f in found.values()],
            "high": [f.high for f in found.values()], "shuffled": [f.baseline for f in found.values()],
            "estimator": [f.estimator for f in found.values()]}  # fmt: skip
    lines = [f"{label:<24}{f.bits:8.4f} bit  {f.low:.4f} to {f.high:.4f}  {f.estimator}" for label, f in found.items()]
    lines += [list(found.values())[-1].sentence(), *channel.notes]
    if asked.out is not None:
        from sciml.report import Section, Table

        table = Section("Information", [Table("information", rows, units={"bits": "bit", "low": "bit", "high": "bit"})])
        sections = [table, *list(found.values())[-1].to_sections(), *channel.to_sections()]
        write_run(asked.out, sections, f"Information of {_name(source)}", facts, {"information": rows})
        lines.append(f"-> {asked.out / 'report.html'}")
    result = {**facts, "information": {k: f.to_dict() for k, f in found.items()}}
    emit(result, "\n".join(lines), as_json=asked.json, quiet=asked.quiet)


@channel_command
def capacity(source: Source, asked: ChannelOptions, groups: Groups = None) -> None:
    """The most bits that any use of these doses could send, the input law that sends them, and how many doses can be told apart."""
    from sciml.biology import information as info

    channel = _channel(source, asked, groups)
    facts = _facts(source, channel, asked.seed)
    x, y = _samples(channel)
    found = info.capacity_from_data(x, y, groups=channel.groups, seed=asked.seed)
    levels = [_text(d) for d in channel.doses]
    rows = {"dose": levels, "optimal input": [float(p) for p in found.p_x]}
    lines = [found.sentence(), "dose, optimal input:", *(f"  {d:<12} {p:.3f}" for d, p in zip(*rows.values(), strict=True)), *channel.notes]
    if asked.out is not None:
        sections = [*found.to_sections(), *channel.to_sections()]
        write_run(asked.out, sections, f"Capacity of {_name(source)}", facts, {"optimal input": rows})
        lines.append(f"-> {asked.out / 'report.html'}")
    emit({**found.to_dict(), **facts}, "\n".join(lines), as_json=asked.json, quiet=asked.quiet)


@channel_command
def bottleneck(
    source: Source,
    asked: ChannelOptions,
    bins: Annotated[
        int | None, typer.Option("--bins", min=2, max=200, help="Equally filled bins of the read-out; default as many as the cells allow.")
    ] = None,
) -> None:
    """The bottleneck curve: the most that a code of the read-out can say about the dose for the bits that it keeps of the read-out."""
    import numpy as np

    from sciml.biology import information as info

    channel = _channel(source, asked)
    facts = _facts(source, channel, asked.seed)
    x, y = _samples(channel)
    if y.shape[1] != 1:
        raise ConfigError(f"--readout: found {y.shape[1]} columns; a bottleneck is drawn for one at a time")
    inputs, of = np.unique(x, axis=0, return_inverse=True)
    levels, codes = _binned(y[:, 0], bins or int(np.clip(len(x) / (10 * len(inputs)), 2, 30)))
    joint = np.zeros((levels, len(inputs)))
    np.add.at(joint, (codes, of.reshape(-1)), 1 / len(codes))
    curve = info.bottleneck_curve(joint, seed=asked.seed)
    told = info.mutual_information(codes, of.reshape(-1), x_kind="discrete", y_kind="discrete", seed=asked.seed)
    order = np.argsort(curve.i_x, kind="stable")
    rows = {"beta": curve.beta[order], "I(T;X)": curve.i_x[order], "I(T;Y)": curve.i_y[order], "low": curve.lower[order],
            "high": curve.upper[order]}  # fmt: skip
    kind = "certified" if curve.certified else "not certified: best of many starts"
    lines = [f"{levels} values of the read-out, {len(inputs)} doses: I(X;Y) = {curve.i_xy:.4f} bit of H(X) = {curve.h_x:.4f} (as counted)",
             f"codes begin to pay at beta = {curve.onset:.4g}; bracket {kind}, at most {curve.gap:.2g} bit wide"]  # fmt: skip
    at = np.linspace(0, curve.h_x, 6)[1:]
    lines += [f"  {v:.3f} bit of the read-out: {low:.4f} to {high:.4f} about the dose" for v in at for low, high in [curve.bound(float(v))]]
    fewer = f"corrected for the number of cells {told.bits:.3f} ({told.low:.3f} to {told.high:.3f})"
    said = f"the table as counted holds {curve.i_xy:.3f} bit, {fewer}"
    lines += [f"{'warning: ' if curve.i_xy > told.high else ''}{said}; the curve is of the table as counted", *channel.notes]
    if asked.out is not None:
        sections = [*curve.to_sections(), *channel.to_sections()]
        write_run(asked.out, sections, f"Bottleneck of {_name(source)}", facts | {"bins": levels}, {"curve": rows})
        lines.append(f"-> {asked.out / 'report.html'}")
    result = {**facts, **curve.to_dict()}
    result.pop("encoders", None)
    emit(result, "\n".join(lines), as_json=asked.json, quiet=asked.quiet)


@channel_command
def efficiency(
    source: Source,
    environments: Environments,
    asked: ChannelOptions,
    expression: Annotated[str | None, typer.Option("--expression", help="A second read-out of the same cells, behind the first.")] = None,
) -> None:
    """How close a cell comes to the best trade-off between what its signal knows of ligand and of environment."""
    from sciml import biology as bio

    p_e, given, at = _environments(environments)
    both = asked if expression is None else replace(asked, readout=f"{asked.readout},{expression}")
    channel = _channel(source, both)
    facts = _facts(source, channel, asked.seed)
    signal = channel.with_readout([name.strip() for name in asked.readout.split(",")])
    other = channel.with_readout(expression) if expression is not None else None
    exactly = len(at) == len(channel.doses) and all(_text(a) == _text(b) for a, b in zip(at, channel.doses, strict=True))
    cell = bio.cell_efficiency(p_e, given, signal, expression=other, doses=None if exactly else at, seed=asked.seed)
    lines = [cell.sentence(), *(f"{s.step}: {s.lost:.4f} bit about the environment lost (+- {s.standard_error:.4f})" for s in cell.steps)]
    lines += list(cell.notes)
    if asked.out is not None:
        rows = {"step": [s.step for s in cell.steps], "lost (bit)": [s.lost for s in cell.steps]}
        sections = [*cell.to_sections(), *signal.to_sections()]
        write_run(asked.out, sections, f"Efficiency of {_name(source)}", facts, {"steps": rows})
        lines.append(f"-> {asked.out / 'report.html'}")
    result = {**facts, **cell.to_dict()}
    result["curve"].pop("encoders", None)
    emit(result, "\n".join(lines), as_json=asked.json, quiet=asked.quiet)


def _channel(source: str, asked: ChannelOptions, groups: str | None = None) -> Channel:
    """The channel of the options, after a look at the folder and at how long exact runs are expected to take."""
    check_out(asked.out)
    channel = made_channel(source, asked, groups)
    _watch(channel, asked.method, asked.budget, asked.yes)
    return channel


def _environments(path: Path) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """(p(E) [nE], p(L|E) [nE, nL], doses [nL]) of a CSV with the columns environment, p and one a dose. DataError names what is missing."""
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise ConfigError(f"--environments: {path} is not there") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from None
    if "p" not in table.columns:
        raise DataError(f"{path}: no column p; expected columns environment, p, and one for each dose")
    columns = [name for name in table.columns if name not in ("environment", "p")]
    values = table[["p", *columns]]
    wrong = [(row, name) for name in values.columns for row in range(len(values)) if not isinstance(values[name].iloc[row], int | float)
             and not hasattr(values[name].iloc[row], "dtype")]  # fmt: skip
    if wrong:
        row, name = wrong[0]
        raise DataError(f"{path}: row {row}, column {name}: found {values[name].iloc[row]!r}, expected a probability")
    return table["p"].to_numpy(float), table[columns].to_numpy(float), numbers("--environments", ",".join(map(str, columns)))


def _watch(channel: Channel, method: str, budget: float, yes: bool) -> None:
    """ConfigError, before anything is simulated, where exact runs are expected to take longer than the budget and nobody said yes."""
    if channel.held is None or method != "ssa" or yes:  # a table; only exact runs have a forecast
        return
    if not budget > 0:
        raise ConfigError(f"--budget: found {budget:g}, expected seconds > 0")
    seconds = channel.forecast().seconds
    if seconds > budget:
        raise ConfigError(
            f"--budget: about {seconds:.3g} s are expected, not {budget:g}; add --yes to run it all the same, or take fewer --cells"
        )


def _samples(channel: Channel) -> tuple[np.ndarray, np.ndarray]:
    found = channel.samples
    if found is None:
        raise ConfigError("SOURCE: a law, not cells")
    return found


def _binned(values: np.ndarray, bins: int) -> tuple[int, np.ndarray]:
    """(number of levels, codes [n]): the values themselves where there are no more than `bins`, else bins that hold equally many."""
    import numpy as np

    levels, codes = np.unique(values, return_inverse=True)
    if len(levels) <= bins:
        return len(levels), codes
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    found, codes = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)
    return len(found), codes


def _columns(channel: Channel, count: int) -> list[str]:
    """A name for each column that is read: read-out and time."""
    if channel.times is None or count == len(channel.names):
        return list(channel.names)
    return [f"{name} at {time:g}" for name in channel.names for time in channel.times]


def _facts(source: str, channel: Channel, seed: int) -> dict[str, Any]:
    return {
        "source": source,
        "readout": channel.readout,
        "read": list(channel.names),
        "doses": [_text(d) for d in channel.doses],
        "seed": seed,
    }


def _text(dose: Any) -> str:
    return dose if isinstance(dose, str) else f"{float(dose):.10g}" if getattr(dose, "ndim", 0) == 0 else str(dose.tolist())


def _name(source: str) -> str:
    return Path(source).name
