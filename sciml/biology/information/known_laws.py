"""The laws that estimators are held against: some to choose the rule of `estimator="auto"`, others, never looked at then, to check it."""

from __future__ import annotations

import numpy as np

from sciml.biology.information.dose_laws import DoseNormals, DosePaths, DoseResponse, Part, Table, poisson_table
from sciml.biology.information.embeddings import half_cube, normal_cdf, rolled, shrunk, spiral, turned_and_stretched, wiggled
from sciml.biology.information.known_law import KnownLaw
from sciml.biology.information.pair_laws import (
    Gaussian,
    GaussianMixture,
    PoissonOfExponential,
    Student,
    TwoSigns,
    UniformNoise,
    dense,
    paired,
)
from sciml.errors import ConfigError

__all__ = ["CALIBRATION_LAWS", "HELD_OUT_LAWS", "known_law"]

_FIVE = (0.8, 0.6, 0.4, 0.2, 0.0)
_CLOUDS = np.array([[0.0, 0.0], [3.0, 1.0], [1.0, 4.0]])
_ZEROS = ((0.8, 1.0), (0.7, 1.0), (0.5, 1.2), (0.3, 2.0), (0.2, 3.0), (0.1, 4.0), (0.1, 5.0))
_TURNED = turned_and_stretched(5)


def known_law(name: str) -> KnownLaw:
    """The law of that name, of either list. ConfigError lists the names where there is none."""
    laws = {law.name: law for law in (*CALIBRATION_LAWS, *HELD_OUT_LAWS)}
    if name not in laws:
        raise ConfigError(f"law: found {name!r}, expected one of {', '.join(laws)}")
    return laws[name]


def _normals(*means: float, sd: float = 1.0) -> DoseResponse:
    return DoseResponse(tuple((Part(1.0, "norm", (mean, sd)),) for mean in means))


def _gammas(shape: float, *scales: float) -> DoseResponse:
    return DoseResponse(tuple((Part(1.0, "gamma", (shape, 0.0, scale)),) for scale in scales))


def _uniforms(count: int) -> DoseResponse:
    return DoseResponse(tuple((Part(1.0, "uniform", (float(k), 2.0)),) for k in range(count)))


def _switching(*shares: float) -> DoseResponse:
    """Cells are off, N(0, 0.5), or on, N(3, 0.7); the dose sets the share that is on."""
    return DoseResponse(tuple((Part(1 - p, "norm", (0.0, 0.5)), Part(p, "norm", (3.0, 0.7))) for p in shares))


def _zero_inflated(*cells: tuple[float, float]) -> DoseResponse:
    """(share of cells at exactly zero, scale of the gamma law of the others)."""
    return DoseResponse(tuple((Part(zeros, "atom", (0.0,)), Part(1 - zeros, "gamma", (3.0, 0.0, scale))) for zeros, scale in cells))


def _two_columns(count: int, step: float, correlation: float) -> DoseNormals:
    """Means on a quarter of a circle, spreads that grow with the dose."""
    angle = np.linspace(0, np.pi / 2, count)
    sd = 0.5 + 0.5 * np.linspace(0, 1, count)
    return DoseNormals(step * np.stack([np.sin(angle), np.cos(angle)], axis=1), (sd**2)[:, None, None] * dense(2, correlation))


def _paths(heights: tuple[float, ...], times: int) -> DosePaths:
    """Ornstein-Uhlenbeck noise of variance 1 and relaxation time 2, seen at times 1, 2, ..., about a mean that rises as 1 - exp(-t / 3)."""
    t = np.arange(1.0, times + 1)
    return DosePaths(heights, 1 - np.exp(-t / 3), np.exp(-np.abs(t[:, None] - t) / 2) + 0.05 * np.eye(times))


def _hill(doses: int, bins: int) -> Table:
    """Doses 10^-1.5 to 10^1.5, mean response c^2 / (1 + c^2), bins of a normal law of sd 0.08 about it."""
    c = 10 ** np.linspace(-1.5, 1.5, doses)
    mean, bin_ = c**2 / (1 + c**2), (np.arange(bins) + 0.5) / bins
    p = np.exp(-0.5 * ((bin_ - mean[:, None]) / 0.08) ** 2)
    return Table(p / p.sum(axis=1, keepdims=True) / doses, balanced=True)


def _symmetric(flips: float, first: float) -> Table:
    """Binary symmetric channel with P(x = 0) = first."""
    return Table(np.array([[1 - flips, flips], [flips, 1 - flips]]) * [[first], [1 - first]])


CALIBRATION_LAWS: tuple[KnownLaw, ...] = (
    KnownLaw("gauss-1", "continuous", "Gaussian, correlation 0.5", Gaussian(paired(0.5), 1)),
    KnownLaw("gauss-2", "continuous", "Gaussian, all correlations 0.5", Gaussian(dense(4, 0.5), 2)),
    KnownLaw("gauss-5", "continuous", "Gaussian, pairs of correlations 0.8 to 0", Gaussian(paired(*_FIVE), 5)),
    KnownLaw("sparse-5", "continuous", "Gaussian, two of five pairs, correlation 0.8", Gaussian(paired(0.8, 0.8, 0, 0, 0), 5)),
    KnownLaw("student-1", "continuous", "Student, 3 degrees of freedom, correlation 0.5", Student(paired(0.5), 1, 3.0)),
    KnownLaw("student-3", "continuous", "Student, 5 degrees of freedom, two of three pairs", Student(paired(0.6, 0.6, 0), 3, 5.0)),
    KnownLaw("roll-1", "continuous", "Gaussian, correlation 0.8, x on a roll", Gaussian(paired(0.8), 1), x_map=rolled),
    KnownLaw("spiral-2", "continuous", "Gaussian, x turned by its own length", Gaussian(paired(0.8, 0.4), 2), x_map=spiral),
    KnownLaw("bimodal-1", "continuous", "three clouds", GaussianMixture(_CLOUDS, np.array([0.0, 0.6, -0.6]), 0.8)),
    KnownLaw("half-cube-1", "continuous", "Gaussian, correlation 0.75, long tails", Gaussian(paired(0.75), 1), half_cube, half_cube),
    KnownLaw("uniform-noise", "continuous", "X uniform, Y = X + uniform noise of width 1/2", UniformNoise(0.25), sharp_edges=True),
    KnownLaw("independent-1", "continuous", "independent", Gaussian(np.eye(2), 1)),
    KnownLaw("independent-3", "continuous", "independent", Gaussian(np.eye(6), 3)),
    KnownLaw("log-normal-7", "doses", "7 doses, log-normal", _normals(0, 0.2, 0.5, 1, 1.5, 1.8, 2, sd=0.5), y_map=np.exp),
    KnownLaw("gamma-4", "doses", "4 doses, gamma of shape 2", _gammas(2.0, 1.0, 2.0, 5.0, 9.0)),
    KnownLaw("bimodal-7", "doses", "7 doses, cells off or on", _switching(0.02, 0.05, 0.15, 0.4, 0.7, 0.9, 0.97)),
    KnownLaw("two-columns-7", "doses", "7 doses, two log-normal columns", _two_columns(7, 2.5, 0.4), y_map=np.exp),
    KnownLaw("zeros-4", "doses", "4 doses, 60 to 5 % zeros, else gamma", _zero_inflated((0.6, 1), (0.4, 1.5), (0.2, 3), (0.05, 5))),
    KnownLaw("uniform-5", "doses", "5 doses, uniform on [k, k + 2] (Gao et al. 2017)", _uniforms(5), sharp_edges=True),
    KnownLaw("paths-4", "doses", "4 doses, paths at 6 times", _paths((0.0, 0.8, 1.6, 3.0), 6)),
    KnownLaw("counts-7", "doses", "7 doses, Poisson counts of mean 2 to 60", poisson_table((2, 4, 8, 15, 25, 40, 60))),
    KnownLaw("hill-20", "discrete", "20 doses, 20 bins, Hill response with noise", _hill(20, 20)),
    KnownLaw("binary-0.1", "discrete", "binary symmetric channel, 10 % flipped", _symmetric(0.1, 0.5)),
)

HELD_OUT_LAWS: tuple[KnownLaw, ...] = (
    KnownLaw("gauss-1-0.9", "continuous", "Gaussian, correlation 0.9", Gaussian(paired(0.9), 1)),
    KnownLaw("gauss-3-2", "continuous", "Gaussian, all correlations 0.4", Gaussian(dense(5, 0.4), 3)),
    KnownLaw("turned-5", "continuous", "gauss-5, each side turned, stretched, turned", Gaussian(paired(*_FIVE), 5), _TURNED, _TURNED),
    KnownLaw("sparse-3", "continuous", "Gaussian, two of three pairs, correlation 0.7", Gaussian(paired(0.7, 0.7, 0), 3)),
    KnownLaw("student-2", "continuous", "Student, 2 degrees of freedom, uncorrelated", Student(np.eye(4), 2, 2.0)),
    KnownLaw("spiral-3", "continuous", "Gaussian, x turned by its own length", Gaussian(paired(0.8, 0.5, 0.3), 3), x_map=spiral),
    KnownLaw("wiggly-1", "continuous", "Gaussian, correlation 0.75, wiggly margins", Gaussian(paired(0.75), 1), wiggled, wiggled),
    KnownLaw("uniform-1", "continuous", "Gaussian, correlation 0.75, uniform margins", Gaussian(paired(0.75), 1), normal_cdf, normal_cdf),
    KnownLaw("asinh-2", "continuous", "Gaussian, pairs of 0.8 and 0.3, short tails", Gaussian(paired(0.8, 0.3), 2), shrunk, shrunk),
    KnownLaw("two-signs-5", "continuous", "pairs of correlations of either sign", TwoSigns(np.array(_FIVE))),
    KnownLaw("cross-1", "continuous", "correlation 0.9 or -0.9", GaussianMixture(np.zeros((2, 2)), np.array([0.9, -0.9]), 1.0)),
    KnownLaw("narrow-noise", "continuous", "X uniform, Y = X + uniform noise of width 1/5", UniformNoise(0.1), sharp_edges=True),
    KnownLaw("poisson-of-exponential", "continuous", "X exponential, Y Poisson of mean X or 0", PoissonOfExponential(0.15)),
    KnownLaw("independent-2", "continuous", "independent", Gaussian(np.eye(4), 2)),
    KnownLaw("log-normal-4", "doses", "4 doses, log-normal", _normals(0, 0.5, 1.5, 2, sd=0.5), y_map=np.exp),
    KnownLaw("gamma-7", "doses", "7 doses, gamma of shape 4", _gammas(4.0, 1.0, 1.3, 2.0, 3.0, 4.0, 5.0, 5.5)),
    KnownLaw(
        "saturated-7", "doses", "7 doses, normal, cut at 0 and 4", DoseResponse(_normals(0, 0.5, 1, 2, 3, 3.5, 4).responses, (0.0, 4.0))
    ),
    KnownLaw("zeros-7", "doses", "7 doses, 80 to 10 % zeros, else gamma", _zero_inflated(*_ZEROS)),
    KnownLaw("paths-2", "doses", "2 doses, paths at 10 times", _paths((0.0, 2.0), 10)),
    KnownLaw("rare-class", "discrete", "binary symmetric channel, 5 % flipped, a class of 4 %", _symmetric(0.05, 0.04)),
)
