"""What an instrument makes of a cell's true amount: counts, gain, background, and where it ends below and above."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sciml.arguments import check_fields, checked, shown
from sciml.biology.distributions import Law, LogNormal
from sciml.errors import ConfigError, DataError
from sciml.seeding import derive, numpy_generator

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Measurement"]


@dataclass(frozen=True)
class Measurement:
    """M = min(saturation, max(detection_limit, G C + B)), C ~ Poisson(poisson V) of the true value V, or C = V.

    G is log-normal with mean 1 and coefficient of variation `gain_cv`; B is `background`, a number or a law with a mean of its own;
    `poisson`: counts for one unit of V, as of photons or sequenced molecules, None for no counting noise. All is drawn anew for each value.
    `detection_limit`: what lies below reads as the limit itself; `saturation`: what lies above reads as that.
    """

    background: float | Law = 0.0
    gain_cv: float = 0.0
    detection_limit: float | None = None
    saturation: float | None = None
    poisson: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        low, high = self.detection_limit, self.saturation
        for name, value in (("background", self.background), ("detection_limit", low), ("saturation", high)):
            if isinstance(value, int | float) and not math.isfinite(value):
                raise ConfigError(f"Measurement: {name}: found {value!r}, expected a finite number")
        if isinstance(self.background, Law) and getattr(self.background, "mean", None) is None:
            raise ConfigError("Measurement: background: the law has no mean; give it one, as in Normal(sd=5, mean=20)")
        if not 0 <= self.gain_cv < math.inf:
            raise ConfigError(f"Measurement: gain_cv: found {self.gain_cv!r}, expected a finite number >= 0")
        if self.poisson is not None and not 0 < self.poisson < math.inf:
            raise ConfigError(f"Measurement: poisson: found {self.poisson!r}, expected counts > 0 for one unit, or None")
        if low is not None and high is not None and low >= high:
            raise ConfigError(f"Measurement: detection_limit: found {low!r}, expected less than the saturation, {high!r}")

    @checked
    def apply(self, values: Any, seed: int) -> np.ndarray:
        """Measured values, of the shape of `values`, which are in the unit of the model; the same seed gives the same bits.

        Raises DataError for values that are not finite, and for a mean count below zero or above 1e18.
        """
        import numpy as np

        found = _numbers(values)
        if not np.isfinite(found).all():
            raise DataError("Measurement: found values that are not finite, expected numbers")
        if self.poisson is not None:
            mean = self.poisson * found
            if found.size and not (mean.min() >= 0 and mean.max() < 1e18):
                raise DataError(f"Measurement: poisson: found mean counts from {mean.min():g} to {mean.max():g}, expected 0 to 1e18")
            found = np.array(numpy_generator(seed, "counts").poisson(mean), dtype=float)
        if self.gain_cv > 0:
            found *= _draws(LogNormal(self.gain_cv, 1.0), found.shape, derive(seed, "gain"))
        found += _draws(self.background, found.shape, derive(seed, "background")) if isinstance(self.background, Law) else self.background
        return np.clip(found, self.detection_limit, self.saturation) if self._bounded else found

    def censored(self, measured: Any) -> tuple[str, ...]:
        """What share of measured values stands at a limit, in words; nothing where none does."""
        said, found = [], _numbers(measured)
        for limit, name in ((self.detection_limit, "detection limit"), (self.saturation, "saturation")):
            share = float((found == limit).mean()) if limit is not None and found.size else 0.0
            if share:
                said.append(f"{share:.2%} of the measured values stand at the {name} {limit:g}")
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self) | ({"background": self.background.to_dict()} if isinstance(self.background, Law) else {})

    @property
    def _bounded(self) -> bool:
        return self.detection_limit is not None or self.saturation is not None


def _numbers(values: Any) -> np.ndarray:
    """A copy as float64."""
    import numpy as np

    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"Measurement: found {shown(values)}, expected numbers") from None


def _draws(law: Law, shape: tuple[int, ...], seed: int) -> np.ndarray:
    import numpy as np

    uniforms = numpy_generator(seed).random(shape)
    return law.quantile(np.clip(uniforms, 2.0**-54, None))
