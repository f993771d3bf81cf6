"""Variants or mutants side by side: which comes closest to the bound, and which differences the data support."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sciml.arguments import Seed, checked
from sciml.biology.cell.efficiency import Reading, environment_curve, placed
from sciml.biology.cell.environments import checked_environments
from sciml.biology.cell.result import CellEfficiency
from sciml.biology.channel import Channel
from sciml.errors import ConfigError, DataError
from sciml.report import Section, Table

__all__ = ["Ranking", "rank_cells"]


@dataclass(frozen=True)
class Ranking:
    """Cells by falling efficiency: `names` and `cells` in that order.

    `above_next` [n - 1]: how many standard errors each lies above the next (inf between enumerated cells whose brackets do not overlap).
    """

    names: tuple[str, ...]
    cells: tuple[CellEfficiency, ...]
    above_next: tuple[float, ...]

    def sentence(self) -> str:
        """How to read the numbers: which cell comes first, and how clearly."""
        best, second, z = self.cells[0], self.names[1], self.above_next[0]
        clearly = "by exact brackets" if math.isinf(z) else f"by {z:.1f} standard errors"
        span = f"efficiency {best.efficiency_low:.3f} to {best.efficiency_high:.3f}"
        return f"Of {len(self.names)} cells {self.names[0]} comes closest to the bound ({span}), above the next, {second}, {clearly}."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `sentence` included; an infinite distance is None."""
        cells = {name: cell.to_dict() for name, cell in zip(self.names, self.cells, strict=True)}
        return {"cells": cells, "above_next": [z if math.isfinite(z) else None for z in self.above_next], "sentence": self.sentence()}

    def to_sections(self) -> list[Section]:
        """The table of cells in their order."""
        rows = [
            {"cell": name, "I(S;L) (bit)": cell.i_ls.bits, "I(S;E) (bit)": cell.i_es.bits, "efficiency, low": cell.efficiency_low,
             "efficiency, high": cell.efficiency_high, "standard errors above the next": z,
             "defined": "yes" if cell.defined else "; ".join(cell.why_not)}
            for name, cell, z in zip(self.names, self.cells, (*self.above_next, math.nan), strict=True)
        ]  # fmt: skip
        return [Section("Ranking", [Table.from_rows("ranking", rows)], self.sentence())]


@checked
def rank_cells(
    p_environment: Any,
    p_ligand_given_environment: Any,
    channels: Mapping[str, Channel],
    *,
    hold_ligand: bool | None = None,
    seed: Seed = 0,
) -> Ranking:
    """Place each channel {name: Channel} against the same curve and order them by efficiency; all on the same doses.

    An efficiency above 1 is kept, with its reason in `why_not`; one that is NaN comes last. Raises ConfigError for fewer than two channels,
    DataError for channels of different doses, and what `cell_efficiency` does.
    """
    if len(channels) < 2:
        raise ConfigError(f"channels: found {len(channels)}, expected at least two to rank")
    first = next(iter(channels.values()))
    environments = checked_environments(p_environment, p_ligand_given_environment, first.doses)
    curve = environment_curve(environments, seed)
    placed_cells = {}
    for name, channel in channels.items():
        checked_environments(p_environment, p_ligand_given_environment, channel.doses)
        if not np.array_equal(channel.doses, first.doses):
            raise DataError(
                f"channels: {name!r} has the doses {channel.doses.tolist()}, expected those of the first, {first.doses.tolist()}"
            )
        held = channel.held is not False if hold_ligand is None else hold_ligand
        reading = Reading("trace" if channel.readout == "trajectory" else "snapshot", held, 0.01, seed)
        placed_cells[name] = placed(environments, curve, channel, None, reading)
    order = sorted(placed_cells, key=lambda name: _place(placed_cells[name]))
    cells = tuple(placed_cells[name] for name in order)
    return Ranking(tuple(order), cells, tuple(_distance(a, b) for a, b in pairwise(cells)))


def _place(cell: CellEfficiency) -> float:
    """Rising with falling efficiency; what has none (no information to compare) comes last."""
    return math.inf if math.isnan(cell.efficiency) else -cell.efficiency


def _distance(first: CellEfficiency, second: CellEfficiency) -> float:
    """Standard errors between two cells; between enumerated ones inf where the brackets lie apart and 0 where they overlap."""
    error = math.hypot(first.efficiency_error, second.efficiency_error)
    if error == 0:
        return math.inf if first.efficiency_low > second.efficiency_high else 0.0
    return (first.efficiency - second.efficiency) / error
