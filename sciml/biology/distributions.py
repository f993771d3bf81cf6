"""Laws of what differs from cell to cell: parameters, start amounts, doses, noise. A law without a mean lies around a nominal value."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sciml.arguments import check_fields, checked, shown
from sciml.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Gamma", "Law", "LogNormal", "Normal"]


@dataclass(frozen=True)
class Law(ABC):
    """A law of one positive or real number. `mean` None: the nominal value of what is drawn."""

    @abstractmethod
    def quantile(self, u: np.ndarray, nominal: float = 1.0) -> np.ndarray:
        """The value below which a share `u` in (0, 1) of the law lies; draws are quantiles of uniform numbers."""

    @abstractmethod
    def moments(self, nominal: float = 1.0) -> tuple[float, float]:
        """(mean, standard deviation)."""

    @abstractmethod
    def entropy(self, nominal: float = 1.0) -> float:
        """Differential entropy in bits."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: the law's name and its numbers."""
        return {"law": type(self).__name__, **asdict(self)}


@dataclass(frozen=True)
class _Relative(Law):
    """A law of positive numbers by its coefficient of variation, around its own mean or the one that is there."""

    cv: float
    mean: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(self, "cv", self.cv)
        _mean(self, self.mean, positive=True)

    @checked
    def moments(self, nominal: float = 1.0) -> tuple[float, float]:
        """(mean, cv mean)."""
        mean = _centre(self, self.mean, nominal)
        return mean, self.cv * mean


@dataclass(frozen=True)
class LogNormal(_Relative):
    """ln X ~ Normal(ln mean - s^2 / 2, s^2) with s^2 = ln(1 + cv^2): mean `mean`, standard deviation cv x mean."""

    def quantile(self, u: np.ndarray, nominal: float = 1.0) -> np.ndarray:
        """exp(ln mean - s^2 / 2 + s z(u)), z the quantile of the standard normal law."""
        import numpy as np
        from scipy.special import ndtri

        mean, s = self.moments(nominal)[0], self._spread
        found: np.ndarray = mean * np.exp(s * ndtri(_shares(u)) - 0.5 * s * s)
        return found

    @checked
    def entropy(self, nominal: float = 1.0) -> float:
        """(ln mean - s^2 / 2 + ln(2 pi e s^2) / 2) / ln 2."""
        s = self._spread
        return (math.log(_centre(self, self.mean, nominal)) - 0.5 * s * s + 0.5 * math.log(2 * math.pi * math.e * s * s)) / math.log(2)

    @property
    def _spread(self) -> float:
        return math.sqrt(math.log1p(self.cv**2))


@dataclass(frozen=True)
class Gamma(_Relative):
    """Shape 1 / cv^2, scale mean cv^2: mean `mean`, standard deviation cv x mean."""

    def quantile(self, u: np.ndarray, nominal: float = 1.0) -> np.ndarray:
        """The inverse of the regularised incomplete gamma function, times the scale."""
        from scipy.special import gammaincinv

        found: np.ndarray = gammaincinv(self.cv**-2, _shares(u)) * (self.moments(nominal)[0] * self.cv**2)
        return found

    @checked
    def entropy(self, nominal: float = 1.0) -> float:
        """(a + ln(scale) + ln Gamma(a) + (1 - a) psi(a)) / ln 2 with shape a."""
        from scipy.special import digamma

        a = self.cv**-2
        scale = _centre(self, self.mean, nominal) * self.cv**2
        return float(a + math.log(scale) + math.lgamma(a) + (1 - a) * digamma(a)) / math.log(2)


@dataclass(frozen=True)
class Normal(Law):
    """Normal(mean, sd^2), `sd` in the unit of what is drawn. It reaches below zero: who needs a positive number refuses such a draw."""

    sd: float
    mean: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(self, "sd", self.sd)
        _mean(self, self.mean, positive=False)

    def quantile(self, u: np.ndarray, nominal: float = 1.0) -> np.ndarray:
        """mean + sd z(u)."""
        from scipy.special import ndtri

        found: np.ndarray = self.moments(nominal)[0] + self.sd * ndtri(_shares(u))
        return found

    @checked
    def moments(self, nominal: float = 1.0) -> tuple[float, float]:
        """(mean, sd)."""
        return (nominal if self.mean is None else self.mean), self.sd

    @checked
    def entropy(self, nominal: float = 1.0) -> float:
        """log2(2 pi e sd^2) / 2, whatever the mean."""
        return 0.5 * math.log2(2 * math.pi * math.e * self.sd**2)


def _positive(law: Law, name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"{type(law).__name__}: {name}: found {shown(value)}, expected a finite number > 0")


def _mean(law: Law, value: float | None, *, positive: bool) -> None:
    if value is not None and not (math.isfinite(value) and (value > 0 or not positive)):
        raise ConfigError(f"{type(law).__name__}: mean: found {shown(value)}, expected a finite number{' > 0' if positive else ''} or None")


def _centre(law: Law, mean: float | None, nominal: float) -> float:
    """The mean of a law of positive numbers."""
    found = nominal if mean is None else mean
    if not (math.isfinite(found) and found > 0):
        raise ConfigError(
            f"{type(law).__name__}: the nominal value is {shown(found)}, expected a number > 0; give the law a mean of its own"
        )
    return found


def _shares(u: Any) -> np.ndarray:
    import numpy as np

    try:
        found = np.asarray(u, dtype=float)
    except (TypeError, ValueError):
        raise ConfigError(f"quantile: u: found {shown(u)}, expected numbers from 0 to 1") from None
    if not ((found >= 0) & (found <= 1)).all():
        raise ConfigError(f"quantile: u: found {shown(found)}, expected numbers from 0 to 1")
    return found
