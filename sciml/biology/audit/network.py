"""The audit of a network, an estimator or a bottleneck curve: every check that applies to it, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked
from sciml.biology.audit import curve, deterministic, stochastic
from sciml.biology.audit.curve import Curve
from sciml.biology.audit.subject import LawKind
from sciml.biology.network import Network
from sciml.biology.simulation.requests import Seed
from sciml.report import verdicts
from sciml.report.blocks import Section
from sciml.report.verdicts import Row

__all__ = ["Audit", "audit"]

_Time = Annotated[float, Bound("a finite time > 0", lambda t: 0 < t < np.inf)]
_Number = Annotated[int, Bound("at least 100 trajectories or pairs", lambda n: 100 <= n < 2**63)]


@dataclass(frozen=True)
class Audit:
    """What an audit found; `table` holds the rows in their order.

    `subject` is the network, estimator or curve; `setting` says on what it was held: times and trajectories, or pairs of samples.
    """

    subject: str
    setting: str
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
        return f"{self.subject}: {verdict} ({verdicts.counted(self.table)}), {self.setting}"

    def text(self) -> str:
        """The table as plain text, one line a row."""
        return verdicts.text(self.summary(), self.table)

    __str__ = text

    def to_sections(self) -> Sequence[Section]:
        """The audit as a section of a report."""
        return [verdicts.section("Audit", self.summary(), self.passed, self.table)]


@checked
def audit(net: Any, *, end: _Time | None = None, n: _Number | None = None, kind: LawKind | None = None, seed: Seed = 0) -> Audit:
    """Hold the simulators against theory on a network; an estimator of information or a bottleneck curve against what must hold for it.

    Of a network, from time 0 to `end`. Deterministic: conservation laws, the Jacobian against differences, another integrator, another grid
    of times. Stochastic (`n` trajectories, 2,000): the same bits in another batch, conservation to the last molecule, means and variances
    against the master equation where its states can be counted, and the means of a system 100 times larger against the deterministic run.
    `end` None: five times the slowest relaxation at the start, as far as 1e5 events of a trajectory go.

    Of an estimator (a name of `info.estimator_rule()`, "auto", an object with the calls of `Estimator`, or a function of x [n, d] and
    y [n, d] that gives bits), on samples of `n` pairs (500): independent sides give 0, noise adds nothing, classes tell no more than their
    entropy, monotone maps, offsets, orders of rows and columns and a swap of the sides change nothing, known laws give their truth,
    intervals cover it and are not too wide. `kind`: "continuous", "doses" (codes [n] against responses) or "discrete" where only such
    laws are meant; a function that cannot take some raises.

    Of a bottleneck curve: closed bracket, data processing, a rising concave shape, each point the best at its own beta.

    What does not apply is said with the reason. Raises ConfigError for less than 100 trajectories or pairs and what is neither, and
    DataError for a network whose values are missing.
    """
    if isinstance(net, Curve):
        return Audit("bottleneck curve", f"{len(net.beta)} points", seed, tuple(curve.rows(net)))
    if not isinstance(net, Network):
        from sciml.biology.audit import estimator
        from sciml.biology.audit.subject import subject_of

        subject, pairs = subject_of(net, kind), n or 500
        return Audit(subject.name, f"samples of {pairs} pairs", seed, tuple(estimator.rows(subject, pairs, seed)))
    last, trajectories = float(end) if end is not None else deterministic.horizon(net), n or 2000
    times = np.linspace(0.0, last, 11)
    rows = [*deterministic.rows(net, times), *stochastic.rows(net, times, trajectories, seed)]
    return Audit(net.id, f"up to time {last:g}, {trajectories} trajectories", seed, tuple(rows))
