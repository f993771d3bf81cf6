"""A fit as plain data: a network, what is estimated, conditions, observables and measurements; and its likelihood."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sciml.biology.expressions import Expression
from sciml.biology.fitting.noise import DISTRIBUTIONS, TRANSFORMATIONS
from sciml.biology.fitting.parameters import FitParameter, log_prior
from sciml.biology.network import Network, nearest
from sciml.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas

    from sciml.biology.fitting.objective import Objective

__all__ = ["Measurement", "Observable", "Problem", "Value"]

Value = float | str
"""A number, or the id of a parameter that gives it."""


@dataclass(frozen=True)
class Observable:
    """What is measured: a `formula`, the width `sigma` of its noise (a formula too), and the scale on which the noise is added.

    `observableParameter<n>_<id>` and `noiseParameter<n>_<id>` in the formulas are given by each measurement.
    """

    id: str
    formula: Expression
    sigma: Expression
    transformation: str = "lin"
    distribution: str = "normal"

    def __post_init__(self) -> None:
        if self.transformation not in TRANSFORMATIONS:
            raise DataError(f"observable {self.id!r}: found the transformation {self.transformation!r}, expected lin, log or log10")
        if self.distribution not in DISTRIBUTIONS:
            raise DataError(f"observable {self.id!r}: found the noise distribution {self.distribution!r}, expected normal or laplace")


@dataclass(frozen=True)
class Measurement:
    """One measured number: of which observable, under which condition, when (infinity: at the steady state).

    `before` names the condition whose steady state the run starts from. The numbers or parameters of its own for the formulas of the
    observable are in `observable_parameters` and `noise_parameters`. `labels` are further columns of its row.
    """

    observable: str
    condition: str
    time: float
    value: float
    before: str = ""
    observable_parameters: tuple[Value, ...] = ()
    noise_parameters: tuple[Value, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise DataError(f"measurement of {self.observable!r}: found the value {self.value!r}, expected a finite number")
        if not self.time >= 0:
            raise DataError(f"measurement of {self.observable!r}: found the time {self.time!r}, expected a number >= 0 or inf")


@dataclass(frozen=True)
class Problem:
    """What is to be fitted. `conditions` {id: {species, compartment or parameter: number or parameter}}; what is not there stays as it is.

    A value for a species is what the species' id means in formulas (a concentration, or an amount where it has substance units only). After
    a steady state (`before`), species and variables that the condition does not name keep their values, all else follows the condition.
    """

    network: Network
    parameters: tuple[FitParameter, ...]
    conditions: Mapping[str, Mapping[str, Value]]
    observables: tuple[Observable, ...]
    measurements: tuple[Measurement, ...]
    name: str = field(default="problem", compare=False)

    def __post_init__(self) -> None:
        for what, ids in (("parameter", [p.id for p in self.parameters]), ("observable", [o.id for o in self.observables])):
            if twice := [id for id, count in Counter(ids).items() if count > 1]:
                raise DataError(f"{self.name}: the {what} {twice[0]!r} is there twice")
        known = {o.id for o in self.observables}
        transformed = {o.id for o in self.observables if o.transformation != "lin"}
        if not self.measurements:
            raise DataError(f"{self.name}: there is no measurement")
        for row, m in enumerate(self.measurements):
            where = f"{self.name}: measurement {row}"
            if m.observable not in known:
                raise DataError(f"{where}: {m.observable!r} is no observable{nearest(m.observable, known)}")
            for id in (m.condition, m.before):
                if id and id not in self.conditions:
                    raise DataError(f"{where}: {id!r} is no condition{nearest(id, self.conditions)}")
            if m.observable in transformed and not m.value > 0:
                raise DataError(f"{where}: the scale of {m.observable!r} is logarithmic; found {m.value!r}, expected a number > 0")

    @property
    def estimated(self) -> tuple[FitParameter, ...]:
        """The parameters that a fit changes."""
        return tuple(p for p in self.parameters if p.estimated)

    @cached_property
    def objective(self) -> Objective:
        """What compiles the problem and computes its likelihood; made at its first use."""
        from sciml.biology.fitting.objective import Objective

        return Objective(self)

    def values(self, parameters: Mapping[str, float] | None = None) -> np.ndarray:
        """[K]: the values of all parameters, nominal where none is given. ConfigError for an unknown id or a value that is missing."""
        import numpy as np

        given, known = dict(parameters or {}), {p.id for p in self.parameters}
        for id, value in given.items():
            if id not in known:
                raise ConfigError(f"{self.name}: {id!r} is no parameter of the problem{nearest(id, known)}")
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ConfigError(f"{self.name}: parameter {id!r}: found {value!r}, expected a finite number")
        found = np.array([given.get(p.id, p.nominal) for p in self.parameters], dtype=float)
        if np.isnan(found).any():
            id = self.parameters[int(np.flatnonzero(np.isnan(found))[0])].id
            raise ConfigError(f"{self.name}: parameter {id!r} has no nominal value; give one in parameters=")
        return found

    def log_likelihood(self, parameters: Mapping[str, float] | None = None) -> float:
        """The sum of the log densities of all measurements at `parameters` {id: value}, nominal where none is given.

        Raises DataError with expression, species, parameters and time for the first number that is not finite.
        """
        return self.objective.log_likelihood(self.values(parameters))

    def log_prior(self, parameters: Mapping[str, float] | None = None) -> float:
        """The sum of the log densities of the priors of estimated parameters; a parameter without one counts as 0."""
        values = self.values(parameters)
        return log_prior(self.estimated, [v for p, v in zip(self.parameters, values, strict=True) if p.estimated])[0]

    def chi2(self, parameters: Mapping[str, float] | None = None) -> float:
        """The sum of squares of (measured - predicted) / sigma on the scales of the observables."""
        residuals = self.objective.residuals(self.values(parameters))
        return float(residuals @ residuals)

    def simulate(self, parameters: Mapping[str, float] | None = None) -> pandas.DataFrame:
        """The table of measurements in their order, with the column `simulation` in the place of `measurement`."""
        import pandas as pd

        predicted = self.objective.predictions(self.values(parameters))
        rows = []
        for m, value in zip(self.measurements, predicted, strict=True):
            rows.append(
                {
                    "observableId": m.observable,
                    "preequilibrationConditionId": m.before,
                    "simulationConditionId": m.condition,
                    "time": m.time,
                    "simulation": value,
                    "observableParameters": ";".join(map(_text, m.observable_parameters)),
                    "noiseParameters": ";".join(map(_text, m.noise_parameters)),
                    **dict(m.labels),
                }
            )
        table = pd.DataFrame(rows)
        optional = ("preequilibrationConditionId", "observableParameters", "noiseParameters")
        return table.drop(columns=[c for c in optional if (table[c] == "").all()])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able sizes and parameters: what a report says about the problem."""
        return {
            "name": self.name,
            "network": self.network.id,
            "parameters": [p.to_dict() for p in self.parameters],
            "conditions": len(self.conditions),
            "observables": [o.id for o in self.observables],
            "measurements": len(self.measurements),
        }

    def __repr__(self) -> str:
        sizes = f"{len(self.estimated)} estimated parameters, {len(self.conditions)} conditions, {len(self.measurements)} measurements"
        return f"<Problem {self.name!r}: {sizes}>"


def _text(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}" if float(f"{value:g}") == value else repr(value)
