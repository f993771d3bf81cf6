"""The audit of a network: every check that applies to it, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked
from sciml.biology.audit import deterministic, stochastic
from sciml.biology.network import Network
from sciml.biology.simulation.requests import Seed
from sciml.report import verdicts
from sciml.report.blocks import Section
from sciml.report.verdicts import Row

__all__ = ["Audit", "audit"]

_Time = Annotated[float, Bound("a finite time > 0", lambda t: 0 < t < np.inf)]
_Trajectories = Annotated[int, Bound("at least 100 trajectories", lambda n: 100 <= n < 2**63)]


@dataclass(frozen=True)
class Audit:
    """What an audit of a network found; `table` holds the rows in their order.

    `end` is the last time that was looked at, `trajectories` how many were drawn, from `seed`.
    """

    network: str
    end: float
    trajectories: int
    seed: int
    table: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Nothing failed, and something was measured."""
        return any(row.verdict == "pass" for row in self.table) and all(row.verdict != "fail" for row in self.table)

    @checked
    def row(self, name: str) -> Row:
        """The row of that name. KeyError that lists the names where there is none."""
        return verdicts.find(self.table, name)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; a figure that was not measured is None."""
        fields = {name: value for name, value in vars(self).items() if name != "table"}
        return fields | {"passed": self.passed, "table": [row.to_dict() for row in self.table]}

    def summary(self) -> str:
        """One sentence: passed or not, on what."""
        verdict = "passed" if self.passed else "NOT passed"
        return f"{self.network}: {verdict} ({verdicts.counted(self.table)}), up to time {self.end:g}, {self.trajectories} trajectories"

    def text(self) -> str:
        """The table as plain text, one line a row."""
        return verdicts.text(self.summary(), self.table)

    __str__ = text

    def to_sections(self) -> Sequence[Section]:
        """The audit as a section of a report."""
        return [verdicts.section("Audit", self.summary(), self.passed, self.table)]


@checked
def audit(net: Network, *, end: _Time | None = None, n: _Trajectories = 2000, seed: Seed = 0) -> Audit:
    """Hold the simulators against theory on this network, from time 0 to `end`.

    Deterministic: conservation laws, the Jacobian against differences, another integrator, another grid of times. Stochastic (`n`
    trajectories): the same bits in another batch, conservation to the last molecule, means and variances against the master equation where
    its states can be counted, and the means of a system 100 times larger against the deterministic run. What does not apply to a network
    is said with the reason. `end` None: five times the slowest relaxation at the start, as far as 1e5 events of a trajectory go.

    Raises ConfigError for less than 100 trajectories, and DataError for a network whose values are missing.
    """
    last = float(end) if end is not None else deterministic.horizon(net)
    times = np.linspace(0.0, last, 11)
    rows = [*deterministic.rows(net, times), *stochastic.rows(net, times, n, seed)]
    return Audit(net.id, last, n, seed, tuple(rows))
