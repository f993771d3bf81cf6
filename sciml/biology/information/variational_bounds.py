"""Bounds of (I(X;T), I(T;Y)) by an encoder and a decoder: one from above, one from below, with their standard errors on held-out rows.

    I(X;T) <= E log p(t|x) - log r(t)               for any r: the mean encoder of other rows (Poole et al. 2019, leave-one-out and fixed)
    I(T;Y) >= E f(t,y) - log mean_t' exp f(t',y)    for any f: InfoNCE (van den Oord et al. 2018), at most log of the rows in the mean

With f = log q(y|t) of levels the second is never below H(Y) + E log q(y|t) with H(Y) of the same rows, and never above H(Y).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sciml.biology.information.encoder_network import Code, Decoder, Encoder, log_mean

__all__ = ["BLOCK", "Bounds", "held_out_bounds", "relevance", "relevance_as_other"]

BLOCK = 2048
"""Rows in one mean of InfoNCE: bounds up to 11 bits can be seen."""
_STRIP = 256


@dataclass(frozen=True)
class Bounds:
    """In bits: `i_x` from above, `i_y` from below, and the covariance [2, 2] of both estimates."""

    i_x: float
    i_y: float
    covariance: np.ndarray


def relevance(code: Code, scores: Tensor) -> Tensor:
    """Terms of InfoNCE [n] in nats; `scores` [m, n] of the code's points with the targets of its n rows."""
    own = scores.diagonal() if code.weights is None else (code.weights * scores.T).sum(1)
    return own - _marginal(code, scores)


def relevance_as_other(code: Code, scores: Tensor) -> Tensor:
    """What a row adds to the mean of `relevance` as one of the others [n]: to first order, of mean 0."""
    share = (scores - _marginal(code, scores)).exp().mean(1)
    return 1.0 - (share if code.weights is None else code.weights @ share)


def _marginal(code: Code, scores: Tensor) -> Tensor:
    """log mean_t' exp f(t', y) of each row [n]."""
    if code.weights is None:
        return log_mean(scores.T, len(scores))
    return torch.logsumexp(scores.T + code.weights.mean(0).clamp_min(1e-30).log(), 1)


@torch.no_grad()
def held_out_bounds(
    encoder: Encoder, decoder: Decoder, x: Tensor, y: Tensor, centres: Tensor, generator: torch.Generator, groups: np.ndarray | None = None
) -> Bounds:
    """The bounds on rows that the networks have not seen.

    `centres` [M, d]: of the training rows that make r. Given the networks both are right on average: the first is a plain mean over the
    rows, the second a mean over blocks of at most `BLOCK` rows. Errors count what a row does as one of the others too; `groups` [n] are
    taken as wholes.
    """
    above, below, rows = [], [], []
    blocks = max(1, math.ceil(len(x) / BLOCK))
    for block in torch.arange(len(x)).chunk(blocks):
        code = encoder(x[block], generator)
        above.append(torch.cat([encoder.excess(_part(code, strip), centres) for strip in torch.arange(len(block)).split(_STRIP)]))
        scores = decoder(code.points, y[block])
        below.append(relevance(code, scores))
        rows.append(below[-1] + relevance_as_other(code, scores))
    over, under, influence = (torch.cat(parts).double().cpu().numpy() / math.log(2) for parts in (above, below, rows))
    return Bounds(float(over.mean()), float(under.mean()), _covariance(np.stack([over, influence]), groups))


def _part(code: Code, rows: Tensor) -> Code:
    """The code of some of its rows."""
    if code.weights is None:
        return Code(code.points[rows], None, code.centres[rows])
    return Code(code.points, code.weights[rows], code.centres[rows])


def _covariance(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Of the means of `values` [2, n], rows independent or in independent groups."""
    off = values - values.mean(axis=1, keepdims=True)
    if groups is not None:
        off = np.stack([np.bincount(groups, weights=row) for row in off])[:, np.bincount(groups) > 0]
    count = off.shape[1]
    found: np.ndarray = off @ off.T * (count / max(1, count - 1)) / values.shape[1] ** 2
    return found
