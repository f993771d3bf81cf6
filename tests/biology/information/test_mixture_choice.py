"""The number of components and the weight of the tails that left-out rows choose."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.information.mixture import Mixture
from sciml.biology.information.mixture_choice import chosen_fit
from sciml.biology.information.pair_laws import Student, paired
from sciml.biology.information.scores import normal_scores
from sciml.seeding import numpy_generator


def drawn(freedom, scales, n=1500):
    k = len(scales)
    rows = Mixture(np.full(k, 1 / k), np.zeros((k, 2)), np.array(scales), freedom).draw(n, numpy_generator(0, "law"))
    scores = normal_scores(rows, numpy_generator(1))
    return scores[:, :1], scores[:, 1:]


def test_a_gaussian_pair_gets_one_gaussian():
    fit = chosen_fit(*drawn(math.inf, [[[1, 0.6], [0.6, 1]]]), numpy_generator(2))
    assert fit.gaussian


def test_tails_are_seen_through_the_scores():
    """Student, 2 degrees of freedom, correlation 0.6: left-out rows gain by 5 errors and more, and the figure is right (|z| <= 4)."""
    scales = np.array([[[1, 0.6], [0.6, 1]]])
    plain, heavy = drawn(math.inf, scales), drawn(2.0, scales)
    fit = chosen_fit(*heavy, numpy_generator(2))
    assert not fit.gaussian and fit.parts <= 4
    one = chosen_fit(*plain, numpy_generator(2)).mixture
    gain = fit.likelihood - one.log_density(np.hstack(heavy))
    assert gain.mean() > 5 * gain.std() / math.sqrt(len(gain))
    truth = Student(paired(0.6), 1, 2.0).bits() * math.log(2)
    assert (fit.inside.mean() + fit.outside.mean()) / 2 == pytest.approx(truth, abs=4 * fit.outside.std() / math.sqrt(1500))


def test_two_signs_get_two_parts_and_the_truth_lies_between_seen_and_unseen():
    scales = np.array([[[1, 0.8], [0.8, 1]], [[1, -0.8], [-0.8, 1]]])
    fit = chosen_fit(*drawn(math.inf, scales), numpy_generator(2))
    assert fit.parts >= 2 and math.isinf(fit.mixture.freedom)
    law = Mixture(np.array([0.5, 0.5]), np.zeros((2, 2)), scales)
    many = law.draw(200_000, numpy_generator(5))
    truth = law.log_ratio(many[:, :1], many[:, 1:]).mean()
    assert fit.outside.mean() < fit.inside.mean()
    assert (fit.inside.mean() + fit.outside.mean()) / 2 == pytest.approx(truth, abs=4 * fit.outside.std() / math.sqrt(1500))
