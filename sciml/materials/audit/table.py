"""The table of an audit: one row a property, its figure, its limit, its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sciml.report.blocks import Section, Table, Text

__all__ = ["Audit", "Row", "Verdict"]

Verdict = Literal["pass", "fail", "not applicable"]
FORCE_ROW = "forces against differences"


@dataclass(frozen=True)
class Row:
    """One property: `figure` and `tolerance` in `unit` ("" = relative, see `reason`); it passes where figure <= tolerance.

    `figure` is None where nothing was measured: `reason` then says why the row does not apply or failed.
    """

    name: str
    verdict: Verdict
    figure: float | None = None
    tolerance: float | None = None
    unit: str = ""
    reason: str = ""

    @classmethod
    def judged(cls, name: str, figure: float, tolerance: float, reason: str = "", unit: str = "") -> Row:
        """The row of a measured figure; one that is not finite fails."""
        if not math.isfinite(figure):
            return cls(name, "fail", None, tolerance, unit, f"the figure is not finite; {reason}")
        return cls(name, "pass" if figure <= tolerance else "fail", float(figure), tolerance, unit, reason)

    @classmethod
    def absent(cls, name: str, reason: str) -> Row:
        """The row of a property that this calculator or these structures do not have."""
        return cls(name, "not applicable", reason=reason)

    @classmethod
    def failed(cls, name: str, reason: str) -> Row:
        """The row of a property that could not be measured because the calculator broke."""
        return cls(name, "fail", reason=reason)

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON can hold it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Audit:
    """What an audit found; `table` holds the rows in their order, `passed` is the verdict.

    `precision` is "float64" where two evaluations of a structure moved by 1,000 A agree to 1e-10 (relative) and rounding leaves no noise
    above that, else "float32"; it decides the limits. `structures` counts those given, `audited` are the indices (from 0) of those used;
    `calls` counts evaluations.
    """

    calculator: str
    precision: Literal["float64", "float32"]
    structures: int
    audited: tuple[int, ...]
    table: tuple[Row, ...]
    calls: int
    seed: int

    @property
    def passed(self) -> bool:
        """Nothing failed, and at least the forces were measured against differences of the energy and passed."""
        forces = any(row.name == FORCE_ROW and row.verdict == "pass" for row in self.table)
        return forces and all(row.verdict != "fail" for row in self.table)

    def row(self, name: str) -> Row:
        """The row of that name. KeyError that lists the names where there is none."""
        for row in self.table:
            if row.name == name:
                return row
        raise KeyError(f"no row {name!r}; the rows are {', '.join(row.name for row in self.table)}")

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; a figure that was not measured is None."""
        fields = {name: value for name, value in vars(self).items() if name != "table"}
        return fields | {"audited": list(self.audited), "passed": self.passed, "table": [row.to_dict() for row in self.table]}

    def summary(self) -> str:
        """One sentence: passed or not, by which limits, on what."""
        counts = {verdict: sum(row.verdict == verdict for row in self.table) for verdict in ("pass", "fail", "not applicable")}
        which = ", ".join(map(str, self.audited))
        return (
            f"{self.calculator}: {'passed' if self.passed else 'NOT passed'} "
            f"({counts['pass']} pass, {counts['fail']} fail, {counts['not applicable']} not applicable), limits of {self.precision}, "
            f"structures {which} of {self.structures}, {self.calls} evaluations"
        )

    def text(self) -> str:
        """The table as plain text, one line a row."""
        lines = [self.summary()]
        width = max(len(row.name) for row in self.table)
        for row in self.table:
            figure = "" if row.figure is None else f"{row.figure:9.1e} (<= {row.tolerance:.0e}) {row.unit}".rstrip()
            lines.append(f"{row.verdict:14s}  {row.name:{width}s}  {figure:34s}  {row.reason}".rstrip())
        return "\n".join(lines)

    __str__ = text

    def to_sections(self) -> Sequence[Section]:
        """The audit as a section of a report."""
        columns: dict[str, list[Any]] = {
            "check": [row.name for row in self.table],
            "verdict": [row.verdict for row in self.table],
            "figure": [row.figure for row in self.table],
            "limit": [row.tolerance for row in self.table],
            "unit": [row.unit or "relative" for row in self.table],
            "what was found": [row.reason for row in self.table],
        }
        tones = {"pass": "good", "fail": "bad", "not applicable": ""}
        rows = Table("audit", columns, digits=2, tones=tones, caption="A row passes where its figure is at most its limit.")
        failed = [f"{row.name}: {row.reason}" for row in self.table if row.verdict == "fail"]
        return [Section("Audit", [Text("\n\n".join([self.summary(), *failed]), tone="good" if self.passed else "bad"), rows])]
