"""What is estimated: numbers with bounds, a scale and priors. The optimiser sees each on its scale, all else sees it as it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from sciml.arguments import check_fields, shown
from sciml.errors import DataError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["PRIORS", "FitParameter", "Prior", "Scale", "log_prior", "scaled", "slopes", "unscaled"]

Scale = Literal["lin", "log", "log10"]
_LN10 = math.log(10.0)
PRIORS = (
    "uniform", "normal", "laplace", "logNormal", "logLaplace", "parameterScaleUniform", "parameterScaleNormal", "parameterScaleLaplace",
)  # fmt: skip


@dataclass(frozen=True)
class Prior:
    """A law with two numbers: ends of `uniform`, mean and sd of `normal`, mean and width of `laplace`.

    `normal`, `laplace`, `uniform` are densities of the parameter itself, `logNormal`, `logLaplace` too, with numbers that belong to its
    natural logarithm; `parameterScale...` are densities of the parameter on its own scale. None is cut at the bounds.
    """

    kind: str
    first: float
    second: float

    def __post_init__(self) -> None:
        check_fields(self)
        if self.kind not in PRIORS:
            raise DataError(f"prior: found {self.kind!r}, expected one of {', '.join(PRIORS)}")
        if not (math.isfinite(self.first) and math.isfinite(self.second)):
            raise DataError(f"prior {self.kind}: found {self.first!r}; {self.second!r}, expected two finite numbers")
        if self.shape == "uniform" and not self.first < self.second:
            raise DataError(f"prior {self.kind}: found the ends {self.first!r}; {self.second!r}, expected the lower one first")
        if self.shape != "uniform" and not self.second > 0:
            raise DataError(f"prior {self.kind}: found the width {self.second!r}, expected a number > 0")

    @property
    def shape(self) -> str:
        """`uniform`, `normal` or `laplace`."""
        return next(shape for shape in ("uniform", "normal", "laplace") if self.kind.lower().endswith(shape))

    def log_density(self, value: float, scale: Scale) -> tuple[float, float, float]:
        """(log density at the parameter's value, its slope and a curvature >= 0 of its negative on the parameter's scale)."""
        slope = float(slopes([value], [scale])[0])  # d value / d scaled
        if self.kind.startswith("log"):
            if value <= 0:
                return -math.inf, 0.0, 0.0
            found, first, second = self._standard(math.log(value))
            inner = slope / value
            return found - math.log(value), (first - 1.0) * inner, second * inner**2
        if self.kind.startswith("parameterScale"):
            return self._standard(float(scaled([value], [scale])[0]))
        found, first, second = self._standard(value)
        return found, first * slope, second * slope**2

    def quantile(self, fraction: float, scale: Scale) -> float:
        """The parameter's value below which the law has this share."""
        from scipy import stats

        law = {"normal": stats.norm, "laplace": stats.laplace}.get(self.shape)
        at = self.first + fraction * (self.second - self.first) if law is None else float(law.ppf(fraction, self.first, self.second))
        if self.kind.startswith("log"):
            return math.exp(at)
        return float(unscaled([at], [scale])[0]) if self.kind.startswith("parameterScale") else at

    def _standard(self, at: float) -> tuple[float, float, float]:
        """(log density, its slope, a curvature of its negative) at a point of the law's own axis."""
        if self.shape == "uniform":
            inside = self.first <= at <= self.second
            return (-math.log(self.second - self.first) if inside else -math.inf), 0.0, 0.0
        z = (at - self.first) / self.second
        if self.shape == "normal":
            return -0.5 * z * z - math.log(self.second) - 0.5 * math.log(2 * math.pi), -z / self.second, self.second**-2
        return -abs(z) - math.log(2 * self.second), -math.copysign(1.0, z) / self.second, self.second**-2


@dataclass(frozen=True)
class FitParameter:
    """A parameter of a problem. `lower`, `upper` and `nominal` are values of the parameter itself, whatever its `scale` is.

    `estimated` False: it stays at `nominal`. `prior` counts in the objective, `start` is the law that starts are drawn from (None: uniform
    between the bounds on its scale).
    """

    id: str
    lower: float = -math.inf
    upper: float = math.inf
    scale: Scale = "lin"
    nominal: float = math.nan
    estimated: bool = True
    prior: Prior | None = None
    start: Prior | None = None

    def __post_init__(self) -> None:
        where = f"parameter {shown(self.id)}"
        if self.scale not in ("lin", "log", "log10"):
            raise DataError(f"{where}: found the scale {shown(self.scale)}, expected lin, log or log10")
        check_fields(self)
        if not self.estimated:
            if not math.isfinite(self.nominal):
                raise DataError(f"{where}: it is not estimated and its nominal value is {self.nominal!r}, expected a finite number")
            return
        if not self.lower < self.upper:
            raise DataError(f"{where}: found the bounds {self.lower!r} and {self.upper!r}, expected the lower one first")
        if self.scale != "lin" and self.lower < 0:
            raise DataError(f"{where}: its scale is {self.scale} and its lower bound {self.lower!r}, expected a number > 0")

    @property
    def bounds(self) -> tuple[float, float]:
        """(lower, upper) of the parameter itself."""
        return self.lower, self.upper

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return asdict(self)


def scaled(values: Sequence[float] | np.ndarray, scales: Sequence[Scale]) -> np.ndarray:
    """Values on their scales: themselves, natural logarithms or logarithms to base 10."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array([v if s == "lin" else np.log(v) if s == "log" else np.log10(v) for v, s in zip(values, scales, strict=True)])


def unscaled(points: Sequence[float] | np.ndarray, scales: Sequence[Scale]) -> np.ndarray:
    """Values from points on their scales."""
    import numpy as np

    with np.errstate(over="ignore"):
        return np.array([x if s == "lin" else np.exp(x) if s == "log" else 10.0**x for x, s in zip(points, scales, strict=True)])


def slopes(values: Sequence[float] | np.ndarray, scales: Sequence[Scale]) -> np.ndarray:
    """d value / d point on its scale, at these values."""
    import numpy as np

    return np.array([1.0 if s == "lin" else v if s == "log" else v * _LN10 for v, s in zip(values, scales, strict=True)])


def log_prior(parameters: Sequence[FitParameter], values: Sequence[float] | np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(sum of the log densities, its gradient [K], curvatures [K]) on the scales of the parameters. No prior counts as 0."""
    import numpy as np

    total, gradient, curvature = 0.0, np.zeros(len(parameters)), np.zeros(len(parameters))
    for k, (parameter, value) in enumerate(zip(parameters, values, strict=True)):
        if parameter.prior is not None:
            found, gradient[k], curvature[k] = parameter.prior.log_density(float(value), parameter.scale)
            total += found
    return total, gradient, curvature
