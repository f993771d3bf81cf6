"""`net.summary()`: what a network says, counts and starts with, and what is odd about it, before anything is simulated."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sciml.arguments import checked
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.system import System
from sciml.biology.law_forms import kind_of_law
from sciml.biology.network import Network, Species
from sciml.biology.rates import dead_reactions, equation, law_text, unused
from sciml.biology.sbml import molecules_per_unit, unit_problems
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.structure import conservation_laws, start_amounts
from sciml.errors import ConfigError, DataError

__all__ = ["ReactionRow", "SpeciesRow", "Summary", "summary"]

_MOST_STATES = 600  # beyond, no eigenvalues
_MOST_SHOWN = 500  # species and reactions whose summary is made without being asked for
_ROWS_SHOWN, _LONGEST = 60, 400


@dataclass(frozen=True)
class SpeciesRow:
    """A species at the start: `amount` in the model's unit, `molecules` (None where the model does not say), `volume` of its compartment.

    `role`: what changes it: reactions, nothing (boundary or constant), a rule, an event.
    """

    id: str
    name: str
    compartment: str
    volume: float
    amount: float
    concentration: float
    molecules: float | None
    role: str


@dataclass(frozen=True)
class ReactionRow:
    """A reaction: `kind` of its law in words, `rate` (extent per time) and `propensity` (events per time, None as above) at the start."""

    id: str
    equation: str
    law: str
    kind: str
    rate: float
    propensity: float | None
    dead: bool
    line: int


@dataclass(frozen=True)
class Summary:
    """What `net.summary()` found.

    `units` {quantity: unit}, `unit_problems`: units that do not fit each other, as text; `dead`: reactions that never fire from this
    start; `unused_species`, `unused_parameters` take part in nothing; `conserved`: sums that stay, as text; `slowest`, `fastest`: time
    scales 1/|Re eigenvalue| of the equations at the start, `stiffness` their ratio (NaN where it was not computed); `stochastic`: what
    stochastic calls say or convert; `refused`: why they refuse, or "".
    """

    id: str
    name: str
    source: str
    units: Mapping[str, str]
    species: tuple[SpeciesRow, ...]
    reactions: tuple[ReactionRow, ...]
    counts: Mapping[str, int]
    dead: tuple[str, ...]
    unused_species: tuple[str, ...]
    unused_parameters: tuple[str, ...]
    conserved: tuple[str, ...]
    fastest: float
    slowest: float
    stiffness: float
    stochastic: tuple[str, ...]
    refused: str
    warnings: tuple[str, ...]
    unit_problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return asdict(self)

    def text(self) -> str:
        """The whole as plain text."""
        return "\n".join(_text(self))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return _html(self)


@checked
def summary(network: Network) -> Summary:
    """Rates in words, units, start counts, dead reactions, unused parts, conservation laws, initial propensities, stiffness of a network.

    Raises DataError where the network's equations contradict each other; a start value that is missing is shown as NaN.
    """
    system = system_of(network)
    amounts = start_amounts(network, system)
    notes, refused, per_unit, per_extent = _counting(network)
    started = not any(math.isnan(a) for a in amounts.values()) or not amounts
    volumes, rates = _at_start(system) if started else ({}, {})
    dead = dead_reactions(system, amounts) if started else ()
    loose_species, loose_parameters = unused(network)
    fastest, slowest = _time_scales(system) if started else (math.nan, math.nan)
    kinds = ("compartments", "species", "reactions", "parameters", "rules", "events", "functions", "initial_assignments")
    return Summary(
        id=network.id,
        name=network.name,
        source=network.source,
        units={q: getattr(network.units, q) or "not declared" for q in ("substance", "time", "volume")},
        species=tuple(_species(network, s, amounts[s.id], volumes.get(s.id, math.nan), per_unit) for s in network.species),
        reactions=tuple(
            ReactionRow(
                r.id, equation(r), law_text(r), kind_of_law(network, r), rates.get(r.id, math.nan),
                None if per_extent is None else rates.get(r.id, math.nan) * per_extent, r.id in dead, r.line,
            )
            for r in network.reactions
        ),
        counts={kind: len(getattr(network, kind)) for kind in kinds if len(getattr(network, kind))},
        dead=dead,
        unused_species=loose_species,
        unused_parameters=loose_parameters,
        conserved=tuple(law.text for law in conservation_laws(network, system)),
        fastest=fastest,
        slowest=slowest,
        stiffness=slowest / fastest if fastest else math.nan,
        stochastic=notes,
        refused=refused,
        warnings=network.warnings,
        unit_problems=tuple(unit_problems(network)),
    )  # fmt: skip


def _repr_html_(network: Network) -> str:
    """What a notebook shows for a network: its summary, of a large one that there is a summary."""
    if len(network.species) + len(network.reactions) > _MOST_SHOWN:
        return f"<b>{html.escape(repr(network))}</b><p>summary() says more</p>"
    return summary(network)._repr_html_()


def _counting(network: Network) -> tuple[tuple[str, ...], str, Mapping[str, float] | None, float | None]:
    """(what stochastic calls say, why they refuse, molecules per unit of each species, events per unit of extent)."""
    refused = ""
    notes: tuple[str, ...] = ()
    try:
        notes = in_molecules(network, 1, 0).notes
    except (DataError, ConfigError) as error:
        refused = str(error).removeprefix(f"{network.id}: ")
    try:
        counting = molecules_per_unit(network)
    except DataError:
        return notes, refused, None, None
    per_unit = {s.id: unit for s in network.species if (unit := counting.of(s.id)) is not None}
    return notes or counting.notes, refused, per_unit, counting.per_extent


def _at_start(system: System) -> tuple[dict[str, float], dict[str, float]]:
    """({species: volume}, {reaction: extent per time}) at time 0."""
    y, p = system.begin()
    lags = [0.0] * len(system.lags)
    nodes = [*system.volumes.values(), *system.rates]
    values = [float(v) for v in system.graph.evaluate(nodes, states=list(y), params=list(p), lags=lags)]
    split = len(system.volumes)
    names = [r.id for r in system.network.reactions]
    return dict(zip(system.volumes, values[:split], strict=True)), dict(zip(names, values[split:], strict=True))


def _species(network: Network, s: Species, amount: float, volume: float, per_unit: Mapping[str, float] | None) -> SpeciesRow:
    unit = None if per_unit is None else per_unit.get(s.id)
    by_rule = next((rule.kind for rule in network.rules if rule.variable == s.id), "")
    by_event = any(id == s.id for event in network.events for id, _ in event.assignments)
    role = f"{by_rule} rule" if by_rule else "constant" if s.constant else "boundary" if s.boundary else "reactions"
    concentration = amount / volume if volume else math.nan
    molecules = None if unit is None else amount * unit
    return SpeciesRow(s.id, s.name, s.compartment, volume, amount, concentration, molecules, role + (", events" if by_event else ""))


def _time_scales(system: System) -> tuple[float, float]:
    """(fastest, slowest) 1/|Re| of the Jacobian's eigenvalues at the start, those that are zero left out; NaN where there are none."""
    if not 0 < len(system.states) <= _MOST_STATES or system.lags:
        return math.nan, math.nan
    y, p = system.begin()
    rows = partials(system.graph, list(system.derivatives), "state")
    entries = [(i, j, node) for i, row in enumerate(rows) for j, node in row.items()]
    values = system.graph.evaluate([node for _, _, node in entries], states=list(y), params=list(p))
    matrix = np.zeros((len(y), len(y)))
    for (i, j, _), value in zip(entries, values, strict=True):
        matrix[i, j] = float(value)
    if not np.isfinite(matrix).all():
        return math.nan, math.nan
    real = np.abs(np.linalg.eigvals(matrix).real)
    real = real[real > 1e-10 * real.max(initial=0.0)]
    return (1 / float(real.max()), 1 / float(real.min())) if real.size else (math.nan, math.nan)


def _number(value: float | None) -> str:
    return "?" if value is None or math.isnan(value) else f"{value:.6g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _tables(s: Summary) -> tuple[list[list[str]], list[list[str]]]:
    species = [["species", "molecules", "amount", "concentration", "volume", "compartment", "changed by"]]
    for a in s.species:
        species.append([a.id, *map(_number, (a.molecules, a.amount, a.concentration, a.volume)), a.compartment, a.role])
    reactions = [["reaction", "equation", "law", "in words", "rate at the start", "events per time"]]
    for r in s.reactions:
        rate = f"{_number(r.rate)}{' (dead)' if r.dead else ''}"
        reactions.append([r.id, r.equation, r.law, r.kind, rate, _number(r.propensity)])
    return species, reactions


def _findings(s: Summary) -> list[tuple[str, str]]:
    """(heading, text) of what is said beside the two tables."""
    found = [("units", ", ".join(f"{quantity} {unit}" for quantity, unit in s.units.items()))]
    found += [
        ("conserved", law if len(law) <= _LONGEST else f"{law[: _LONGEST - 60]} ...{law[law.rindex(' = ') :]}") for law in s.conserved
    ]
    if s.dead:
        found.append(("never fire from this start", ", ".join(s.dead)))
    if s.unused_species or s.unused_parameters:
        found.append(("used nowhere", ", ".join((*s.unused_species, *s.unused_parameters))))
    if not math.isnan(s.stiffness):
        found.append(("time scales at the start", f"{s.fastest:.3g} to {s.slowest:.3g}, stiffness {s.stiffness:.3g}"))
    found += [("stochastic", note) for note in s.stochastic]
    if s.refused:
        found.append(("stochastic calls refuse", s.refused))
    found += [("unit check", problem) for problem in s.unit_problems]
    return found + [("warning", warning) for warning in s.warnings]


def _heading(s: Summary) -> str:
    title = f"{s.id} ({s.name})" if s.name else s.id
    return f"{title}: {_counted(s)}"


def _text(s: Summary) -> list[str]:
    lines = [_heading(s)]
    for rows in _tables(s):
        if len(rows) > 1:
            lines += ["", *_aligned(rows)]
    return [*lines, "", *(f"{heading}: {text}" for heading, text in _findings(s))]


def _html(s: Summary) -> str:
    """A table in a notebook: the first rows of each part, everything escaped."""
    parts = [f"<b>{html.escape(_heading(s))}</b>"]
    for rows in _tables(s):
        if len(rows) > 1:
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
            body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1 : _ROWS_SHOWN + 1])
            more = f"<p>and {len(rows) - 1 - _ROWS_SHOWN} more</p>" if len(rows) - 1 > _ROWS_SHOWN else ""
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}")
    items = "".join(f"<li>{html.escape(heading)}: {html.escape(text)}</li>" for heading, text in _findings(s))
    return "\n".join([*parts, f"<ul>{items}</ul>"])


def _counted(s: Summary) -> str:
    words = {kind: kind.replace("_", " ") for kind in s.counts}
    words |= {kind: words[kind].removesuffix("s") for kind, n in s.counts.items() if n == 1 and kind != "species"}
    return ", ".join(f"{n} {words[kind]}" for kind, n in s.counts.items()) or "empty"
