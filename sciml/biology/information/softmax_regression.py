"""Multinomial logistic regression by Newton's method, judged by what each row is given when it is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["SoftmaxFit", "damped_newton", "softmax_regression"]

# From a penalty that leaves little but straight lines to one that leaves nearly all freedom.
_STRENGTHS = 10.0 ** np.arange(2.5, -4.1, -0.75)
_TRIED_ROWS = 10_000  # strengths are tried on at most so many rows
_INTERCEPT = 1e-6
_MOST_STEPS = 50


@dataclass(frozen=True)
class SoftmaxFit:
    """Of n rows in k classes: natural logarithms of the probabilities of all classes [n, k].

    `fitted`: by the fit to all rows; `left_out`: by the fit to all rows but this one. `strength`: of the penalty that was taken.
    """

    fitted: np.ndarray
    left_out: np.ndarray
    strength: float


def softmax_regression(features: np.ndarray, weights: np.ndarray, codes: np.ndarray) -> SoftmaxFit:
    """min_B - sum_i log p(c_i | x_i) + strength / 2 sum_j weights_j |B_j|^2 with p(c | x) ~ share_c exp(B_c x), in nats.

    `features` [n, p] of mean 0, `weights` [p] > 0, `codes` [n] from 0, every class present. The strength is the one with the least loss on
    rows left out. Those come from one Newton step per row from the common fit, without fitting n times (approximate leave-one-out: Rad and
    Maleki, J. R. Stat. Soc. B 82 (2020) 965).
    """
    rows = _Rows.of(features, codes)
    tried = rows.thinned(_TRIED_ROWS)
    penalties = np.concatenate([[0.0], weights])
    slopes = best = np.zeros((rows.classes.shape[1], rows.features.shape[1]))
    least, strength = np.inf, _STRENGTHS[0]
    for candidate in _STRENGTHS:
        penalty = candidate * penalties + _INTERCEPT
        slopes, logs = tried.newton(penalty, slopes)
        left_out = tried.left_out(logs, penalty)
        loss = tried.loss(left_out)
        if loss < least:
            least, strength, best = loss, float(candidate), slopes
            fit = SoftmaxFit(logs, left_out, strength)
        elif loss > least + 0.002:
            break
    if tried is rows:
        return fit
    penalty = strength * penalties + _INTERCEPT
    logs = rows.newton(penalty, best)[1]
    return SoftmaxFit(logs, rows.left_out(logs, penalty), strength)


@dataclass(frozen=True)
class _Rows:
    """`features` [n, p] with a leading 1, `classes` [n, k] of 0 and 1."""

    features: np.ndarray
    classes: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, codes: np.ndarray) -> _Rows:
        return cls(np.column_stack([np.ones(len(codes)), features]), np.eye(int(codes.max()) + 1)[codes])

    def thinned(self, most: int) -> _Rows:
        """About `most` rows, every so many of each class, at least 100 of a class that has them."""
        n = len(self.features)
        if n <= most:
            return self
        kept = []
        for own in self.classes.T:
            of_class = np.flatnonzero(own)
            wanted = min(len(of_class), max(100, len(of_class) * most // n))
            kept.append(of_class[np.linspace(0, len(of_class) - 1, wanted).astype(int)])
        rows = np.sort(np.concatenate(kept))
        return _Rows(self.features[rows], self.classes[rows])

    def loss(self, logs: np.ndarray) -> float:
        """Nats a row."""
        return -float((self.classes * logs).sum()) / len(logs)

    def newton(self, penalty: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slopes [k, p] at the minimum, from a start, and the log probabilities [n, k]."""

        def slope(at: np.ndarray, p: np.ndarray) -> np.ndarray:
            return np.asarray((p - self.classes).T @ self.features + penalty * at)

        return damped_newton(
            lambda at: self._value(at, penalty), slope, lambda p: self._curvature(p, penalty), slopes,
            least=1e-8 * len(self.features), steps=_MOST_STEPS,
        )[:2]  # fmt: skip

    def left_out(self, logs: np.ndarray, penalty: np.ndarray) -> np.ndarray:
        """[n, k] by the fit without the row: logits move by (1 - G W)^-1 G (p - c), with G = x H^-1 x and W = dp / dlogits."""
        from scipy.special import log_softmax

        k, p = self.classes.shape[1], np.exp(logs)
        size = self.features.shape[1]
        inverse = np.linalg.inv(self._curvature(p, penalty)).reshape(k, size, k, size)
        lever = np.empty((len(logs), k, k))
        for a in range(k):
            for b in range(a + 1):
                lever[:, a, b] = lever[:, b, a] = np.einsum("ij,ij->i", self.features @ inverse[a, :, b], self.features)
        spread = -p[:, :, None] * p[:, None, :]
        spread[:, np.arange(k), np.arange(k)] += p
        moved = np.linalg.solve(np.eye(k) - lever @ spread, lever @ (p - self.classes)[:, :, None])[:, :, 0]
        return np.asarray(log_softmax(logs + moved, axis=1))

    def _value(self, slopes: np.ndarray, penalty: np.ndarray) -> tuple[float, np.ndarray]:
        from scipy.special import log_softmax

        logs = log_softmax(np.log(self.classes.mean(axis=0)) + self.features @ slopes.T, axis=1)
        return -float((self.classes * logs).sum()) + 0.5 * float((penalty * slopes * slopes).sum()), logs

    def _curvature(self, p: np.ndarray, penalty: np.ndarray) -> np.ndarray:
        """[k p, k p]: second derivatives of the penalised loss."""
        k, size = p.shape[1], self.features.shape[1]
        blocks = np.empty((k, size, k, size))
        for a in range(k):
            for b in range(a + 1):
                share = p[:, a] * ((a == b) - p[:, b])
                block = (self.features * share[:, None]).T @ self.features
                blocks[a, :, b], blocks[b, :, a] = block, block
        whole = blocks.reshape(k * size, k * size)
        whole.flat[:: k * size + 1] += np.tile(penalty, k)
        return whole


def damped_newton(
    value: Callable[[np.ndarray], tuple[float, np.ndarray]],
    slope: Callable[[np.ndarray, np.ndarray], np.ndarray],
    curvature: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    least: float,
    steps: int,
) -> tuple[np.ndarray, np.ndarray, Any]:
    """(slopes, log probabilities, Cholesky factor of the curvature) where a convex penalised loss is least, begun at `start`.

    `value` of slopes: (loss in nats, log probabilities); `slope` of slopes and probabilities, in the shape of slopes; `curvature` of
    probabilities [slopes.size, same]. Steps are halved until the loss falls as it should (Armijo); it ends after `steps`, or where a step
    promises less than `least` nats, with the factor of that step.
    """
    from scipy.linalg import cho_factor, cho_solve

    slopes, (loss, logs) = start, value(start)
    for _ in range(steps):
        p = np.exp(logs)
        down = slope(slopes, p)
        factor = cho_factor(curvature(p), lower=True, overwrite_a=True, check_finite=False)
        step = cho_solve(factor, down.ravel(), check_finite=False).reshape(slopes.shape)
        gain, size = float((down * step).sum()), 1.0
        if gain < least:
            break
        moved, there = value(slopes - step)
        while moved > loss - 1e-4 * size * gain and size > 1e-6:
            size /= 2
            moved, there = value(slopes - size * step)
        slopes, loss, logs = slopes - size * step, moved, there
    return slopes, logs, factor
