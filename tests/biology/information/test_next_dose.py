"""Proposals where the answer is known: the gap between two doses far apart, and nothing where the response saturates."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.errors import ConfigError, DataError

MEANS = {1.0: 0.0, 2.0: 0.3, 4.0: 0.6, 1000.0: 9.0}


def cells(seed=0, n=150):
    rng = np.random.default_rng(seed)
    dose = np.repeat(list(MEANS), n)
    return dose, np.array([MEANS[d] for d in dose]) + rng.normal(size=len(dose))


def test_the_gap_is_proposed():
    found = info.next_dose(*cells())
    assert 4 < found.dose < 1000 and len(found.candidates) == 3
    # three laws some 4.5 sd apart send nearly log2 3, where two sent one bit and a little
    grid = np.linspace(-8, 17, 3001)
    p = np.exp(-0.5 * (grid - np.array([0.0, 0.3, 0.6, 9.0, 4.8])[:, None]) ** 2)
    p /= p.sum(axis=1, keepdims=True)
    known = info.capacity(p, tolerance=1e-6).bits - info.capacity(p[:4], tolerance=1e-6).bits
    assert found.gain == pytest.approx(known, abs=0.12) and found.low <= known <= found.high
    assert "could add" in found.sentence() and found.gains[:2].max() < 0.05
    assert any("switch" in note for note in found.notes)


def test_nothing_to_gain_where_the_response_saturates():
    rng = np.random.default_rng(1)
    dose = np.repeat([0.0, 10.0, 100.0, 1000.0], 150)
    found = info.next_dose(dose, np.where(dose > 0, 3.0, 0.0) + rng.normal(size=600), candidates=[30.0, 300.0])
    assert found.dose is None and found.low <= 0 < found.high < 0.2 and found.best == found.candidates[found.gains.argmax()]
    assert found.sentence().startswith("No dose between those measured is worth it: the best of 2")
    assert found.gains.max() < 0.03 and found.more_cells in (0.0, 10.0, 100.0, 1000.0) and 0 < found.variance_share <= 1


@pytest.mark.parametrize("scale", [1, 10])
def test_a_response_between_two_counts_is_not_told_by_being_no_count(scale):
    # Poisson cells: with the law of the mean between, the capacity of three doses grows by less than 0.001 bit
    dose = np.repeat([0.0, 1.0, 2.0], 200)
    for seed in range(3):
        found = info.next_dose(dose, scale * np.random.default_rng(seed).poisson(dose + 1), seed=seed)
        assert found.gains.max() < 0.03 and found.dose is None


@pytest.mark.parametrize("candidates", [[np.nextafter(2.0, 0.0)], [1.0], [np.nextafter(0.0, 1.0)]])
def test_a_candidate_that_rounds_to_a_dose_gains_nothing(candidates):
    dose = np.repeat([0.0, 1.0, 2.0], 50)
    found = info.next_dose(dose, dose + np.random.default_rng(6).normal(size=150), candidates=candidates)
    assert found.gain == pytest.approx(0, abs=0.02) and found.dose is None


def test_two_columns():
    dose, response = cells(2, 40)
    rng = np.random.default_rng(3)
    found = info.next_dose(dose, np.column_stack([response, rng.normal(size=len(dose))]), candidates=[1.4, 60.0])
    assert found.dose == 60.0
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["dose"] == 60.0 and found.to_sections()[0].blocks


def test_few_cells_leave_all_that_a_dose_could_add():
    dose, response = cells(5, 3)
    found = info.next_dose(dose, response)
    assert found.dose is None and (found.low, found.high) == (0.0, pytest.approx(np.log2(1 + 2**-found.capacity)))


def test_refusals():
    dose, response = cells(4, 30)
    with pytest.raises(ConfigError, match="between 1 and 1000"):
        info.next_dose(dose, response, candidates=[2000.0])
    with pytest.raises(ConfigError, match="expected numbers"):
        info.next_dose(np.repeat(["a", "b"], 60), response)
    with pytest.raises(DataError, match="doses: found 1 with at least two cells, expected at least 2"):
        info.next_dose(np.ones(120), response)
    with pytest.raises(DataError, match="responses: found the same value at all doses"):
        info.next_dose(dose, np.ones(120))
    apart = "expected doses that computed numbers tell apart"
    for levels, two in (
        ([1.0, 1000.0, np.nextafter(1000.0, 1001.0), 2000.0], "1000.0 and 1000.0000000000001"),
        ([0.0, 1e-300, 1e300, 1.5e300], r"1e-300 and 1e\+300"),
    ):
        with pytest.raises(DataError, match=f"doses: found {two}, {apart}"):
            info.next_dose(np.repeat(levels, 30), response)
