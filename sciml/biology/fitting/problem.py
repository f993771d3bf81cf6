"""A problem: what is to be fitted, with its likelihood, its priors and its predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sciml.arguments import checked
from sciml.biology.fitting.parameters import log_prior
from sciml.biology.fitting.statement import Statement, Value
from sciml.biology.network import nearest
from sciml.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import pandas

    from sciml.biology.fitting.objective import Objective

__all__ = ["Problem"]


class Problem(Statement):
    """A `Statement` that computes: log-likelihood, log prior, chi-square and simulated tables. What it compiles is kept with it."""

    @cached_property
    def objective(self) -> Objective:
        """What compiles the problem and computes its likelihood; made at its first use."""
        from sciml.biology.fitting.objective import Objective

        return Objective(self)

    @checked
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

    @checked
    def log_likelihood(self, parameters: Mapping[str, float] | None = None) -> float:
        """The sum of the log densities of all measurements at `parameters` {id: value}, nominal where none is given.

        Raises DataError with expression, species, parameters and time for the first number that is not finite.
        """
        return self.objective.log_likelihood(self.values(parameters))

    @checked
    def log_prior(self, parameters: Mapping[str, float] | None = None) -> float:
        """The sum of the log densities of the priors of estimated parameters; a parameter without one counts as 0."""
        values = self.values(parameters)
        return log_prior(self.estimated, [v for p, v in zip(self.parameters, values, strict=True) if p.estimated])[0]

    @checked
    def chi2(self, parameters: Mapping[str, float] | None = None) -> float:
        """The sum of squares of (measured - predicted) / sigma on the scales of the observables."""
        residuals = self.objective.residuals(self.values(parameters))
        return float(residuals @ residuals)

    @checked
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
