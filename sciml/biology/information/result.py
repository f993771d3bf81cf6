"""What an estimate of information says: bits, how far to trust them, and how to read them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from sciml.report.blocks import KeyFigure, KeyFigures, Section, Text

__all__ = ["Estimate", "MutualInformation"]


@dataclass(frozen=True)
class Estimate:
    """What one estimator found; `bits` is raw: it may be negative.

    `standard_error` in bits; `low` and `high` hold the truth with 95 % (`high` = inf: only a lower bound is known, and 95 % is one-sided);
    `interval` and `extrapolation` say in words how they were made; `estimator` names also the transform that was taken.
    """

    bits: float
    standard_error: float
    low: float
    high: float
    estimator: str
    interval: str
    extrapolation: str = "none"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MutualInformation:
    """I(X;Y) in bits, with its interval and what it was made from.

    `bits` is raw and may be negative where there is little to find; `clipped` lies between 0 and `entropy_bound`. `low` to `high` holds the
    truth with 95 %; `high` = inf where only a lower bound is known. `baseline`: the mean of the same estimator on
    shuffled pairs, whose truth is 0. `input_law`: how the x were distributed, since I depends on it; `readout`: snapshot, trajectory, rate
    or what the caller called it. `entropy_bound`: the least entropy of a discrete side, inf where both are continuous.
    """

    bits: float
    low: float
    high: float
    standard_error: float
    estimator: str
    interval: str
    extrapolation: str
    baseline: float
    input_law: str
    readout: str
    entropy_bound: float
    n: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    @property
    def clipped(self) -> float:
        """`bits`, not below 0 and not above `entropy_bound`."""
        return min(max(self.bits, 0.0), self.entropy_bound)

    @property
    def one_sided(self) -> bool:
        """Only a lower bound is known."""
        return math.isinf(self.high)

    def sentence(self) -> str:
        """One sentence that says how to read the numbers."""
        about = f"{self.bits:.3f} bit in {self.n:,} pairs ({self.readout}; {self.input_law})"
        if math.isnan(self.low):
            return f"{about} by {self.estimator}; no interval was asked for."
        if self.one_sided:
            more = "nothing is said about how much more"
            return f"At least {self.low:.3f} bit with 95 % confidence, {more}; estimate {about} by {self.estimator}."
        nothing = " No information is also compatible with the data." if self.low <= 0 else ""
        return f"{about}, between {self.low:.3f} and {self.high:.3f} with 95 % confidence, by {self.estimator}.{nothing}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `clipped` and `sentence` included; infinities are None."""
        found = asdict(self) | {"clipped": self.clipped, "sentence": self.sentence(), "notes": list(self.notes)}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in found.items()}

    def to_sections(self) -> list[Section]:
        """The figures, the sentence and the notes as a section of a report."""
        span = "" if math.isnan(self.low) else f"{self.low:.3f} to {'?' if self.one_sided else f'{self.high:.3f}'}"
        figures = [KeyFigure("information", self.bits, "bit", span), KeyFigure("on shuffled pairs", self.baseline, "bit", "truth 0")]
        made = f"Interval: {self.interval}. Extrapolation: {self.extrapolation}."
        notes = "\n\n".join([made, *self.notes])
        return [Section("Information", [KeyFigures(figures), Text(notes)], self.sentence())]
