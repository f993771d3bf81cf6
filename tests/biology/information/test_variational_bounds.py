"""The bounds with exact networks meet closed forms, with wrong ones lie on their side; their errors are the spread over data sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sciml.biology.information.encoder_network import CategoricalEncoder, Code, FeatureDecoder, GaussianEncoder
from sciml.biology.information.variational_bounds import held_out_bounds, relevance, relevance_as_other
from tests.biology.information.test_encoder_network import make_linear, noise

GAIN, RHO = 1.5, 0.9
"""t = GAIN x + noise; y of correlation RHO with x."""
I_X = 0.5 * math.log2(1 + GAIN**2)
R2 = RHO**2 * GAIN**2 / (1 + GAIN**2)
"""Squared correlation of t and y."""
I_Y = -0.5 * math.log2(1 - R2)


def rows(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    x, z = torch.randn((2, n, 1), generator=noise(seed))
    return x, RHO * x + math.sqrt(1 - RHO**2) * z


def exact(slope: float = 1.0) -> tuple[GaussianEncoder, FeatureDecoder]:
    """The encoder of the closed forms, and log p(y|t); another `slope` is a decoder that is wrong."""
    encoder, decoder = GaussianEncoder(1, 1, 4, 1), FeatureDecoder(1, 1, 4, 1)
    sd = math.sqrt(1 - R2)
    make_linear(encoder.network, torch.tensor([[GAIN]]))
    make_linear(decoder.of_code, torch.tensor([[0.0], [slope * math.sqrt(R2 / (1 + GAIN**2)) / sd]] + [[0.0]] * 15))
    make_linear(decoder.of_target, torch.tensor([[1 / sd]] + [[0.0]] * 15))
    return encoder, decoder


def test_exact_networks_give_the_closed_forms() -> None:
    encoder, decoder = exact()
    found = held_out_bounds(encoder, decoder, *rows(20_000, 1), GAIN * rows(4096, 2)[0], noise(3))
    errors = np.sqrt(np.diag(found.covariance))
    assert (errors < 0.015).all()
    assert abs(found.i_x - I_X) < 4 * errors[0]
    assert abs(found.i_y - I_Y) < 4 * errors[1]


def test_wrong_networks_lie_on_their_side() -> None:
    encoder, decoder = exact(slope=1.6)
    found = held_out_bounds(encoder, decoder, *rows(20_000, 1), 0.4 * GAIN * rows(4096, 2)[0], noise(3))
    errors = np.sqrt(np.diag(found.covariance))
    assert found.i_x > I_X + 5 * errors[0]
    assert found.i_y < I_Y - 5 * errors[1]


def test_errors_are_the_spread_over_data_sets() -> None:
    encoder, decoder = exact()
    centres = GAIN * rows(2048, 999)[0]
    found = [held_out_bounds(encoder, decoder, *rows(400, seed), centres, noise(seed)) for seed in range(150)]
    said = np.mean([f.covariance for f in found], axis=0)
    seen = np.cov([[f.i_x for f in found], [f.i_y for f in found]])
    assert np.sqrt(np.diag(seen) / np.diag(said)) == pytest.approx([1, 1], abs=4 / math.sqrt(2 * 150))  # 4 standard errors of an sd
    assert seen[0, 1] / math.sqrt(seen[0, 0] * seen[1, 1]) == pytest.approx(said[0, 1] / math.sqrt(said[0, 0] * said[1, 1]), abs=0.3)


def test_what_a_row_adds_is_its_part_in_the_mean() -> None:
    """n U(all) - (n - 1) U(without k), the jackknife, to first order."""
    encoder, decoder = exact()
    x, y = rows(200, 5)
    code = encoder(x, noise())
    scores = decoder(code.points, y).detach()
    terms, others = relevance(code, scores), relevance_as_other(code, scores)
    kept = [torch.arange(200) != k for k in range(200)]
    without = torch.stack([relevance(code, scores[keep][:, keep]).mean() for keep in kept])
    jackknife = 200 * terms.mean() - 199 * without
    assert others.mean().abs() < 1e-5
    assert np.corrcoef(jackknife.detach(), (terms + others).detach())[0, 1] > 0.99


@pytest.mark.parametrize("categorical", [False, True])
def test_with_levels_it_lies_between_the_classifier_bound_and_the_entropy(categorical) -> None:
    levels = torch.randint(0, 3, (300,), generator=noise(1))
    q = torch.log_softmax(3 * torch.randn((5 if categorical else 300), 3, generator=noise(2)), 1)
    weights = torch.softmax(torch.randn(300, 5, generator=noise(3)), 1) if categorical else None
    scores = q[:, levels]
    terms = relevance(Code(torch.zeros(len(q), 1), weights, torch.zeros(300, 1)), scores)
    shares = torch.bincount(levels) / 300
    entropy = -(shares * shares.log()).sum()
    own = scores.diagonal() if weights is None else (weights * scores.T).sum(1)
    assert entropy + own.mean() - 1e-5 <= terms.mean() <= entropy + 1e-5


def test_a_categorical_code_is_summed_exactly() -> None:
    """A code of two letters on a symmetric channel: the bound with f = log p(y|t) is I(T;Y) of the table."""
    weights = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).repeat_interleave(50, 0)
    y = torch.tensor([0, 1]).repeat_interleave(50)
    joint = torch.tensor([[0.45, 0.1], [0.05, 0.4]])
    terms = relevance(Code(torch.eye(2), weights, weights.log()), (joint / joint.sum(1, keepdim=True)).log()[:, y])
    expected = (joint * (joint / joint.sum(1, keepdim=True) / joint.sum(0)).log()).sum()
    assert terms.mean().item() == pytest.approx(expected.item(), abs=1e-6)


def test_rows_that_repeat_as_groups_count_once() -> None:
    encoder, decoder = CategoricalEncoder(1, 4, 4, 1), FeatureDecoder(4, 1, 4, 1)
    x, y = rows(300, 6)
    centres = encoder.centres(rows(300, 7)[0])
    once = held_out_bounds(encoder, decoder, x, y, centres, noise())
    groups = np.tile(np.arange(300), 4)
    four = held_out_bounds(encoder, decoder, x.repeat(4, 1), y.repeat(4, 1), centres, noise(), groups)
    assert four.i_x == pytest.approx(once.i_x, abs=1e-5)
    assert four.covariance == pytest.approx(once.covariance, rel=1e-3)
