"""How measurements scatter about predictions: normal or Laplace, on the scale of an observable's transformation.

With z = (g(s) - g(m)) / sigma for the measurement m, the prediction s and g = identity, ln or log10, the log density of m is
-ln(sigma) - ln(2 pi)/2 - z^2/2 (normal) or -ln(2 sigma) - |z| (Laplace), plus ln |g'(m)|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DISTRIBUTIONS", "TRANSFORMATIONS", "Densities", "densities"]

TRANSFORMATIONS = ("lin", "log", "log10")
DISTRIBUTIONS = ("normal", "laplace")


@dataclass(frozen=True)
class Densities:
    """Of R measurements: log densities, residuals z, slopes with respect to prediction and sigma, and Fisher information of both.

    All [R]. The information is the expected one: of the prediction (g'(s) / sigma)^2, of sigma 2 / sigma^2 (normal) or 1 / sigma^2
    (Laplace), and none between them.
    """

    log: np.ndarray
    residual: np.ndarray
    by_prediction: np.ndarray
    by_sigma: np.ndarray
    information_prediction: np.ndarray
    information_sigma: np.ndarray


def densities(measured: np.ndarray, predicted: np.ndarray, sigma: np.ndarray, transformation: str, distribution: str) -> Densities:
    """The log densities of measurements of one observable. What has no density (sigma <= 0, the logarithm of a number <= 0) is NaN."""
    import numpy as np

    with np.errstate(all="ignore"):
        if transformation == "lin":
            difference, slope, log_jacobian = predicted - measured, np.ones_like(predicted), np.zeros_like(measured)
        else:
            unit = 1.0 if transformation == "log" else math.log(10.0)
            difference = (np.log(predicted) - np.log(measured)) / unit
            slope, log_jacobian = 1.0 / (predicted * unit), -np.log(measured * unit)
        sigma = np.where(sigma > 0, sigma, np.nan)
        z = difference / sigma
        if distribution == "normal":
            log = log_jacobian - np.log(sigma) - 0.5 * math.log(2 * math.pi) - 0.5 * z * z
            pull, of_sigma = z, 2.0
        else:
            log = log_jacobian - np.log(2 * sigma) - np.abs(z)
            pull, of_sigma = np.sign(z), 1.0
        return Densities(
            log=log,
            residual=z,
            by_prediction=-pull * slope / sigma,
            by_sigma=(z * pull - 1.0) / sigma,
            information_prediction=(slope / sigma) ** 2,
            information_sigma=of_sigma / sigma**2,
        )
