"""Results of simulations as sections of a report: traces with their spread, distributions, dose-response; all numbers in tables beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sciml.biology.drawing import MOST_DRAWN, network_figure
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.trajectories import Ensemble
from sciml.biology.summary import Summary, summary
from sciml.errors import ConfigError
from sciml.report import Block, Figure, Section, Table, Text, curve, histogram

__all__ = ["distribution_section", "dose_section", "network_section", "trace_section"]

_LINES, _APART, _FIGURES = 6, 30.0, 12


def network_section(network: Network, found: Summary | None = None) -> Section:
    """The network drawn, its species and reactions, and what its summary found."""
    s = found or summary(network)
    picture = network_figure(network)
    size = len(network.species) + len(network.reactions)
    blocks: list[Block] = (
        [picture] if picture else [Text(f"{size} species and reactions: more than {MOST_DRAWN} are not drawn.")] if size else []
    )
    if s.species:
        rows = [{"species": a.id, "start (molecules)": a.molecules, "start (amount)": a.amount, "volume": a.volume,
                 "compartment": a.compartment, "changed by": a.role} for a in s.species]  # fmt: skip
        blocks.append(Table.from_rows("species", rows))
    if s.reactions:
        rows = [{"reaction": r.id, "equation": r.equation, "law": r.law, "in words": r.kind, "rate at the start": r.rate,
                 "never fires": r.dead} for r in s.reactions]  # fmt: skip
        blocks.append(Table.from_rows("reactions", rows))
    said = [f"conserved: {law}" for law in s.conserved]
    said += [f"stochastic: {note}" for note in s.stochastic] + ([f"stochastic calls refuse: {s.refused}"] if s.refused else [])
    said += [f"warning: {warning}" for warning in s.warnings]
    return Section("Network", [*blocks, *([Text("\n\n".join(said))] if said else [])])


def trace_section(
    result: Any, names: Sequence[str] | None = None, *, title: str = "Traces", unit: str = "", time_unit: str = ""
) -> Section:
    """Amounts over time: one line a species; of stochastic results the mean with a band of one standard deviation.

    `result` has `.times`, `.species` and either `.mean` and `.std` [T, S] or `.amounts` [T, S]. `names`: which species, None: those that
    move. Raises ConfigError for a name that is no species.
    """
    mean, std = _moments(result)
    chosen = _chosen(result.species, mean, names)
    columns: dict[str, Any] = {"time": result.times}
    for id in chosen:
        j = result.species.index(id)
        columns[id] = mean[:, j]
        if std is not None:
            columns[f"{id} (sd)"] = std[:, j]
    figures = [_traces(result, mean, std, group, unit, time_unit) for group in _groups(result.species, mean, chosen)[:_FIGURES]]
    lead = "" if std is None else "Lines are means, bands one standard deviation of single runs."
    table = Table("amounts over time", columns, caption=f"Amounts{f' ({unit})' if unit else ''}.", rows_shown=20)
    return Section("Traces", [*figures, table], lead)


def distribution_section(ensemble: Ensemble, names: Sequence[str] | None = None, *, unit: str = "molecules") -> Section:
    """Histograms of the amounts of single runs at the last time, with the numbers of all runs."""
    last = ensemble.amounts[:, -1]
    chosen = _chosen(ensemble.species, last, names)[:_FIGURES]
    blocks: list[Block] = []
    for id in chosen:
        values = last[:, ensemble.species.index(id)]
        blocks.append(histogram(f"{id} at the end", values, label=id, unit=unit))
    columns: dict[str, Any] = {id: _whole(last[:, ensemble.species.index(id)]) for id in chosen}
    lead = f"{len(last)} runs at time {ensemble.times[-1]:g}."
    return Section("Distributions", [*blocks, *([Table("runs at the end", columns, rows_shown=10)] if columns else [])], lead)


def dose_section(dose: str, doses: Any, responses: Mapping[str, tuple[Any, Any]], *, unit: str = "") -> Section:
    """Responses at the end over doses; `responses` {name: (mean [D], sd [D] or None)}."""
    x = np.asarray(doses, dtype=float)
    order = np.argsort(x)
    x = x[order]
    log = bool(len(x) > 2 and x[0] > 0 and x[-1] / x[0] >= 20)
    figures: list[Block] = []
    columns: dict[str, Any] = {dose: x}
    for name, (mean, std) in responses.items():
        y = np.asarray(mean, dtype=float)[order]
        columns[name] = y
        bands = None
        if std is not None:
            columns[f"{name} (sd)"] = s = np.asarray(std, dtype=float)[order]
            bands = {name: (y - s, y + s)}
        figures.append(
            curve(f"{name} over {dose}", x, {name: y}, x_label=dose, y_label=name, y_unit=unit, log_x=log, bands=bands, markers=True)
        )
    return Section("Dose and response", [*figures[:_FIGURES], Table("dose and response", columns, rows_shown=50)])


def _whole(values: np.ndarray) -> np.ndarray:
    """Numbers of molecules as whole numbers, so that a table shows them without digits."""
    return values.astype(np.int64) if (np.rint(values) == values).all() and (np.abs(values) < 2**53).all() else values


def _moments(result: Any) -> tuple[np.ndarray, np.ndarray | None]:
    if hasattr(result, "mean"):
        return np.asarray(result.mean), np.asarray(result.std)
    amounts = np.asarray(result.amounts)
    if amounts.ndim != 2:
        raise ConfigError(f"traces: found a batch of shape {amounts.shape}, expected one run [times, species]; take one of it")
    return amounts, None


def _chosen(species: Sequence[str], values: np.ndarray, names: Sequence[str] | None) -> list[str]:
    """The species asked for, else those that are not the same all over."""
    for name in names or ():
        if name not in species:
            raise ConfigError(f"species: {name!r} is none of the model{nearest(name, species)}")
    return list(names) if names else [id for j, id in enumerate(species) if np.ptp(values[:, j]) > 0]


def _groups(species: Sequence[str], mean: np.ndarray, names: Sequence[str]) -> list[list[str]]:
    """Names put together whose largest amounts lie within a factor of 30, at most six each."""
    largest = {id: float(np.abs(mean[:, species.index(id)]).max(initial=0.0)) for id in names}
    groups: list[list[str]] = []
    for id in sorted(names, key=lambda n: -largest[n]):
        if groups and len(groups[-1]) < _LINES and largest[groups[-1][0]] <= _APART * max(largest[id], 1e-300):
            groups[-1].append(id)
        else:
            groups.append([id])
    return groups


def _traces(result: Any, mean: np.ndarray, std: np.ndarray | None, names: Sequence[str], unit: str, time_unit: str) -> Figure:
    place = {id: result.species.index(id) for id in names}
    lines = {id: mean[:, j] for id, j in place.items()}
    bands = None if std is None else {id: (mean[:, j] - std[:, j], mean[:, j] + std[:, j]) for id, j in place.items()}
    return curve(", ".join(names), result.times, lines, x_label="time", x_unit=time_unit, y_label="amount", y_unit=unit, bands=bands)
