"""What the checks of labels say: findings, and the report that holds them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from sciml.errors import DataError
from sciml.materials.labels.census import LabelCensus
from sciml.materials.labels.copies import SetComparison

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing found: kind ("stress-scale", "swapped-labels", "identical", ...), message, records concerned (counted from 0, at most
    50)."""

    level: Level
    kind: str
    message: str
    records: tuple[int, ...] = ()


@dataclass(frozen=True)
class LabelReport:
    """Census, findings, and the comparison with a test set where one was given. `examined`: records whose labels were held against a
    model."""

    census: LabelCensus
    findings: tuple[Finding, ...]
    examined: int
    ratios: dict[str, float]
    comparison: SetComparison | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing worse than a note was found."""
        return all(finding.level == "note" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self) | {"passed": self.passed}

    def text(self) -> str:
        """The census and one line a finding."""
        lines = [self.census.text()]
        lines += [f"{finding.level}: {finding.kind}: {finding.message}" for finding in self.findings]
        ratios = ", ".join(f"{name} {ratio:.3g}" for name, ratio in self.ratios.items())
        lines.append(f"scale and sign: {self.examined} records held against each other" + (f"; ratios {ratios}" if ratios else ""))
        return "\n".join(lines)

    def require_no_error(self) -> None:
        """Raises DataError with the first error found."""
        for finding in self.findings:
            if finding.level == "error":
                raise DataError(f"{finding.kind}: {finding.message}")


def listed(records: tuple[int, ...] | list[int], limit: int = 6) -> str:
    """ "3, 7, 9" or "3, 7, ... (50 in all)"."""
    shown = ", ".join(str(record) for record in records[:limit])
    return shown if len(records) <= limit else f"{shown}, ... ({len(records)} in all)"


def number(value: float) -> str:
    """With sign, three decimals, and no more than six digits where it is large."""
    return f"{value:+.3f}" if abs(value) < 1000 else f"{value:+.6g}"
