"""Features of responses: order of roughness, point masses, what a scale and an offset do, discriminants."""

from __future__ import annotations

import numpy as np

from sciml.biology.information.response_features import discriminants, middle_scores, response_features

RNG = np.random.default_rng(0)


def test_one_column_is_a_line_first_and_rougher_then():
    values = RNG.normal(size=(500, 1))
    found = response_features(values, 4)
    assert np.allclose(found.values.mean(axis=0), 0) and np.allclose(found.values.std(axis=0), 1)
    assert abs(np.corrcoef(found.values[:, 0], values[:, 0])[0, 1]) > 0.97
    assert (np.diff(found.weights) > -1e-9).all()


def test_scales_and_offsets_change_nothing():
    values = RNG.normal(size=(300, 2))
    given, moved = response_features(values, 3), response_features(values * [8.0, 0.125] + [1024.0, 0.0], 3)
    assert np.allclose(abs(given.values), abs(moved.values), atol=1e-6)


def test_point_masses_have_a_feature_of_their_own():
    values = np.where(RNG.random(400) < 0.3, 0.0, RNG.gamma(2, size=400))[:, None]
    found = response_features(values, 2).values
    mass = (values[:, 0] == 0) - np.mean(values == 0)
    assert np.allclose(abs(found.T @ mass / 400).max(), mass.std())
    counts = response_features(RNG.poisson(1.0, size=(400, 1)).astype(float), 2)
    assert np.isfinite(counts.values).all()


def test_equal_values_share_the_middle_of_their_ranks():
    scores = middle_scores(np.array([[0.0], [0.0], [1.0], [2.0]]))[:, 0]
    assert scores[0] == scores[1] < scores[2] < scores[3] and np.isclose(scores[2], -scores[0] + scores[2] + scores[0])


def test_discriminants_find_the_direction_and_know_nothing_of_their_own_fold():
    codes = np.repeat([0, 1], 300)
    direction = RNG.normal(size=20)
    responses = RNG.normal(size=(600, 20)) + codes[:, None] * direction
    folds = np.arange(600) % 10
    found = discriminants(responses, codes, folds, curved=False)[:, 0]
    best = responses @ direction
    assert abs(np.corrcoef(found, best)[0, 1]) > 0.9
    noise = discriminants(RNG.normal(size=(600, 100)), codes, folds, curved=True)
    gap = noise[codes == 1, 0].mean() - noise[codes == 0, 0].mean()
    assert abs(gap) < 4.5 * noise[:, 0].std() * np.sqrt(2 / 300)
