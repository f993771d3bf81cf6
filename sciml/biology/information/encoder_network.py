"""The networks of the variational bottleneck: encoders p(t|x) and the scores of a decoder, in plain torch layers.

Everything the bottleneck knows of networks is here: an encoder makes a `Code` of rows, a decoder scores (t, y). Rows have spread 1.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = [
    "CategoricalEncoder", "ClassDecoder", "Code", "Decoder", "Encoder", "FeatureDecoder", "GaussianEncoder", "Perceptron", "log_mean",
    "make_networks",
]  # fmt: skip

_FEATURES, _DECODER_GAIN = 16, 0.5


class Perceptron(nn.Module):
    """[n, inputs] -> [n, outputs]: `layers` hidden layers of `width` with SiLU, and a linear way past them: linear maps are exact.

    It starts near an orthogonal map times `gain`: a small encoder or a large decoder would learn to say nothing first.
    """

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, gain: float = 1.0) -> None:
        super().__init__()
        sizes = [inputs] + [width] * layers
        hidden = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.SiLU())]
        last = nn.Linear(sizes[-1], outputs)
        with torch.no_grad():
            last.weight *= 0.1  # nearly linear at first
        self.deep, self.linear = nn.Sequential(*hidden, last), nn.Linear(inputs, outputs, bias=False)
        nn.init.orthogonal_(self.linear.weight, gain)

    def forward(self, rows: Tensor) -> Tensor:
        """The sum of both ways."""
        found: Tensor = self.deep(rows) + self.linear(rows)
        return found


@dataclass(frozen=True)
class Code:
    """The codes of n rows, drawn or exact.

    `points` [m, d]: values of t that the decoder is asked for. `weights` [n, m]: p(points | row), or None where row i has the one drawn
    point i. `centres` [n, d]: what p(t|x) is known by (means, or log probabilities).
    """

    points: Tensor
    weights: Tensor | None
    centres: Tensor


class Encoder(nn.Module, ABC):
    """p(t|x)."""

    def __init__(self, inputs: int, outputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.network = Perceptron(inputs, outputs, width, layers)

    @abstractmethod
    def centres(self, rows: Tensor) -> Tensor:
        """What p(t|x) is known by, [n, d]."""

    @abstractmethod
    def forward(self, rows: Tensor, generator: torch.Generator) -> Code:
        """The code of rows; what is random is drawn from `generator` (on the CPU)."""

    @abstractmethod
    def excess(self, code: Code, centres: Tensor | None) -> Tensor:
        """E log p(t|x_i) - log r(t) of each row [n] in nats; r is the mean encoder of rows with `centres`, None: of the other rows."""


class GaussianEncoder(Encoder):
    """t = f(x) + z with z of unit variance in each of d dimensions: only how far f spreads the rows tells how much t says of them."""

    def centres(self, rows: Tensor) -> Tensor:
        """The means f(x)."""
        found: Tensor = self.network(rows)
        return found

    def forward(self, rows: Tensor, generator: torch.Generator) -> Code:
        """One drawn point a row."""
        means = self.centres(rows)
        noise = torch.randn(means.shape, generator=generator).to(means.device)
        return Code(means + noise, None, means)

    def excess(self, code: Code, centres: Tensor | None) -> Tensor:
        """At the drawn points."""
        own = -0.5 * (code.points - code.centres).square().sum(1)
        others = code.centres if centres is None else centres
        logs = -0.5 * (code.points.T[:, :, None] - others.T[:, None]).square().sum(0)  # by differences: codes may lie far apart
        if centres is None:
            logs = logs.masked_fill(torch.eye(len(logs), dtype=torch.bool, device=logs.device), -torch.inf)
        return own - log_mean(logs, len(others) - (centres is None))


class CategoricalEncoder(Encoder):
    """t is one of d codes with probabilities softmax f(x); nothing is drawn, all sums over codes are exact."""

    def centres(self, rows: Tensor) -> Tensor:
        """Log probabilities of the codes."""
        return torch.log_softmax(self.network(rows), 1)

    def forward(self, rows: Tensor, generator: torch.Generator) -> Code:
        """All codes, each with its probability."""
        logs = self.centres(rows)
        return Code(torch.eye(logs.shape[1], device=logs.device), logs.exp(), logs)

    def excess(self, code: Code, centres: Tensor | None) -> Tensor:
        """KL(p(t|x_i) || r)."""
        own = code.centres
        if centres is None:
            total = own.exp().sum(0)
            mean = ((total - own.exp()) / (len(own) - 1)).clamp_min(1e-30).log()
        else:
            mean = log_mean(centres.T, len(centres))
        return (own.exp() * (own - mean)).sum(1)


class Decoder(nn.Module, ABC):
    """Scores of (t, y), free up to a function of y; the best ones are log p(y|t)."""

    @abstractmethod
    def forward(self, points: Tensor, targets: Tensor) -> Tensor:
        """Scores [m, n] in nats of `points` [m, d] with the targets of n rows."""


class ClassDecoder(Decoder):
    """log q(y|t) of levels; targets [n] are their numbers."""

    def __init__(self, inputs: int, levels: int, width: int, layers: int) -> None:
        super().__init__()
        self.network = Perceptron(inputs, levels, width, layers, _DECODER_GAIN)

    def forward(self, points: Tensor, targets: Tensor) -> Tensor:
        """Log probabilities of the rows' levels."""
        return torch.log_softmax(self.network(points), 1)[:, targets]


class FeatureDecoder(Decoder):
    """a(t) - |g(t) - h(y)|^2 / 2 for numbers y [n, k]: a Gaussian law of learned features, exact for Gaussian pairs with linear g and h."""

    def __init__(self, inputs: int, columns: int, width: int, layers: int) -> None:
        super().__init__()
        self.of_code = Perceptron(inputs, _FEATURES + 1, width, layers, _DECODER_GAIN)
        self.of_target = Perceptron(columns, _FEATURES, width, layers, _DECODER_GAIN)

    def forward(self, points: Tensor, targets: Tensor) -> Tensor:
        """The scores."""
        found = self.of_code(points)
        return _minus_half_squares(found[:, 1:], self.of_target(targets)) + found[:, :1]


def make_networks(
    inputs: int, targets: int, *, code: Literal["gaussian", "categorical"], size: int, levels: bool, width: int, layers: int
) -> tuple[Encoder, Decoder]:
    """An encoder and a decoder with random weights from torch's generator; `targets` counts levels, or columns of numbers."""
    encoder = (GaussianEncoder if code == "gaussian" else CategoricalEncoder)(inputs, size, width, layers)
    decoder = (ClassDecoder if levels else FeatureDecoder)(size, targets, width, layers)
    return encoder, decoder


def log_mean(logs: Tensor, count: int) -> Tensor:
    """log of (sum of exp over the last axis) / count."""
    return torch.logsumexp(logs, -1) - math.log(count)


def _minus_half_squares(a: Tensor, b: Tensor) -> Tensor:
    """-|a_i - b_j|^2 / 2 [n, m], by one matrix product."""
    return a @ b.T - 0.5 * a.square().sum(1)[:, None] - 0.5 * b.square().sum(1)
