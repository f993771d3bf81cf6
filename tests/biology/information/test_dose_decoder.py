"""The decoder of doses on known laws, on the two cases of reported failures, on traces and on laws where others fail."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import information as info
from tests.biology.information.test_dose_neighbors import columns, four_doses


def decoded(x, y, **more):
    return info.mutual_information(x, y, estimator="dose_decoder", **more)


def test_log_normal_doses():
    """Spread between sets .016 bit: the bound is |z| <= 2.8; at 95 % fewer than 4 of 5 covered has probability .02."""
    errors, covered = [], 0
    for seed in range(5):
        dose, response, truth = four_doses(seed)
        found = decoded(dose, response)
        errors.append(found.bits - truth)
        covered += found.low <= truth <= found.high and found.high - found.low < 0.2
    assert abs(np.mean(errors)) < 0.02 and covered >= 4


def test_the_rule_takes_it():
    dose, response, _ = four_doses(0, 400)
    found = info.mutual_information(dose, response)
    assert found.estimator.startswith("dose_decoder") and found.bits == decoded(response, dose).bits
    assert not found.one_sided and found.low < found.bits < found.high


def test_rare_class_offset_and_text():
    """Standard errors .0005 and .014: the bounds are |z| <= 10 of the first (its bias is unknown) and 3.5 of the second."""
    cells = columns("11-rare-class.csv")
    assert -0.005 <= decoded(cells["responder"], cells["signal"]).bits <= 0.01
    found, centred = decoded(cells["treated"], cells["marker"]), decoded(cells["treated"], cells["marker"] - 1e9)
    assert found.bits == pytest.approx(0.319082, abs=0.05) and centred.bits == pytest.approx(found.bits, abs=0.01)


def test_drop_outs_and_saturation():
    """Standard error .019: the bound is |z| <= 3.6, and the interval holds the truth by one more."""
    cells = columns("12-zero-inflated.csv")
    found = decoded(cells["dose"], cells["signal"])
    assert found.bits == pytest.approx(0.458639, abs=0.07) and found.low + 0.02 <= 0.458639 <= found.high - 0.02
    text = decoded([f"{dose:g} ng/ml" for dose in cells["dose"]], cells["signal"])
    assert text.bits == pytest.approx(found.bits, abs=0.02)


@pytest.mark.parametrize(("columns", "spread"), [(1, 0.0092), (2, 0.0046), (30, 0.0117)])
def test_independent_responses(columns, spread):
    """|z| <= 4 of the spread between twelve sets."""
    rng = np.random.default_rng(1)
    found = decoded(np.arange(800) % 4, rng.normal(size=(800, columns)))
    assert found.low <= 0 <= found.high and abs(found.bits) <= 4 * spread


def test_doses_that_never_overlap():
    dose = np.arange(600) % 3
    found = decoded(dose, 20.0 * dose + np.random.default_rng(0).normal(size=600))
    assert found.low <= np.log2(3) <= found.high and found.bits == pytest.approx(np.log2(3), abs=0.002)  # nothing is random in it


def test_a_ring_that_no_column_shows_alone():
    rng = np.random.default_rng(0)
    dose = np.arange(1500) % 3
    angle = 2 * np.pi * rng.random(1500)
    response = (1 + 2 * dose[:, None]) * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.3 * rng.normal(size=(1500, 2))
    assert decoded(dose, response).bits == pytest.approx(
        np.log2(3), abs=0.004 + 4 * 0.0026
    )  # rings 6 sd apart; bias and |z| <= 4 of the spread


def test_a_trace_tells_what_its_best_direction_tells():
    """Bias -.005 and spread .006 between sets: the bound is |z| <= 4."""
    rng = np.random.default_rng(2)
    direction = np.ones(30) / np.sqrt(30)
    dose = np.arange(1200) % 2
    response = rng.normal(size=(1200, 30)) + 2 * dose[:, None] * direction
    # p(dose | response) is a logistic function of the projection; the mean log ratio on these very cells
    known = 1 - np.mean(np.log2(1 + np.exp(-(2 * dose - 1) * 2 * (response @ direction - 1))))
    found = decoded(dose, response)
    assert found.bits == pytest.approx(known, abs=0.03) and found.low <= known <= found.high
    assert "2 I(N) - I(N/2)" in found.extrapolation


def test_a_dose_of_fewer_cells_than_folds():
    rng = np.random.default_rng(3)
    dose = np.repeat([0, 1, 2, 3], [200, 200, 3, 1])
    found = decoded(dose, rng.normal(size=(404, 6)) + np.minimum(dose, 1)[:, None])
    assert np.isfinite(found.bits) and any("1 cells left out" in note for note in found.notes)
