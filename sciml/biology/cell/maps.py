"""Design maps: how the efficiency of a Hill read-out changes with its steepness, half point and copy number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, Seed, checked
from sciml.biology.cell.efficiency import Reading, environment_curve, placed
from sciml.biology.cell.environments import checked_environments
from sciml.biology.channel import Channel
from sciml.errors import DataError
from sciml.report import Figure, Section, Table

__all__ = ["EfficiencyMap", "efficiency_map", "hill_readout"]

_Positive = Annotated[float, Bound("a number > 0", lambda v: 0 < v < float("inf"))]
_Background = Annotated[float, Bound("a number >= 0", lambda v: 0 <= v < float("inf"))]


@dataclass(frozen=True)
class EfficiencyMap:
    """`efficiency_low`, `efficiency_high`, `i_ls`, `i_es` [H, K, N] over Hill coefficients `hill` [H], `half_point` [K], `copies` [N].

    NaN where a cell of the map could not be placed; `refused` says why: (index of hill, half point, copies) -> reason.
    """

    hill: np.ndarray
    half_point: np.ndarray
    copies: np.ndarray
    efficiency_low: np.ndarray
    efficiency_high: np.ndarray
    i_ls: np.ndarray
    i_es: np.ndarray
    refused: dict[tuple[int, int, int], str]

    @property
    def best(self) -> tuple[float, float, float]:
        """(Hill coefficient, half point, copies) of the highest lower end. ValueError where nothing could be placed."""
        h, k, n = np.unravel_index(np.nanargmax(self.efficiency_low), self.efficiency_low.shape)
        return float(self.hill[h]), float(self.half_point[k]), float(self.copies[n])

    def sentence(self) -> str:
        """How to read the numbers."""
        what = "I(S;E) over the most possible at the same I(S;L), for a Poisson read-out of a Hill response"
        if np.isnan(self.efficiency_low).all():
            return f"{what}: no combination could be placed."
        hill, half, copies = self.best
        low, high = np.nanmax(self.efficiency_low), self.efficiency_high.ravel()[np.nanargmax(self.efficiency_low)]
        where = f"Hill coefficient {hill:g}, half point {half:g} and {copies:g} copies"
        return f"{what}: {low:.4f} to {high:.4f} at the best, {where}; {len(self.refused)} of {self.i_ls.size} could not be placed."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `sentence` included; keys of `refused` as texts "hill,half point,copies"."""
        found = {name: value.tolist() for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return found | {"refused": {",".join(map(str, key)): why for key, why in self.refused.items()}, "sentence": self.sentence()}

    def to_sections(self) -> list[Section]:
        """One heat map of half point by copies for each Hill coefficient, and all numbers as a table."""
        figures = [self._panel(h) for h in range(len(self.hill))]
        rows = [
            {"Hill coefficient": self.hill[h], "half point": self.half_point[k], "copies": self.copies[n],
             "I(S;L) (bit)": self.i_ls[h, k, n], "I(S;E) (bit)": self.i_es[h, k, n],
             "efficiency, low": self.efficiency_low[h, k, n], "efficiency, high": self.efficiency_high[h, k, n],
             "refused": self.refused.get((h, k, n), "")}
            for h, k, n in np.ndindex(self.i_ls.shape)
        ]  # fmt: skip
        return [Section("Design map", [*figures, Table.from_rows("design map", rows)], self.sentence())]

    def _panel(self, h: int) -> Figure:
        middle = 0.5 * (self.efficiency_low[h] + self.efficiency_high[h])
        trace = {"type": "heatmap", "x": [f"{v:g}" for v in self.copies], "y": [f"{v:g}" for v in self.half_point], "z": middle,
                 "colorscale": "Viridis", "zmin": float(np.nanmin(self.efficiency_low)), "zmax": float(np.nanmax(self.efficiency_high)),
                 "colorbar": {"title": {"text": "efficiency"}}}  # fmt: skip
        layout = {
            "xaxis": {"title": {"text": "copies"}, "type": "category"},
            "yaxis": {"title": {"text": "half point"}, "type": "category"},
        }
        return Figure(f"efficiency at Hill coefficient {self.hill[h]:g}", [trace], layout)


@checked
def efficiency_map(
    p_environment: Any, p_ligand_given_environment: Any, ligand: Any, *, hill: Any = (1.0, 2.0, 4.0), half_point: Any = (1.0,),
    copies: Any = (5.0, 50.0, 500.0), background: _Background = 0.1, seed: Seed = 0,
) -> EfficiencyMap:  # fmt: skip
    """The efficiency of `hill_readout` at every combination; `ligand` [nL] in the unit of `half_point`, one amount a column of p(L|E).

    Exact, by enumeration; the bottleneck's curve is made once. A combination that cannot be placed is recorded and the map goes on.
    """
    amounts = _axis("ligand", ligand)
    environments = checked_environments(p_environment, p_ligand_given_environment, amounts)
    curve = environment_curve(environments, seed)
    axes = [_axis(name, values) for name, values in (("hill", hill), ("half_point", half_point), ("copies", copies))]
    shape = tuple(map(len, axes))
    found = {name: np.full(shape, np.nan) for name in ("efficiency_low", "efficiency_high", "i_ls", "i_es")}
    refused: dict[tuple[int, int, int], str] = {}
    for place in np.ndindex(shape):
        values = [float(axis[k]) for axis, k in zip(axes, place, strict=True)]
        channel = Channel.from_matrix(hill_readout(amounts, *values, background=background), doses=amounts)
        cell = placed(environments, curve, channel, None, Reading("snapshot", True, 0.0, seed))
        found["i_ls"][place], found["i_es"][place] = cell.i_ls.bits, cell.i_es.bits
        if cell.efficiency_low > 1 + 1e-9:
            refused[place[0], place[1], place[2]] = "; ".join(cell.why_not)
        else:
            found["efficiency_low"][place], found["efficiency_high"][place] = cell.efficiency_low, cell.efficiency_high
    return EfficiencyMap(
        hill=axes[0], half_point=axes[1], copies=axes[2], efficiency_low=found["efficiency_low"], efficiency_high=found["efficiency_high"],
        i_ls=found["i_ls"], i_es=found["i_es"], refused=refused,
    )  # fmt: skip


@checked
def hill_readout(ligand: Any, hill: _Positive, half_point: _Positive, copies: _Positive, *, background: _Background = 0.1) -> np.ndarray:
    """p(s|l) [nL, nS], S ~ Poisson(N L^h / (L^h + K^h) + background), s = 0 .. N + 6 sqrt(N) + 10, rows normalised."""
    from scipy.special import expit
    from scipy.stats import poisson

    amounts = _axis("ligand", ligand)
    with np.errstate(divide="ignore"):
        mean = copies * expit(hill * (np.log(amounts) - np.log(half_point))) + background
    law: np.ndarray = poisson.pmf(np.arange(int(copies + background + 6 * np.sqrt(copies + background)) + 11), mean[:, None])
    return law / law.sum(axis=1, keepdims=True)


def _axis(name: str, values: Any) -> np.ndarray:
    try:
        found = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        raise DataError(f"{name}: found {values!r}, expected numbers") from None
    least = 0 if name == "ligand" else np.nextafter(0, 1)
    if found.ndim != 1 or not len(found) or not (np.isfinite(found) & (found >= least)).all():
        raise DataError(f"{name}: found {values!r}, expected a list of finite numbers {'>= 0' if name == 'ligand' else '> 0'}")
    return found
