"""Networks of the variational bottleneck: linear maps are exact, codes have the laws they name, scores are those of the laws."""

from __future__ import annotations

import math

import pytest
import torch

from sciml.biology.information.encoder_network import (
    CategoricalEncoder,
    ClassDecoder,
    Code,
    FeatureDecoder,
    GaussianEncoder,
    Perceptron,
    log_mean,
    make_networks,
)  # fmt: skip


def make_linear(network: Perceptron, weight: torch.Tensor) -> None:
    """Let a perceptron be the linear map `weight` [outputs, inputs]."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.linear.weight.copy_(weight)


def noise(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_perceptron_without_depth_is_linear() -> None:
    network = Perceptron(3, 2, 8, 2)
    weight = torch.arange(6.0).reshape(2, 3)
    make_linear(network, weight)
    rows = torch.randn(5, 3, generator=noise())
    assert torch.equal(network(rows), rows @ weight.T)


def test_gaussian_codes_have_unit_variance_around_their_centres() -> None:
    encoder = GaussianEncoder(1, 2, 8, 1)
    code = encoder(torch.zeros(20_000, 1), noise())
    off = code.points - encoder.centres(torch.zeros(1, 1))
    assert code.weights is None
    assert off.mean(0).abs().max() < 4 / math.sqrt(20_000)  # 4 standard errors
    assert (off.var(0) - 1).abs().max() < 4 * math.sqrt(2 / 20_000)


def test_gaussian_excess_is_the_log_ratio_of_densities() -> None:
    encoder, rows = GaussianEncoder(1, 2, 8, 1), torch.linspace(-2, 2, 7)[:, None]
    code = encoder(rows, noise())
    others = torch.randn(4, 2, generator=noise(1))
    law = lambda centre: torch.distributions.MultivariateNormal(centre, torch.eye(2))  # noqa: E731
    for given, skip in ((others, False), (None, True)):
        centres = code.centres if given is None else given
        found = encoder.excess(code, given)
        for i, point in enumerate(code.points):
            rest = [law(c).log_prob(point).exp() for j, c in enumerate(centres) if not (skip and i == j)]
            expected = law(code.centres[i]).log_prob(point) - torch.stack(rest).mean().log()
            assert found[i].item() == pytest.approx(expected.item(), abs=1e-4)


def test_categorical_excess_is_the_divergence_from_the_mean() -> None:
    encoder, rows = CategoricalEncoder(1, 3, 8, 1), torch.linspace(-2, 2, 6)[:, None]
    code = encoder(rows, noise())
    p = code.weights
    assert p is not None
    assert torch.allclose(p.sum(1), torch.ones(6))
    assert torch.equal(code.points, torch.eye(3))
    expected = (p * (p / p.mean(0)).log()).sum(1)
    assert torch.allclose(encoder.excess(code, code.centres), expected, atol=1e-6)
    left_out = torch.stack([(p[i] * (p[i] / torch.cat([p[:i], p[i + 1 :]]).mean(0)).log()).sum() for i in range(6)])
    assert torch.allclose(encoder.excess(code, None), left_out, atol=1e-6)


def test_class_scores_are_log_probabilities_of_the_levels_of_the_rows() -> None:
    decoder = ClassDecoder(2, 3, 8, 1)
    points = torch.randn(4, 2, generator=noise())
    scores = decoder(points, torch.tensor([0, 1, 2, 1]))
    assert scores.shape == (4, 4)
    assert torch.allclose(scores[:, :3].exp().sum(1), torch.ones(4))
    assert torch.equal(scores[:, 1], scores[:, 3])


def test_linear_features_score_as_a_gaussian_law() -> None:
    decoder, slope, sd = FeatureDecoder(1, 1, 8, 1), 0.7, 0.4
    make_linear(decoder.of_code, torch.tensor([[0.0], [slope / sd]] + [[0.0]] * 15))
    make_linear(decoder.of_target, torch.tensor([[1 / sd]] + [[0.0]] * 15))
    points, targets = torch.randn(5, 1, generator=noise()), torch.randn(6, 1, generator=noise(1))
    expected = torch.distributions.Normal(slope * points, sd).log_prob(targets.T) + math.log(sd * math.sqrt(2 * math.pi))
    assert torch.allclose(decoder(points, targets), expected, atol=1e-5)


@pytest.mark.parametrize(("code", "kind"), [("gaussian", GaussianEncoder), ("categorical", CategoricalEncoder)])
@pytest.mark.parametrize(("levels", "decoder"), [(True, ClassDecoder), (False, FeatureDecoder)])
def test_networks_are_made_by_name(code, kind, levels, decoder) -> None:
    made = make_networks(3, 4, code=code, size=5, levels=levels, width=8, layers=2)
    assert isinstance(made[0], kind)
    assert isinstance(made[1], decoder)
    drawn = made[0](torch.zeros(6, 3), noise())
    assert isinstance(drawn, Code)
    targets = torch.zeros(6, dtype=torch.long) if levels else torch.zeros(6, 4)
    assert made[1](drawn.points, targets).shape == (len(drawn.points), 6)


def test_log_mean() -> None:
    assert log_mean(torch.log(torch.tensor([[1.0, 3.0]])), 2).item() == pytest.approx(math.log(2))
