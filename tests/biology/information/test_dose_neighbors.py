"""Neighbours for doses against a response: all pairs by hand, known laws, ties, rare classes, offsets."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import digamma

from sciml.biology import information as info
from sciml.biology.information.dose_neighbors import mixed_neighbors_nats
from sciml.errors import ConfigError

CASES = Path(__file__).parents[2] / "data" / "cases"


def columns(name):
    with open(CASES / name, newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def by_all_pairs(codes, scores, k):
    distance = abs(scores[:, None] - scores[None]).max(axis=2)
    total = 0.0
    for i, code in enumerate(codes):
        own = np.sort(distance[i, codes == code])
        nearest = min(k, len(own) - 1)
        near = (distance[i] <= own[nearest]).sum() - 1
        total += digamma(len(codes)) + digamma(nearest) - digamma(len(own)) - digamma(near)
    return total / len(codes)


def four_doses(seed, n=2000):
    """Log-normal responses; the truth is by quadrature."""
    rng = np.random.default_rng(seed)
    means, sd = np.array([0.0, 0.5, 1.5, 2.0]), 0.5
    grid = np.linspace(-4, 6, 4001)
    p = np.exp(-0.5 * ((grid - means[:, None]) / sd) ** 2)
    p /= p.sum(1, keepdims=True)
    truth = float((p * np.log2(p / p.mean(0))).sum() / 4)
    dose = np.repeat(np.arange(4), n // 4)
    return dose, np.exp(means[dose] + sd * rng.normal(size=n)), truth


@pytest.mark.parametrize("columns", [1, 2])
def test_equal_to_all_pairs(columns):
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [100, 60, 3])
    scores = rng.normal(size=(163, columns)) + codes[:, None]
    assert mixed_neighbors_nats(codes, scores, 4) == pytest.approx(by_all_pairs(codes, scores, 4), abs=1e-12)


def test_log_normal_doses():
    errors, covered = [], 0
    for seed in range(5):
        dose, response, truth = four_doses(seed)
        found = info.mutual_information(dose, response, estimator="dose_neighbors", seed=seed)
        errors.append(found.bits - truth)
        covered += found.low <= truth <= found.high and found.high - found.low < 0.2
    assert abs(np.mean(errors)) < 0.02 and covered >= 4


def test_both_orientations_and_scales_are_the_same():
    dose, response, _ = four_doses(0, 400)
    given = info.mutual_information(dose, response, estimator="dose_neighbors")
    turned = info.mutual_information(response * 1e-9 + 1, dose, estimator="dose_neighbors")
    assert turned.bits == pytest.approx(given.bits, abs=1e-9)


def test_a_rare_class_says_nothing_of_what_it_does_not_know():
    cells = columns("11-rare-class.csv")
    assert -0.005 <= info.mutual_information(cells["responder"], cells["signal"], estimator="dose_neighbors").bits <= 0.01


def test_a_large_offset():
    cells = columns("11-rare-class.csv")
    found = info.mutual_information(cells["treated"], cells["marker"], estimator="dose_neighbors")
    centred = info.mutual_information(cells["treated"], cells["marker"] - 1e9, estimator="dose_neighbors")
    assert found.bits == pytest.approx(0.319082, abs=0.05) and centred.bits == pytest.approx(found.bits, abs=0.01)


def test_drop_outs_and_saturation():
    cells = columns("12-zero-inflated.csv")
    found = info.mutual_information(cells["dose"], cells["signal"], estimator="dose_neighbors")
    assert found.bits == pytest.approx(0.458639, abs=0.07) and found.low <= 0.458639 <= found.high
    text = info.mutual_information([f"{dose:g} ng/ml" for dose in cells["dose"]], cells["signal"], estimator="dose_neighbors")
    assert text.bits == pytest.approx(found.bits, abs=0.02)


def test_a_constant_against_a_rare_label():
    label = np.arange(100_000) % 5000 == 0
    assert abs(info.mutual_information(np.full(100_000, 4096.0), label).bits) < 0.001


def test_independent_responses():
    rng = np.random.default_rng(1)
    found = info.mutual_information(np.arange(1000) % 5, rng.normal(size=1000), estimator="dose_neighbors")
    assert found.low <= 0 <= found.high and abs(found.bits) < 0.03


def test_two_continuous_sides_are_refused():
    with pytest.raises(ConfigError, match="both sides are continuous"):
        info.mutual_information(np.arange(500.0), np.arange(500.0), estimator="dose_neighbors")
