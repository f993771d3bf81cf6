"""What a fit found: parameters, likelihood, intervals, starts that failed, and what the data do not determine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sciml.biology.fitting.problem import Problem
from sciml.report import figures
from sciml.report.blocks import Block, Figure, KeyFigure, KeyFigures, Section, Table, Text

if TYPE_CHECKING:
    from sciml.biology.network import Network

__all__ = ["Failure", "Fit", "Profile"]

_MOST_OBSERVABLES = 12  # that are drawn over time


@dataclass(frozen=True)
class Profile:
    """The interval of a parameter by profile likelihood at `level`: from `low` to `high`, values of the parameter itself.

    `low_is_bound`, `high_is_bound`: the likelihood does not fall that far before the bound is met, so that end is the bound alone.
    `values` and `drops` are the points visited: the best log-likelihood with the parameter held there, minus the maximum.
    """

    parameter: str
    level: float
    low: float
    high: float
    low_is_bound: bool
    high_is_bound: bool
    values: tuple[float, ...] = ()
    drops: tuple[float, ...] = ()

    @property
    def identified(self) -> bool:
        """Whether the data end the interval on both sides."""
        return not (self.low_is_bound or self.high_is_bound)


@dataclass(frozen=True)
class Failure:
    """Starts that failed in the same way: how many, and the message of the first."""

    count: int
    message: str


@dataclass(frozen=True, repr=False)
class Fit:
    """The best of all starts.

    `parameters` {id: value} of all parameters, `log_likelihood` and `log_prior` there. `profiles` {id: Profile} where asked for.
    `standard_errors` {id: of the estimate on the parameter's scale, from the Fisher information; infinite where there is none}.
    `undetermined`: directions in parameter space that the data do not determine, as text. `values`: minus log-likelihood minus log prior
    of every start at its end, best first; `failed`: starts without an end, one entry for each kind. `notes`: what else is to be known.
    """

    problem: Problem
    parameters: Mapping[str, float]
    log_likelihood: float
    log_prior: float
    profiles: Mapping[str, Profile]
    failed: tuple[Failure, ...]
    standard_errors: Mapping[str, float]
    undetermined: tuple[str, ...]
    values: tuple[float, ...]
    evaluations: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    @property
    def failures(self) -> int:
        """How many starts failed."""
        return sum(f.count for f in self.failed)

    @property
    def agreeing(self) -> int:
        """How many starts ended within 0.1 of the best."""
        return sum(v <= self.values[0] + 0.1 for v in self.values)

    @property
    def network(self) -> Network:
        """The network with the fitted values of those parameters that it has."""
        from sciml.biology.fitting.starts import with_meant_starts

        network = self.problem.network
        known = {id: value for id, value in self.parameters.items() if id in network.elements}
        return with_meant_starts(network, set(known)).set(known)

    def summary(self) -> str:
        """A few lines: likelihood, starts, and each parameter with its interval."""
        lines = [
            f"log-likelihood {self.log_likelihood:.6g}, {self.agreeing} of {len(self.values) + self.failures} starts end there"
            + (f", {self.failures} failed" if self.failures else "")
        ]
        for p in self.problem.estimated:
            profile = self.profiles.get(p.id)
            lines.append(f"{p.id} = {self.parameters[p.id]:.6g}" + (f" ({_interval(profile)})" if profile else ""))
        lines += [f"{f.count} starts failed: {f.message}" for f in self.failed]
        lines += [f"not determined: {direction}" for direction in self.undetermined]
        return "\n".join([*lines, *self.notes])

    __repr__ = summary

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {
            "problem": self.problem.to_dict(),
            "parameters": dict(self.parameters),
            "log_likelihood": self.log_likelihood,
            "log_prior": self.log_prior,
            "profiles": {id: asdict(profile) for id, profile in self.profiles.items()},
            "failed": [asdict(failure) for failure in self.failed],
            "standard_errors": dict(self.standard_errors),
            "undetermined": list(self.undetermined),
            "values": list(self.values),
            "evaluations": self.evaluations,
            "seed": self.seed,
            "notes": list(self.notes),
        }

    def to_sections(self) -> Sequence[Section]:
        """The fit as a section of a report: key figures, parameters with intervals, data against the model, profiles."""
        starts = len(self.values) + self.failures
        keys = [
            KeyFigure("log-likelihood", self.log_likelihood),
            KeyFigure("measurements", len(self.problem.measurements)),
            KeyFigure("starts that agree", f"{self.agreeing} of {starts}", tone="good" if self.agreeing > 1 else "warn"),
            KeyFigure("starts that failed", self.failures, tone="warn" if self.failures else ""),
        ]
        blocks: list[Block] = [KeyFigures(keys), self._table()]
        blocks += [Text(f"{f.count} starts failed: {f.message}", tone="warn") for f in self.failed]
        blocks += [Text(f"The data do not determine {direction}.", tone="warn") for direction in self.undetermined]
        blocks += [Text(note) for note in self.notes]
        return [Section("Fit", [*blocks, *self._figures()])]

    def _table(self) -> Table:
        rows = []
        for p in self.problem.estimated:
            row: dict[str, Any] = {"parameter": p.id, "value": self.parameters[p.id], "lower bound": p.lower, "upper bound": p.upper}
            profile = self.profiles.get(p.id)
            if profile:
                row |= {"low": profile.low, "high": profile.high, "ends": "data" if profile.identified else "a bound"}
            rows.append(row | {"scale": p.scale, "standard error on it": self.standard_errors[p.id]})
        levels = {f"{100 * p.level:g} %" for p in self.profiles.values()}
        return Table.from_rows("Fitted parameters", rows, caption=f"low, high: profile likelihood, {', '.join(levels)}" if levels else "")

    def _figures(self) -> list[Figure]:
        table = self.problem.simulate({p.id: self.parameters[p.id] for p in self.problem.parameters})
        measured = [m.value for m in self.problem.measurements]
        found = [
            figures.parity(
                "Measured and fitted", "", measured, table["simulation"].to_list(), table["observableId"].to_list(),
                reference_label="measured", predicted_label="fitted", caption="Each measurement against the fitted model.",
            )
        ]  # fmt: skip
        for observable, rows in list(table.assign(measured=measured).groupby("observableId", sort=False))[:_MOST_OBSERVABLES]:
            if rows["time"].nunique() > 1:
                found.append(
                    figures.points_and_lines(
                        f"{observable} over time", rows["time"], rows["measured"], rows["simulation"],
                        rows["simulationConditionId"].astype(str).to_list(), x_label="time", y_label=str(observable),
                        caption="Measured (points) and fitted (lines between the times measured), by condition.",
                    )
                )  # fmt: skip
        for p in self.problem.estimated:
            profile = self.profiles.get(p.id)
            if profile and len(profile.values) > 2:
                found.append(
                    figures.curve(
                        f"Profile of {p.id}", profile.values, profile.drops, x_label=p.id, y_label="log-likelihood minus maximum",
                        log_x=p.scale != "lin", markers=True, caption="The best that the other parameters can do.",
                    )
                )  # fmt: skip
        return found


def _interval(profile: Profile) -> str:
    low, high = ("bound " if is_bound else "" for is_bound in (profile.low_is_bound, profile.high_is_bound))
    return f"{100 * profile.level:g} %: {low}{profile.low:.4g} to {high}{profile.high:.4g}"
