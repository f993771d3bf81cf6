"""Checks with a figure, a limit and a verdict: one row a property, as text and as a section of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sciml.report.blocks import Section, Table, Text

__all__ = ["Row", "Verdict", "counted", "find", "section", "text"]

Verdict = Literal["pass", "fail", "not applicable"]


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
        """The row of a property that what is audited does not have."""
        return cls(name, "not applicable", reason=reason)

    @classmethod
    def failed(cls, name: str, reason: str) -> Row:
        """The row of a property that could not be measured because the measurement itself broke."""
        return cls(name, "fail", reason=reason)

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON can hold it."""
        return dict(vars(self))


def find(table: Sequence[Row], name: str) -> Row:
    """The row of that name. KeyError that lists the names where there is none."""
    for row in table:
        if row.name == name:
            return row
    raise KeyError(f"no row {name!r}; the rows are {', '.join(row.name for row in table)}")


def counted(table: Sequence[Row]) -> str:
    """ "3 pass, 1 fail, 2 not applicable"."""
    return ", ".join(f"{sum(row.verdict == verdict for row in table)} {verdict}" for verdict in ("pass", "fail", "not applicable"))


def text(summary: str, table: Sequence[Row]) -> str:
    """A summary and the rows as plain text, one line a row."""
    lines = [summary]
    width = max((len(row.name) for row in table), default=0)
    for row in table:
        figure = "" if row.figure is None else f"{row.figure:9.1e} (<= {row.tolerance:.0e}) {row.unit}".rstrip()
        lines.append(f"{row.verdict:14s}  {row.name:{width}s}  {figure:34s}  {row.reason}".rstrip())
    return "\n".join(lines)


def section(title: str, summary: str, passed: bool, table: Sequence[Row]) -> Section:
    """The rows as a section of a report."""
    columns: dict[str, list[Any]] = {
        "check": [row.name for row in table],
        "verdict": [row.verdict for row in table],
        "figure": [row.figure for row in table],
        "limit": [row.tolerance for row in table],
        "unit": [row.unit or "relative" for row in table],
        "what was found": [row.reason for row in table],
    }
    tones = {"pass": "good", "fail": "bad", "not applicable": ""}
    rows = Table("audit", columns, digits=2, tones=tones, caption="A row passes where its figure is at most its limit.")
    failed = [f"{row.name}: {row.reason}" for row in table if row.verdict == "fail"]
    return Section(title, [Text("\n\n".join([summary, *failed]), tone="good" if passed else "bad"), rows])
