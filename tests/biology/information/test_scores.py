"""Normal scores: ranks, ties in random order, offsets without effect."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from sciml.biology.information.scores import normal_scores
from sciml.seeding import numpy_generator


def test_scores_are_the_normal_quantiles_of_the_ranks():
    values = np.array([[3.0], [1e9], [-2.0], [4.0]])
    expected = norm.ppf((np.array([2, 4, 1, 3]) - 0.5) / 4)
    assert np.allclose(normal_scores(values, numpy_generator(0))[:, 0], expected, atol=1e-12)


def test_equal_values_share_the_scores_between_their_neighbours_at_random():
    values = np.array([0.0] * 50 + [1.0] * 50)[:, None]
    first, second = (normal_scores(values, numpy_generator(seed))[:, 0] for seed in (0, 1))
    assert len(np.unique(first)) == 100 and first[:50].max() < first[50:].min()
    assert np.array_equal(np.sort(first[:50]), np.sort(second[:50])) and not np.array_equal(first, second)
