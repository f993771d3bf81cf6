"""Which doses a cell's response tells apart: their number by capacity, and each pair by itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from sciml.arguments import Seed, checked
from sciml.biology.information.dose_capacity import DataCapacity, bits_at, capacity_from_data
from sciml.biology.information.dose_decoder import Ratios, likelihood_ratios
from sciml.biology.information.doses import Dosed, checked_doses, dosed
from sciml.biology.information.intervals import Z95
from sciml.report.blocks import Figure, KeyFigure, KeyFigures, Section, Table, Text
from sciml.seeding import derive

__all__ = ["Distinction", "PairOfDoses", "distinguish"]


@dataclass(frozen=True)
class PairOfDoses:
    """How well one response tells two doses apart, both equally likely; each figure with a 95 % interval.

    `bits`: of 1. `auc`: how often a cell of `second` looks more like it than one of `first` does; 1/2 where nothing is told. `error`: how
    often the likelier dose is the wrong one. `auc` and `error` are of cells that the decoder had not seen.
    """

    first: Any
    second: Any
    bits: float
    bits_low: float
    bits_high: float
    auc: float
    auc_low: float
    auc_high: float
    error: float
    error_low: float
    error_high: float


@dataclass(frozen=True)
class Distinction:
    """Number of doses that could be told apart without error, 2^capacity (`low` to `high`), and all pairs of the doses given."""

    number: float
    low: float
    high: float
    capacity: DataCapacity
    pairs: tuple[PairOfDoses, ...]

    @property
    def hardest(self) -> PairOfDoses:
        """The pair of the fewest bits."""
        return min(self.pairs, key=lambda pair: pair.bits)

    def sentence(self) -> str:
        """How to read the numbers."""
        number = f"{self.number:.2f} doses without error, between {self.low:.2f} and {self.high:.2f} with 95 % confidence"
        pair = self.hardest
        hardest = f"{pair.bits:.3f} bit of 1, between {pair.bits_low:.3f} and {pair.bits_high:.3f}"
        return f"A response tells apart {number}; the hardest pair is {pair.first} and {pair.second}, {hardest}."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `sentence` included."""
        found = {"number": self.number, "low": self.low, "high": self.high, "sentence": self.sentence()}
        return found | {"capacity": self.capacity.to_dict(), "pairs": [dict(vars(pair)) for pair in self.pairs]}

    def to_sections(self) -> list[Section]:
        """The number, the matrix of bits and the table of pairs as a section of a report."""
        names = [str(dose) for dose in self.capacity.doses]
        place = {dose: k for k, dose in enumerate(self.capacity.doses)}
        grid: list[list[float | None]] = [[None] * len(names) for _ in names]
        for pair in self.pairs:
            a, b = place[pair.first], place[pair.second]
            grid[a][b] = grid[b][a] = round(pair.bits, 4)
        matrix = Figure(
            "pairs of doses", [{"type": "heatmap", "x": names, "y": names, "z": grid, "zmin": 0, "zmax": 1}],
            {"xaxis": {"title": "dose", "type": "category"}, "yaxis": {"title": "dose", "type": "category"}},
            caption="Bits, of 1, that one response tells of which of two equally likely doses was given.",
        )  # fmt: skip
        rows = [{**vars(pair), "first": str(pair.first), "second": str(pair.second)} for pair in self.pairs]
        figures = [
            KeyFigure("doses told apart", self.number, "", f"{self.low:.2f} to {self.high:.2f}"),
            KeyFigure("hardest pair", f"{self.hardest.first} and {self.hardest.second}", "", f"{self.hardest.bits:.3f} bit"),
        ]
        notes = Text("\n\n".join(["Intervals of the pairs are of single cells, not of groups.", *self.capacity.notes]))
        table = Table.from_rows("pairs of doses, figures", rows, units={"bits": "bit"})
        return [Section("Distinguishable doses", [KeyFigures(figures), matrix, table, notes], self.sentence())]


@checked
def distinguish(doses: Any, responses: Any, *, groups: Any = None, seed: Seed = 0) -> Distinction:
    """How many doses a response tells apart, 2^C, and how well each two: bits, area under the ROC curve, error, each with an interval.

    `doses` [n], `responses` [n] or [n, d] and `groups` as in `capacity_from_data`; the interval of the number is that of the capacity.
    Each pair has a decoder of its own, and intervals of single cells whatever the groups. AUC: Mann-Whitney, its error by Hanley and McNeil
    (Radiology 143 (1982) 29); error: Wilson's interval.

    Raises what `capacity_from_data` raises.
    """
    found = capacity_from_data(doses, responses, groups=groups, seed=seed)
    cells = dosed(checked_doses(doses, responses))
    pairs = []
    for a, b in combinations(range(len(cells.counts)), 2):
        two, _ = cells.take((cells.codes == a) | (cells.codes == b))
        pairs.append(_pair(two, found.doses[a], found.doses[b], derive(seed, "pair", a, b)))
    return Distinction(found.distinguishable, 2.0**found.low, 2.0**found.high, found, tuple(pairs))


def _pair(two: Dosed, first: Any, second: Any, seed: int) -> PairOfDoses:
    if not two.responses.shape[1]:
        return PairOfDoses(first, second, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
    ratios = likelihood_ratios(two, seed)
    told = bits_at(ratios, np.full((len(two.codes), 2), 0.5))
    score, same = _scores(ratios)
    auc, auc_low, auc_high = _auc(score, ratios.fitted[:, 1] - ratios.fitted[:, 0], two.codes, same)
    error, error_low, error_high = _error(score, two.codes, same)
    margin = Z95 * told.error
    return PairOfDoses(
        first, second, told.bits, told.bits - margin, told.bits + margin, auc, auc_low, auc_high, error, error_low, error_high
    )


def _scores(ratios: Ratios) -> tuple[np.ndarray, float]:
    """[n] log2 p(response | 1) / p(response | 0) by the fit without the cell, and how near two are the same.

    Without a cell its dose is a little rarer: the ratio is over these shares, or cells of a decoder that knows nothing would all be ranked
    against their dose. What is left of that, some 1 / n, must not be ranked either.
    """
    counts = np.bincount(ratios.codes)
    rarer = np.log2(counts / (counts - 1))[ratios.codes] * np.where(ratios.codes == 1, 1, -1)
    return ratios.left_out[:, 1] - ratios.left_out[:, 0] + rarer, 2 * float((1 / counts).sum()) / np.log(2)


def _auc(score: np.ndarray, fitted: np.ndarray, codes: np.ndarray, same: float) -> tuple[float, float, float]:
    """P(score of a cell of 1 > of a cell of 0); half of what the cells' own fit says more is in the interval, as doubt."""
    auc = _ranked(score, codes, same)
    doubt = 0.5 * (_ranked(fitted, codes, same) - auc)
    n0, n1 = np.bincount(codes)
    # With no cell in the wrong order the formula gives no error: at least as if half a cell were.
    inner = min(max(auc, 0.5 / max(n0, n1)), 1 - 0.5 / max(n0, n1))
    one, two = inner / (2 - inner), 2 * inner**2 / (1 + inner)
    chance = (inner * (1 - inner) + (n1 - 1) * (one - inner**2) + (n0 - 1) * (two - inner**2)) / (n0 * n1)
    margin = Z95 * float(np.sqrt(chance + doubt**2))
    return auc, max(auc - margin, 0.0), min(auc + margin, 1.0)


def _ranked(score: np.ndarray, codes: np.ndarray, same: float) -> float:
    """Share of pairs with the higher score at 1, those no more than `same` apart counting half."""
    ones, zeros = score[codes == 1], np.sort(score[codes == 0])
    above, level = np.searchsorted(zeros, ones - same, side="left"), np.searchsorted(zeros, ones + same, side="right")
    return float((above + level).sum() / (2 * len(ones) * len(zeros)))


def _error(score: np.ndarray, codes: np.ndarray, same: float) -> tuple[float, float, float]:
    """Mean of both doses' shares of cells on the wrong side, half of those nearer to 0 than `same`; Wilson's interval with as many cells as
    weigh the same."""
    counts = np.bincount(codes)
    wrong = np.where(abs(score) <= same, 0.5, (score > 0) != (codes == 1))
    error = float((np.bincount(codes, wrong) / counts).mean())
    n = 4 / float((1 / counts).sum())
    centre, span = (error + Z95**2 / (2 * n)) / (1 + Z95**2 / n), np.sqrt(error * (1 - error) / n + (Z95 / (2 * n)) ** 2)
    margin = Z95 * float(span) / (1 + Z95**2 / n)
    return error, max(centre - margin, 0.0), min(centre + margin, 1.0)
