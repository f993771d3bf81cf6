"""What is to be fitted, as plain data: a network, parameters, conditions, observables and measurements."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sciml.biology.expressions import Expression
from sciml.biology.fitting.noise import DISTRIBUTIONS, TRANSFORMATIONS
from sciml.biology.fitting.parameters import FitParameter
from sciml.biology.network import Network, nearest
from sciml.errors import DataError

__all__ = ["Measurement", "Observable", "Statement", "Value"]

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
class Statement:
    """What is to be fitted. `conditions` {id: {species, compartment or parameter: number or parameter}}; what is not there stays as it is.

    A value for a species is what the species' id means in formulas (a concentration, or an amount where it has substance units only). After
    a steady state (`before`), species that the condition does not name keep their amounts, and variables their values; all else follows the
    condition.
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
