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

__all__ = ["BLOCK", "Bounds", "held_out_bounds", "relevance"]

BLOCK = 2048
"""Rows in one mean of InfoNCE: bounds up to 11 bits can be seen."""
_STRIP = 256


@dataclass(frozen=True)
class Bounds:
    """In bits: `i_x` from above, `i_y` from below, and the covariance [2, 2] of both estimates."""

    i_x: float
    i_y: float
    covariance: np.ndarray


def relevance(code: Code, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Terms of InfoNCE [n] in nats, and what a row adds to their mean as one of the others [n] (first order, mean 0).

    `scores` [m, n] of the code's points with the targets of its n rows.
    """
    n = scores.shape[1]
    if code.weights is None:
        own, marginal = scores.diagonal(), log_mean(scores.T, n)
    else:
        own = (code.weights * scores.T).sum(1)
        marginal = torch.logsumexp(scores.T + code.weights.mean(0).clamp_min(1e-30).log(), 1)
    with torch.no_grad():
        share = (scores - marginal).exp().mean(1)
        taken = share if code.weights is None else code.weights @ share
    return own - marginal, 1.0 - taken


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
        terms, others = relevance(code, decoder(code.points, y[block]))
        below.append(terms)
        rows.append(terms + others)
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
