"""What a fitted law misses in many columns, learned by a network and measured on rows that it never saw."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.information.densities import (
    MixtureDensity,
    fitted,
    law_variance,
    law_words,
    mixture_estimate,
    ratio_nats,
    residual,
    residual_words,
    transform_words,
)
from sciml.biology.information.intervals import ONE_SIDED
from sciml.biology.information.mixture import Mixture, fit_mixture
from sciml.biology.information.mixture_choice import Fit
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.seeding import derive, numpy_generator

__all__ = ["Critic"]

_FOLDS = 5
_HIDDEN, _FEATURES = 64, 32
_BATCH, _STEPS, _LOOK, _PATIENCE = 256, 1000, 25, 8
_RATE, _DECAY = 5e-3, 1e-3
_BLOCK = 500
_PER_NAT = 1 / math.log(2)


class Critic(MixtureDensity):
    """The mixture; and where it took several components, a network on one of them, if that sees more of rows which neither has seen.

    f(x, y) = log q(x, y) / (q(x) q(y)) + h(x) . k(y), q of one component, h and k trained on four of five folds by InfoNCE (van den Oord et
    al., arXiv 1807.03748) with early stopping, measured on the fifth: a lower figure. The same on half of the rows gives 2 I(N) - I(N/2),
    less of what has not been learned yet.
    """

    name = "critic"

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits; one-sided where one component does not do, for then nothing says what is still missing."""
        x, y, fit = fitted(pair, seed)
        dx = x.values.shape[1]
        law = ratio_nats(fit, x, y)
        left = residual(fit, law, dx, seed)
        if fit.parts == 1:
            return mixture_estimate(self.name, x, y, fit, law, left)
        whole, half = _learned(fit, (x.values, y.values), seed)
        notes = (
            residual_words(left),
            f"unseen rows: the components see {fit.outside.mean() * _PER_NAT:.3f} bit, a network on one of them {whole.mean * _PER_NAT:.3f}"
            f" ({half.mean * _PER_NAT:.3f} from half of the rows); the higher is taken",
            "one-sided: neither is known to be the law of the pair, and what both miss is not known",
        )
        if whole.mean > fit.outside.mean():
            nats = 2 * whole.mean - half.mean
            variance = whole.error**2 + (nats - whole.mean) ** 2 / 4
            words, extrapolation = "network on one component", "2 I(N) - I(N/2)"
        else:
            nats, variance = law + left.weight * max(left.beyond, 0.0), law_variance(fit, dx) + (left.variance if left.beyond > 0 else 0.0)
            words, extrapolation = law_words(fit), "mean of seen and unseen rows"
        error = math.sqrt(variance)
        return Estimate(
            nats * _PER_NAT, error * _PER_NAT, (nats - ONE_SIDED * error) * _PER_NAT, math.inf,
            f"{self.name} ({transform_words(x, y)}; {words})", "spread over rows, and of what is extrapolated", extrapolation, notes,
        )  # fmt: skip


@dataclass(frozen=True)
class _Learned:
    """What the network sees of unseen rows: mean and standard error, nats."""

    mean: float
    error: float


def _learned(fit: Fit, sides: tuple[np.ndarray, np.ndarray], seed: int) -> tuple[_Learned, _Learned]:
    """From all rows, and from a random half of them."""
    import torch

    from sciml.devices import set_threads

    n = len(fit.points)
    half = numpy_generator(seed, "half").permutation(n)[: n // 2]
    before = torch.get_num_threads()
    set_threads(1)
    try:
        return _cross_fitted(fit, sides, np.arange(n), derive(seed, "whole")), _cross_fitted(fit, sides, half, derive(seed, "half"))
    finally:
        set_threads(before)


def _cross_fitted(fit: Fit, sides: tuple[np.ndarray, np.ndarray], rows: np.ndarray, seed: int) -> _Learned:
    fold = numpy_generator(seed, "folds").permutation(len(rows)) % _FOLDS
    found = np.concatenate([_fold(fit, sides, rows[fold != k], rows[fold == k], derive(seed, k)) for k in range(_FOLDS)])
    return _Learned(float(found.mean()), float(found.std() / math.sqrt(len(found))))


def _fold(fit: Fit, sides: tuple[np.ndarray, np.ndarray], seen: np.ndarray, unseen: np.ndarray, seed: int) -> np.ndarray:
    """[unseen] log ratio of one component, and what the network adds to its InfoNCE term; both fitted to the rows `seen`."""
    import torch

    dx = sides[0].shape[1]
    one = fit_mixture(fit.points[seen], fit.prior, 1, fit.mixture.freedom, numpy_generator(seed))
    base = _Base(one, fit.points, dx)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Network(*sides)
    stop = len(seen) // 8
    _train(network, base, seen[stop:], seen[:stop], numpy_generator(seed, "batches"))
    return np.asarray(one.log_ratio(fit.points[unseen, :dx], fit.points[unseen, dx:]) + _gains(network, base, unseen).numpy())


def _train(network: _Network, base: _Base, rows: np.ndarray, stop: np.ndarray, generator: np.random.Generator) -> None:
    """Adam on InfoNCE until the gain on the rows `stop` has not risen for some looks; the best network is kept."""
    import torch

    optimizer = torch.optim.AdamW(network.parts.parameters(), lr=_RATE, weight_decay=_DECAY)
    best, kept, since = 0.0, copy.deepcopy(network.parts.state_dict()), 0
    for step in range(_STEPS):
        batch = generator.choice(rows, min(_BATCH, len(rows)), replace=False)
        loss = -_terms(base.table(batch) + network.table(batch)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % _LOOK == _LOOK - 1:
            reached = float(_gains(network, base, stop).mean())
            since = 0 if reached > best else since + 1
            if reached > best:
                best, kept = reached, copy.deepcopy(network.parts.state_dict())
            if since == _PATIENCE:
                break
    network.parts.load_state_dict(kept)


def _gains(network: _Network, base: _Base, rows: np.ndarray) -> Any:
    """[rows] what the network adds to the InfoNCE terms of the mixture, each row against its block."""
    import torch

    found = []
    with torch.no_grad():
        for block in np.array_split(rows, max(1, len(rows) // _BLOCK)):
            plain = base.table(block)
            found.append(_terms(plain + network.table(block)) - _terms(plain))
    return torch.cat(found)


class _Network:
    """h(x) . k(y) of rows: two small networks, the first starting at 0, so that training starts from the mixture."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        import torch
        from torch import nn

        def side(d: int) -> Any:
            return nn.Sequential(nn.Linear(d, _HIDDEN), nn.SiLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.SiLU(), nn.Linear(_HIDDEN, _FEATURES))

        self.x, self.y = (torch.tensor(values, dtype=torch.float32) for values in (x, y))
        self.parts = nn.ModuleList([side(x.shape[1]), side(y.shape[1])])
        last: Any = self.parts[0]
        nn.init.zeros_(last[-1].weight)
        nn.init.zeros_(last[-1].bias)

    def table(self, rows: np.ndarray) -> Any:
        """[rows, rows]: of each x with each y."""
        return self.parts[0](self.x[rows]) @ self.parts[1](self.y[rows]).T


class _Base:
    """log q(x_i, y_j) / (q(x_i) q(y_j)) of a mixture, all i with all j: a component's squares are a part of x, one of y and 2 x' P y."""

    def __init__(self, mixture: Mixture, points: np.ndarray, dx: int) -> None:
        import torch
        from scipy.special import gammaln

        d, v = mixture.means.shape[1], mixture.freedom
        constant = np.log(mixture.weights) - np.linalg.slogdet(mixture.scales)[1] / 2
        if math.isinf(v):
            constant = constant - d / 2 * math.log(2 * math.pi)
        else:
            constant = constant + gammaln((v + d) / 2) - gammaln(v / 2) - d / 2 * math.log(v * math.pi)
        own_x = mixture.side(slice(0, dx)).log_density(points[:, :dx])
        own_y = mixture.side(slice(dx, None)).log_density(points[:, dx:])
        precision = np.linalg.inv(mixture.scales)
        self.freedom, self.dx, self.d = v, dx, d
        self.points, self.own_x, self.own_y, self.means, self.precision, self.constant = (
            torch.tensor(a, dtype=torch.float32) for a in (points, own_x, own_y, mixture.means, precision, constant)
        )

    def table(self, rows: np.ndarray) -> Any:
        """[rows, rows], nats."""
        import torch

        dx = self.dx
        apart = self.points[rows][None] - self.means[:, None]
        x, y = apart[..., :dx], apart[..., dx:]
        xx, yy, xy = self.precision[:, :dx, :dx], self.precision[:, dx:, dx:], self.precision[:, :dx, dx:]
        squares = ((x @ xx) * x).sum(-1)[:, :, None] + ((y @ yy) * y).sum(-1)[:, None, :] + 2 * (x @ xy) @ y.transpose(1, 2)
        if math.isinf(self.freedom):
            logs = self.constant[:, None, None] - squares / 2
        else:
            logs = self.constant[:, None, None] - (self.freedom + self.d) / 2 * torch.log1p(squares.clamp_min(0.0) / self.freedom)
        return torch.logsumexp(logs, dim=0) - self.own_x[rows][:, None] - self.own_y[rows][None]


def _terms(table: Any) -> Any:
    """[n] InfoNCE terms of the pairs (i, i) against all pairs, the mean of both directions; their mean is at most I(X;Y), nats."""
    import torch

    own = torch.diagonal(table)
    return own - (torch.logsumexp(table, dim=0) + torch.logsumexp(table, dim=1)) / 2 + math.log(len(table))
