"""Where a cell (ligand, signal, gene expression, environment) stands against its bound: one cell, maps of designs, rankings of variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciml.door import open_door

if TYPE_CHECKING:
    from sciml.biology.cell.efficiency import cell_efficiency
    from sciml.biology.cell.maps import EfficiencyMap, efficiency_map, hill_readout
    from sciml.biology.cell.ranking import Ranking, rank_cells
    from sciml.biology.cell.result import Bits, CellEfficiency, Step

_MODULES = {
    "efficiency": ("cell_efficiency",),
    "result": ("CellEfficiency", "Bits", "Step"),
    "maps": ("efficiency_map", "EfficiencyMap", "hill_readout"),
    "ranking": ("rank_cells", "Ranking"),
}
__all__ = [
    "cell_efficiency", "CellEfficiency", "Bits", "Step",
    "efficiency_map", "EfficiencyMap", "hill_readout",
    "rank_cells", "Ranking",
]  # fmt: skip

open_door(__name__, _MODULES)
