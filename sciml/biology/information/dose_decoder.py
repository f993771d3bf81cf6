"""Information between doses and a response of one or many columns, by a classifier that tells doses from responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sciml.biology.information.doses import Dosed, dosed, why_not_dosed
from sciml.biology.information.intervals import Z95, disjoint_halves
from sciml.biology.information.response_features import discriminants, response_features
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.biology.information.softmax_regression import softmax_regression
from sciml.seeding import numpy_generator

__all__ = ["DoseDecoder", "Ratios", "likelihood_ratios", "extrapolated", "fit_error", "folds_within", "many_columns", "spread_of_mean"]

_FOLDS = 10
_DIRECT = 4  # columns; more are first made into discriminants


@dataclass(frozen=True)
class Ratios:
    """log2 of p(response_i | dose k) / p(response_i) [n, k] for cells of `codes` [n]: by the fit to all, and by that without cell i."""

    codes: np.ndarray
    fitted: np.ndarray
    left_out: np.ndarray
    shares: np.ndarray

    def terms(self) -> tuple[np.ndarray, float]:
        """[n] bits of each cell at its own dose, mean of both fits; and half of the distance between the means of both."""
        rows = np.arange(len(self.codes))
        fitted, left_out = self.fitted[rows, self.codes], self.left_out[rows, self.codes]
        return 0.5 * (fitted + left_out), 0.5 * float((fitted - left_out).mean())


class DoseDecoder:
    """I = H(dose) - H(dose | response) with p(dose | response) by logistic regression on splines of the scores of each column.

    The loss of the fit is too low by (degrees of freedom) / 2N nats, that of cells left out too high by the same, to first order in 1 / N
    (Stone, J. R. Stat. Soc. B 39 (1977) 44): their mean is the estimate. More than 4 columns (traces) are first made into at most 4
    discriminants, without the cell's own fold; what they do not yet know is extrapolated from halves, what they cannot see is missing.
    """

    name = "dose_decoder"

    def refuses(self, pair: Pair) -> str:
        """One side must be discrete, the other have numbers."""
        return why_not_dosed(pair)

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        bits = self._one_fit(pair, seed)
        if not many_columns(pair):
            return bits
        return 2 * bits - disjoint_halves(pair, self._one_fit, seed, splits=2).mean

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits; the interval is made of the spread of the log ratios, that of the fit, and part of what was corrected, as doubt of it."""
        cells = dosed(pair)
        if not cells.responses.shape[1]:
            return Estimate(0.0, 0.0, 0.0, 0.0, self.name, "none needed", "exact: no response varies", cells.notes)
        ratios = likelihood_ratios(cells, seed)
        terms, corrected = ratios.terms()
        bits, error = float(terms.mean()), np.hypot(spread_of_mean(terms, cells), fit_error(corrected, len(terms)))
        made, trend = "splines", f"mean of fitted and left-out loss, which err to either side by {corrected:.4f} bit to first order in 1/N"
        if many_columns(pair):
            bits, error, gained = extrapolated(pair, self._one_fit, bits, float(error), seed)
            made, trend = (
                f"{cells.responses.shape[1]} columns, discriminants, splines",
                f"2 I(N) - I(N/2), which adds {gained:.4f} bit; {trend}",
            )
        words = "spread of log ratios and of the fit, with doubt of the correction"
        most = -float(cells.shares @ np.log2(cells.shares))
        low, high = bits - Z95 * float(error), cells.upper(bits + Z95 * float(error), most)
        return Estimate(bits, float(error), low, high, f"{self.name} ({made})", words, trend, cells.notes)

    def _one_fit(self, pair: Pair, seed: int) -> float:
        cells = dosed(pair)
        return float(likelihood_ratios(cells, seed).terms()[0].mean()) if cells.responses.shape[1] else 0.0


def likelihood_ratios(cells: Dosed, seed: int) -> Ratios:
    """Fit the classifier; the ratios are posteriors over the shares of the doses."""
    views = [cells.responses]
    if cells.responses.shape[1] > _DIRECT:
        folds = folds_within(cells.codes, _FOLDS, seed)
        views = [discriminants(cells.responses, cells.codes, folds, curved=curved) for curved in (False, True)]
    fits = []
    for view in views:
        features = response_features(view, len(cells.counts))
        fits.append(softmax_regression(features.values, features.weights, cells.codes))
    rows = np.arange(len(cells.codes))
    fit = max(fits, key=lambda one: float(one.left_out[rows, cells.codes].sum()))
    prior = np.log(cells.shares)
    return Ratios(cells.codes, (fit.fitted - prior) / np.log(2), (fit.left_out - prior) / np.log(2), cells.shares)


def spread_of_mean(terms: np.ndarray, cells: Dosed) -> float:
    """Standard error of the mean of `terms` [n]: within doses where as many cells were taken of each, else that of all cells alike."""
    if np.ptp(cells.counts) > 1:
        return float(terms.std(ddof=1) / np.sqrt(len(terms)))
    means = np.bincount(cells.codes, terms) / cells.counts
    return float(np.sqrt(((terms - means[cells.codes]) ** 2).sum() / (len(terms) - len(means)) / len(terms)))


def fit_error(corrected: float, n: int) -> float:
    """What the fit adds to the error: chi-square of as many degrees of freedom as `corrected` stands for, and a quarter of `corrected`."""
    freedom = 1 + 2 * n * max(corrected, 0.0) * np.log(2)
    return float(np.hypot(np.sqrt(2 * freedom) / (2 * n * np.log(2)), 0.25 * corrected))


def extrapolated(pair: Pair, point: Callable[[Pair, int], float], bits: float, error: float, seed: int) -> tuple[float, float, float]:
    """2 I(N) - I(N/2), its standard error with all that was added as doubt, and what was added; 16 fits."""
    halves = disjoint_halves(pair, point, seed, splits=8)
    gained = bits - halves.mean
    return bits + gained, float(np.hypot(error, np.hypot(halves.mean_error, gained))), gained


def many_columns(pair: Pair) -> bool:
    """More columns than the decoder takes as they are: discriminants come first, and what they do not know yet is extrapolated."""
    return max(pair.x.values.shape[1], pair.y.values.shape[1]) > _DIRECT


def folds_within(codes: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """[n] from 0 to folds - 1, the cells of each dose spread evenly over them."""
    order = np.lexsort((numpy_generator(seed, "folds").random(len(codes)), codes))
    found = np.empty(len(codes), dtype=int)
    found[order] = np.arange(len(codes)) % folds
    return found
