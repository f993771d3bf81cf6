"""Checks of a bottleneck curve: a closed bracket, data processing, a rising concave shape, each point the best at its own beta."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from sciml.report.verdicts import Row

__all__ = ["Curve", "rows"]

_ROUNDING = 1e-9
_BITS = 1e-5  # what an encoder may fall short of the best one found
_GAP = 1e-3


@runtime_checkable
class Curve(Protocol):
    """What a curve must have; arrays hold one entry for each beta, informations in bits."""

    beta: np.ndarray
    i_x: np.ndarray
    i_y: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    gap: float
    certified: bool
    h_x: float
    i_xy: float


def rows(curve: Curve) -> Iterator[Row]:
    """One row a check."""
    i_x, i_y = np.asarray(curve.i_x, dtype=float), np.asarray(curve.i_y, dtype=float)
    lower, upper = np.asarray(curve.lower, dtype=float), np.asarray(curve.upper, dtype=float)
    open_by = np.maximum(lower - upper, i_y - upper).max()
    yield Row.judged("closed bracket", float(open_by), _ROUNDING, "how far lower ends or encoders lie above upper ends", "bit")
    proof = "certified" if curve.certified else "not certified: the upper end is the best of many starts"
    yield Row.judged("width of the bracket", max(float(curve.gap), float((upper - lower).max())), _GAP, proof, "bit")
    beyond = max((i_y - i_x).max(), i_y.max() - curve.i_xy, i_x.max() - curve.h_x, -i_x.min(), -i_y.min())
    words = f"0 <= I(T;Y) <= I(T;X), I(T;Y) <= I(X;Y) = {curve.i_xy:.4f}, I(T;X) <= H(X) = {curve.h_x:.4f}"
    yield Row.judged("data processing", float(beyond), _ROUNDING, words, "bit")
    yield _rising(np.asarray(curve.beta, dtype=float), i_x, i_y)
    yield _concave(i_x, lower)
    yield _best(np.asarray(curve.beta, dtype=float), i_x, i_y)


def _rising(beta: np.ndarray, i_x: np.ndarray, i_y: np.ndarray) -> Row:
    order = np.argsort(beta, kind="stable")
    drop = max(float(-np.diff(i_x[order]).min(initial=0.0)), float(-np.diff(i_y[order]).min(initial=0.0)))
    return Row.judged("rising with beta", drop, _BITS, "the largest fall of I(T;X) or I(T;Y) from one beta to the next", "bit")


def _concave(i_x: np.ndarray, lower: np.ndarray) -> Row:
    """How far a lower end lies below the chord of any two others: with (0, 0), the largest over all triples of neighbours."""
    at, place = np.unique(np.append(0.0, i_x).round(12), return_index=True)
    value = np.append(0.0, lower)[place]
    if len(at) < 3:
        return Row.absent("concave", "fewer than three points")
    share = (at[1:-1] - at[:-2]) / (at[2:] - at[:-2])
    sag = (1 - share) * value[:-2] + share * value[2:] - value[1:-1]
    return Row.judged("concave", float(max(sag.max(), 0.0)), _BITS, "how far a lower end lies below the chord of its neighbours", "bit")


def _best(beta: np.ndarray, i_x: np.ndarray, i_y: np.ndarray) -> Row:
    """By how much another encoder of the curve has a larger I(T;Y) - I(T;X) / beta than the one found at this beta."""
    price = np.where(np.isinf(beta), 0.0, 1.0 / beta)[:, None]
    value = i_y[None, :] - price * i_x[None, :]
    short = (value.max(axis=1) - np.diagonal(value)).max()
    return Row.judged("best at its beta", float(short), _BITS, "I(T;Y) - I(T;X) / beta against the other points of the curve", "bit")
