"""The tables of single cells that come with the package: `datasets/lac-cells/`, with a card that says what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sciml import resources
from sciml.biology.cell_tables import CellSamples, read_table, samples_of
from sciml.biology.network import nearest
from sciml.errors import ConfigError

__all__ = ["ShippedCells", "load_cells"]

_READOUT, _DOSE, _SUFFIX = "mean_intensity", "IPTG_uM", ".csv.gz"
_SETS = ("lac-cells",)
_REPRESSORS = {"HG104": 22, "RBS1027": 260, "RBS1L": 1740}  # a cell, as measured by the source


@dataclass(frozen=True)
class ShippedCells:
    """Cells of a strain without their background, and the capacity in bits that the source's theory gives it."""

    cells: CellSamples
    dose: str
    readout: str
    published_bits: float


def load_cells(name: str, strain: str | None = None) -> ShippedCells:
    """The cells of a strain of a shipped data set: intensity less the mean of the cells without a fluorescent protein, against IPTG in uM.

    Raises ConfigError for an unknown data set or strain, with those that there are.
    """
    if name not in _SETS:
        raise ConfigError(f"data set {name!r} of single cells is not known{nearest(name, _SETS)}; there is {', '.join(_SETS)}")
    folder = resources.find("datasets") / name
    known = sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    if strain not in known:
        raise ConfigError(f"strain: found {strain!r}{nearest(strain or '', known)}; {name} has {', '.join(known)}")
    found = samples_of(
        read_table(folder / f"{strain}{_SUFFIX}", [_DOSE, _READOUT, "strain", "date"]), [_DOSE], [_READOUT], ["strain", "date"]
    )
    operator, _, own = strain.partition("-")
    kinds, dates = zip(*(text.split(" / ") for text in found.groups.tolist()), strict=True) if found.groups is not None else ((), ())
    kind = np.array(kinds)
    background = float(found.y[kind == "auto"].mean())
    cells = CellSamples(
        found.x[kind == own],
        found.y[kind == own] - background,
        None,
        {_DOSE: "uM", _READOUT: "a.u."},
        (
            f"strain {strain}, measured on {', '.join(sorted(set(dates)))}: all doses on one day",
            f"background {background:.4g}, the mean of {int((kind == 'auto').sum())} cells without a fluorescent protein, is taken off",
        ),
    )
    return ShippedCells(cells, _DOSE, _READOUT, _published(folder, operator, _REPRESSORS[own]))


def _published(folder: Path, operator: str, repressors: int) -> float:
    table = read_table(folder / "theory.csv", ["operator", "repressors", "capacity_bits"])
    found = samples_of(table, ["repressors"], ["capacity_bits"], ["operator"])
    return float(found.y[(found.groups == operator) & (found.x == repressors)][0, 0])
