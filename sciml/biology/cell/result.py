"""Where a cell stands against its bound."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from sciml.biology.information.bottleneck_result import BottleneckCurve
from sciml.report import Block, Figure, KeyFigure, KeyFigures, Section, Table, Text, bars
from sciml.report.blocks import plain

__all__ = ["Bits", "CellEfficiency", "Step"]


@dataclass(frozen=True)
class Bits:
    """An information in bits (raw) with its 95 % interval; where it was enumerated both ends equal it and the error is 0."""

    bits: float
    low: float
    high: float
    standard_error: float = 0.0

    @property
    def exact(self) -> bool:
        """It was enumerated, not estimated."""
        return self.standard_error == 0


@dataclass(frozen=True)
class Step:
    """What a step of E - L - S - G loses: bits about E before it less bits after it."""

    step: str
    before: float
    after: float
    lost: float
    standard_error: float


@dataclass(frozen=True)
class CellEfficiency:
    """I(S;E) of a cell against the most that any read-out with the same I(S;L) could have (the information bottleneck's curve).

    `i_ls`, `i_es`: I(S;L), I(S;E); `i_le`: I(L;E), what the ligand tells at all; `i_eg`, `i_lg`: of the expression G, None without one.
    `bound_low`, `bound_high`: bracket of the curve at I(S;L), with the uncertainty of I(S;L) in it. `efficiency` = I(S;E) / bound with
    `efficiency_low` and `efficiency_high`, all raw, never clipped. `readout_efficiency` = I(G;E) / I(S;E). `defined`: the efficiency means
    what it says; `why_not` gives the reasons otherwise. `certified`: the bracket of the curve is a proof. `cost`: mean over p(L) of what
    was given, in `cost_unit`.
    """

    i_le: float
    i_ls: Bits
    i_es: Bits
    i_eg: Bits | None
    i_lg: Bits | None
    bound_low: float
    bound_high: float
    efficiency: float
    efficiency_low: float
    efficiency_high: float
    efficiency_error: float
    defined: bool
    why_not: tuple[str, ...]
    certified: bool
    estimator: str
    readout: str
    curve: BottleneckCurve
    cost: float | None = None
    cost_unit: str = ""
    n: int = 0
    seed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def readout_efficiency(self) -> float:
        """I(G;E) / I(S;E), NaN without an expression."""
        return self.i_eg.bits / self.i_es.bits if self.i_eg is not None and self.i_es.bits != 0 else math.nan

    @property
    def steps(self) -> tuple[Step, ...]:
        """Bits about the environment lost at L -> S and, with an expression, at S -> G."""
        found = [Step("L -> S", self.i_le, self.i_es.bits, self.i_le - self.i_es.bits, self.i_es.standard_error)]
        if self.i_eg is not None:
            error = math.hypot(self.i_es.standard_error, self.i_eg.standard_error)
            found.append(Step("S -> G", self.i_es.bits, self.i_eg.bits, self.i_es.bits - self.i_eg.bits, error))
        return tuple(found)

    def sentence(self) -> str:
        """One sentence that says how to read it."""
        about = f"{self.i_es.bits:.3f} of the {self.i_le:.3f} bit that it tells about the environment"
        lead = f"The signal keeps {self.i_ls.bits:.3f} bit of the ligand and {about}"
        if not self.defined:
            return f"{lead}; an efficiency is not defined: {'; '.join(self.why_not)}."
        return f"{lead}: {self.efficiency_low:.1%} to {self.efficiency_high:.1%} of the most that any signal with as many bits could have."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; the curve by its points, None for what is not there."""
        found = {name: value for name, value in vars(self).items() if name != "curve"}
        found = {k: asdict(v) if isinstance(v, Bits) else v for k, v in found.items()}
        found |= {"steps": [asdict(step) for step in self.steps], "sentence": self.sentence(), "curve": self.curve.to_dict()}
        made: dict[str, Any] = plain(found)
        return made

    def to_sections(self) -> list[Section]:
        """Key figures, the information plane (curve with bracket, the cell with its error bars), bits lost at each step."""
        told = [("I(S;L)", self.i_ls), ("I(S;E)", self.i_es), ("I(G;E)", self.i_eg)]
        figures = [KeyFigure(name, bits.bits, "bit", _span(bits)) for name, bits in told if bits is not None]
        share = f"{self.efficiency_low:.3f} to {self.efficiency_high:.3f}"
        figures.append(KeyFigure("efficiency", self.efficiency, "", share, "good" if self.defined else "warn"))
        if self.cost is not None:
            figures.append(KeyFigure("cost", self.cost, self.cost_unit))
        blocks: list[Block] = [KeyFigures(figures), _plane(self)]
        steps = self.steps
        blocks.append(bars("bits lost at each step", [s.step for s in steps], [s.lost for s in steps], label="lost", unit="bit"))
        blocks.append(Table.from_rows("steps", [{"step": s.step, "before (bit)": s.before, "after (bit)": s.after, "lost (bit)": s.lost,
                                                 "standard error": s.standard_error} for s in steps]))  # fmt: skip
        if self.why_not:
            blocks.append(Text("Not defined: " + "; ".join(self.why_not) + ".", "warn"))
        if self.notes:
            blocks.append(Text("\n\n".join(self.notes)))
        return [Section("The cell against its bound", blocks, self.sentence())]


def _plane(cell: CellEfficiency) -> Figure:
    """The curve's own figure with the cell added."""
    plane = next(block for section in cell.curve.to_sections() for block in section.blocks if isinstance(block, Figure))
    point = {"type": "scatter", "mode": "markers", "name": "cell", "x": [cell.i_ls.bits], "y": [cell.i_es.bits], "marker": {"size": 11},
             "error_x": _bar(cell.i_ls), "error_y": _bar(cell.i_es)}  # fmt: skip
    return Figure("information plane", [*plane.traces, point], plane.layout, plane.caption, plane.notes)


def _bar(bits: Bits) -> dict[str, object]:
    return {"type": "data", "symmetric": False, "array": [bits.high - bits.bits], "arrayminus": [bits.bits - bits.low]}


def _span(bits: Bits) -> str:
    return "enumerated" if bits.exact else f"{bits.low:.3f} to {bits.high:.3f}"
