"""Posteriors of the ligand from a signal, for the input law of the environments, with as few numbers to fit as ordered doses need."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sciml.biology.cell.environments import Environments
from sciml.biology.information.dose_decoder import folds_within
from sciml.biology.information.response_features import discriminants, response_features
from sciml.biology.information.samples import Pair
from sciml.biology.information.softmax_regression import damped_newton
from sciml.errors import DataError

__all__ = ["Posteriors", "ligand_posteriors"]

_STRENGTHS = 10.0 ** np.arange(1.0, -3.1, -1.0)
_MOST_SHAPES, _MOST_VALUES, _MOST_COLUMNS = 12, 512, 4
_RIDGE, _MOST_STEPS, _FOLDS = 1e-4, 40, 10


@dataclass(frozen=True)
class Posteriors:
    """ln p(l | s): `fitted` [U, K] for distinct rows of the signal; `left_out` [M, K] by the fit without one cell of `value` and `dose`.

    `value` [M], `dose` [M], `weight` [M]: the pairs that were seen, weights sum to 1 and follow p(L), however many cells each dose has.
    """

    fitted: np.ndarray
    left_out: np.ndarray
    value: np.ndarray
    dose: np.ndarray
    weight: np.ndarray


def ligand_posteriors(environments: Environments, pair: Pair, seed: int) -> Posteriors:
    """min_B - sum_i w_i ln p(l_i | s_i), p(l | s) ~ p(l) exp(f(s) B g(l)), w_i = p(l_i) n / n_l, penalised where f is rough.

    f: splines of the scores of the signal, g: cubic splines of the rank of the dose (12 at most), or one number a dose where the doses are
    few or names. The penalty is the one with the least loss on cells left out, which come from one Newton step per cell (Rad and Maleki,
    J. R. Stat. Soc. B 82 (2020) 965). A signal of one column is read in at most 512 steps. Raises DataError for a dose with p(L) > 0 that
    no cell was at.
    """
    codes = _codes(pair, environments.p_l)
    view, doses = _view(pair.y.values, codes, seed), len(environments.p_l)
    shapes = _shapes(doses, pair.x.ordered)
    features = response_features(view, 3 * shapes.shape[1] // 2) if view.shape[1] else None
    first, of = np.unique(view, axis=0, return_index=True, return_inverse=True)[1:] if view.shape[1] else (np.zeros(1, int), 0 * codes)
    f = np.ones((len(first), 1)) if features is None else np.column_stack([np.ones(len(first)), features.values[first]])
    rough = np.concatenate([[0.0], np.zeros(0) if features is None else features.weights])
    counts = np.zeros((len(first), doses))
    np.add.at(counts, (of.reshape(-1), codes), 1)
    each = environments.p_l * len(codes) / np.maximum(counts.sum(axis=0), 1)  # weight of one cell of a dose
    rows = _Rows(f, shapes, counts, each, np.log(np.maximum(environments.p_l, 1e-300)))
    slopes, best = np.zeros((shapes.shape[1], f.shape[1])), None
    for strength in _STRENGTHS:
        penalty = np.tile(strength * rough + _RIDGE, (shapes.shape[1], 1))
        slopes, logs, inverse = rows.newton(penalty, slopes)
        value, dose, left_out = rows.left_out(logs, inverse)
        weight = (counts * each)[value, dose] / len(codes)
        loss = -float(weight @ left_out[np.arange(len(dose)), dose])
        if best is None or loss < best[0]:
            best = (loss, Posteriors(logs, left_out, value, dose, weight))
        elif loss > best[0] + 1e-3:
            break
    if best is None:
        raise DataError("channel: no cells")
    return best[1]


@dataclass(frozen=True)
class _Rows:
    """Distinct signals `f` [U, F], dose shapes `g` [K, R], `counts` [U, K], `each` [K] weight of a cell, `prior` [K] ln p(l)."""

    f: np.ndarray
    g: np.ndarray
    counts: np.ndarray
    each: np.ndarray
    prior: np.ndarray

    def newton(self, penalty: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(slopes [R, F], ln p [U, K], inverse curvature [R, F, R, F]) at the minimum."""
        from scipy.linalg import cho_solve

        weights = self.counts * self.each
        total = weights.sum(axis=1)

        def slope(at: np.ndarray, p: np.ndarray) -> np.ndarray:
            return np.asarray(self.g.T @ (total[:, None] * p - weights).T @ self.f + penalty * at)

        slopes, logs, factor = damped_newton(
            lambda at: self._value(at, penalty, weights), slope, lambda p: self._curvature(p, total, penalty), slopes,
            least=1e-7 * total.sum(), steps=_MOST_STEPS,
        )  # fmt: skip
        inverse = cho_solve(factor, np.eye(slopes.size), check_finite=False).reshape(*slopes.shape, *slopes.shape)
        return slopes, logs, inverse

    def left_out(self, logs: np.ndarray, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(value [M], dose [M], ln p [M, K]) of each pair that was seen, by the fit without one such cell: logits move by w G (p - c)."""
        from scipy.special import log_softmax

        seen, doses = np.nonzero((self.counts > 0) & (self.each > 0))
        lever = np.einsum("uf,rfsh,uh->urs", self.f, inverse, self.f, optimize=True)  # f H^-1 f, [U, R, R]
        pull = np.exp(logs) @ self.g
        away = pull[seen] - self.g[doses]
        towards = np.einsum("mrs,ms->mr", lever[seen], away)
        p = np.exp(logs[seen, doses])
        leverage = (towards * away).sum(axis=1) * p / np.maximum(1 - p, 1e-12)
        stretch = 1 / np.maximum(1 - self.each[doses] * leverage, 0.2)
        return seen, doses, log_softmax(logs[seen] + (self.each[doses] * stretch)[:, None] * (towards @ self.g.T), axis=1)

    def _value(self, slopes: np.ndarray, penalty: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        from scipy.special import log_softmax

        logs = log_softmax(self.prior + self.f @ slopes.T @ self.g.T, axis=1)
        return -float((weights * logs).sum()) + 0.5 * float((penalty * slopes * slopes).sum()), logs

    def _curvature(self, p: np.ndarray, total: np.ndarray, penalty: np.ndarray) -> np.ndarray:
        """[R F, R F]: sum_u total_u (g' diag(p_u) g - g' p_u p_u' g) x f_u f_u'."""
        (u, size), shapes = self.f.shape, self.g.shape[1]
        means = p @ self.g
        spread = (p @ (self.g[:, :, None] * self.g[:, None, :]).reshape(len(self.g), -1)).reshape(u, shapes, shapes)
        spread -= means[:, :, None] * means[:, None, :]
        squares = (self.f[:, :, None] * self.f[:, None, :] * total[:, None, None]).reshape(u, -1)
        whole = (spread.reshape(u, -1).T @ squares).reshape(shapes, shapes, size, size).transpose(0, 2, 1, 3)
        whole = np.ascontiguousarray(whole).reshape(shapes * size, -1)
        whole.flat[:: shapes * size + 1] += penalty.ravel()
        return whole


def _codes(pair: Pair, p_l: np.ndarray) -> np.ndarray:
    """Doses [n] of the cells; every dose that occurs in the environments has cells."""
    codes = pair.x.codes
    if codes is None or len(pair.x.levels) != len(p_l):
        raise DataError(f"channel: cells at {len(pair.x.levels)} doses, expected cells at each of the {len(p_l)} doses of p(L|E)")
    empty = np.flatnonzero((np.bincount(codes, minlength=len(p_l)) == 0) & (p_l > 0))
    if len(empty):
        raise DataError(f"channel: no cell at dose {pair.x.levels[empty[0]]}, which the environments bring")
    return codes


def _view(signal: np.ndarray, codes: np.ndarray, seed: int) -> np.ndarray:
    """[n, <= 4] columns: more are made into discriminants of the doses; a single one takes at most 512 values, medians of equal shares."""
    signal = signal[:, np.ptp(signal, axis=0) > 0] if len(signal) else signal
    if signal.shape[1] > _MOST_COLUMNS:
        return discriminants(signal, codes, folds_within(codes, _FOLDS, seed), curved=False)
    if signal.shape[1] != 1 or len(np.unique(signal)) <= _MOST_VALUES:
        return signal
    edges = np.quantile(signal[:, 0], np.linspace(0, 1, _MOST_VALUES + 1)[1:-1])
    part = np.searchsorted(edges, signal[:, 0], side="right")
    order = np.argsort(signal[:, 0], kind="stable")
    starts = np.searchsorted(part[order], np.arange(_MOST_VALUES + 1))
    middles = np.array([np.median(signal[order[a:b], 0]) if b > a else 0.0 for a, b in pairwise(starts)])
    return middles[part][:, None]


def _shapes(doses: int, ordered: bool) -> np.ndarray:
    """g [K, R]: a number for each dose, or cubic splines of the rank of many ordered ones."""
    if not ordered or doses <= _MOST_SHAPES:
        return np.eye(doses)
    from scipy.interpolate import BSpline

    inner = np.linspace(0, 1, _MOST_SHAPES - 2)[1:-1]
    knots = np.concatenate([np.zeros(4), inner, np.ones(4)])
    return np.asarray(BSpline.design_matrix(np.linspace(0, 1, doses), knots, 3).toarray())
