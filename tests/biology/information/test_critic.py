"""The network on a mixture: its tables against the mixture, what it learns, when it is asked at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sciml.biology.information.critic import Critic, _Base, _fold, _terms
from sciml.biology.information.mixture import Mixture, fit_mixture
from sciml.biology.information.mixture_choice import Fit
from sciml.biology.information.samples import checked_pair
from sciml.seeding import numpy_generator


@pytest.mark.parametrize("freedom", [math.inf, 3.0])
def test_the_table_of_all_pairs_is_the_log_ratio(freedom):
    rng = np.random.default_rng(0)
    scales = np.array([np.eye(3) + 0.4, [[1.0, -0.5, 0.2], [-0.5, 2.0, 0.0], [0.2, 0.0, 0.5]]])
    law = Mixture(np.array([0.3, 0.7]), rng.normal(size=(2, 3)), scales, freedom)
    points = rng.normal(size=(6, 3))
    table = _Base(law, points, 1).table(np.arange(6)).numpy()
    for i in range(6):
        pairs = np.column_stack([np.repeat(points[i : i + 1, :1], 6, axis=0), points[:, 1:]])
        assert np.allclose(table[i], law.log_ratio(pairs[:, :1], pairs[:, 1:]), atol=1e-4)


def test_terms_of_a_table():
    """log n f_ii / sum_j f_ij, mean of both directions; a table of equal entries says nothing, a large diagonal log n."""
    values = np.random.default_rng(1).normal(size=(5, 5))
    rows = np.exp(values) / np.exp(values).mean(axis=1, keepdims=True)
    columns = np.exp(values) / np.exp(values).mean(axis=0)
    assert np.allclose(_terms(torch.tensor(values)).numpy(), (np.log(np.diag(rows)) + np.log(np.diag(columns))) / 2)
    assert np.allclose(_terms(torch.ones(4, 4)).numpy(), 0, atol=1e-6)
    assert np.allclose(_terms(50 * torch.eye(4)).numpy(), math.log(4))


def two_signs(n):
    """Half with correlation 0.9, half with -0.9: 0.591 bit, of which one Gaussian component sees nothing."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, 1))
    y = np.where(rng.random((n, 1)) < 0.5, 0.9, -0.9) * x + math.sqrt(1 - 0.81) * rng.normal(size=(n, 1))
    points = np.hstack([x, y])
    one = fit_mixture(points, np.eye(2), 1, math.inf, numpy_generator(0))
    ratio = one.log_ratio(x, y)
    return Fit(one, points, np.eye(2), 0.0, ratio, ratio, ratio), (x, y)


def test_the_network_sees_what_one_component_misses():
    """On 400 unseen rows: more than half of 0.591 bit, and no more than it by 4 standard errors (a lower figure in the mean)."""
    fit, sides = two_signs(2000)
    found = _fold(fit, sides, np.arange(1600), np.arange(1600, 2000), 0) / math.log(2)
    assert 0.3 < found.mean() < 0.591 + 4 * found.std() / 20
    assert fit.inside.mean() / math.log(2) < 0.02


def test_the_same_seed_gives_the_same_bits_and_torch_is_left_alone():
    fit, sides = two_signs(200)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    first, again = (_fold(fit, sides, np.arange(160), np.arange(160, 200), 5) for _ in range(2))
    assert np.array_equal(first, again)
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), state)


def test_one_component_needs_no_network():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 3))
    found = Critic().estimate(checked_pair(x, x + rng.normal(size=(300, 3))), 0)
    assert found.estimator.startswith("critic (") and "one Gaussian component" in found.estimator
    assert found.low < 1.5 < found.high


@pytest.mark.long
def test_in_many_columns_the_network_takes_over_and_says_one_sided():
    """x turned by its own length in 5 + 5 columns, 1.474 bit: components alone see a bit, KSG 0.7; N = 4,000."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(4000, 5))
    y = rng.normal(size=(4000, 5))
    y[:, :2] = 0.8 * x[:, :2] + 0.6 * y[:, :2]

    def turned(side):
        angle = (side**2).sum(axis=1) / 5
        return np.column_stack([np.cos(angle) * side[:, 0] - np.sin(angle) * side[:, 1],
                                np.sin(angle) * side[:, 0] + np.cos(angle) * side[:, 1], side[:, 2:]])  # fmt: skip

    found = Critic().estimate(checked_pair(turned(x), turned(y)), 0)
    assert math.isinf(found.high) and found.low < 1.474
    assert found.bits > 0.95 and any("one-sided" in note for note in found.notes)
