"""The table of an audit: one row a property, its figure, its limit, its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sciml.report import verdicts
from sciml.report.blocks import Section
from sciml.report.verdicts import Row

__all__ = ["FORCE_ROW", "Audit"]

FORCE_ROW = "forces against differences"


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
        return verdicts.find(self.table, name)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; a figure that was not measured is None."""
        fields = {name: value for name, value in vars(self).items() if name != "table"}
        return fields | {"audited": list(self.audited), "passed": self.passed, "table": [row.to_dict() for row in self.table]}

    def summary(self) -> str:
        """One sentence: passed or not, by which limits, on what."""
        which = ", ".join(map(str, self.audited))
        return (
            f"{self.calculator}: {'passed' if self.passed else 'NOT passed'} "
            f"({verdicts.counted(self.table)}), limits of {self.precision}, "
            f"structures {which} of {self.structures}, {self.calls} evaluations"
        )

    def text(self) -> str:
        """The table as plain text, one line a row."""
        return verdicts.text(self.summary(), self.table)

    __str__ = text

    def to_sections(self) -> Sequence[Section]:
        """The audit as a section of a report."""
        return [verdicts.section("Audit", self.summary(), self.passed, self.table)]
