"""Capacity from cells: laws whose capacity is known, a repeated dose, groups, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.biology.information import dose_capacity
from sciml.biology.information.dose_capacity import shared
from sciml.biology.information.dose_decoder import Ratios
from sciml.errors import ConfigError, DataError


def gaussian_doses(rng, means, n):
    """n cells of each mean, unit noise."""
    dose = np.repeat(np.arange(len(means)), n)
    return dose, np.asarray(means)[dose] + rng.normal(size=len(dose))


def known(means):
    """Information at equal doses and capacity by quadrature."""
    grid = np.linspace(-8, max(means) + 8, 3001)
    p = np.exp(-0.5 * (grid - np.asarray(means, dtype=float)[:, None]) ** 2)
    p /= p.sum(axis=1, keepdims=True)
    exact = info.capacity(p, tolerance=1e-7)
    return float((p * np.log2(p / p.mean(axis=0))).sum() / len(p)), exact.bits, exact.p_x


def test_doses_that_saturate():
    means = [0.0, 0.2, 2.0, 3.8, 4.0]
    equal, best, law = known(means)
    errors = []
    for seed in range(3):
        found = info.capacity_from_data(*gaussian_doses(np.random.default_rng(seed), means, 200), seed=seed)
        errors.append([found.bits_equal - equal, found.bits - best])
        assert found.low - 0.03 < best < found.high + 0.03 and found.left_out < found.bits
    assert (abs(np.mean(errors, axis=0)) < [0.04, 0.05]).all()  # 3 sets of sd 0.03: z = 2.3
    shares = np.add.reduceat(found.p_x, [0, 2, 3])  # the two lowest doses do nearly the same, and so do the two highest
    assert shares == pytest.approx(np.add.reduceat(law, [0, 2, 3]), abs=0.12) and found.bits > found.bits_equal


def test_two_columns_and_independent_ones():
    rng = np.random.default_rng(0)
    dose = np.repeat([0, 1, 2], 200)
    found = info.capacity_from_data(dose, rng.normal(size=(600, 2)))
    assert found.low <= 0 <= found.high and abs(found.bits) < 0.03 and found.distinguishable == pytest.approx(2**found.bits, abs=0.03)


def test_a_binary_symmetric_channel_of_counts():
    # sent as 0 or 1 and heard wrongly in one of ten: 1 - h(0.1) = 0.531; counts are numbers here, not categories
    rng = np.random.default_rng(1)
    dose = np.repeat(["off", "on"], 1000)
    heard = (rng.random(2000) < 0.1) ^ (dose == "on")
    found = info.capacity_from_data(dose, heard.astype(float))
    assert found.low <= 0.531 <= found.high and found.bits == pytest.approx(0.531, abs=0.07)  # z = 3
    assert found.doses == ("off", "on") and found.p_x == pytest.approx([0.5, 0.5], abs=0.1)


@pytest.mark.parametrize("seeds", [2, pytest.param(6, marks=pytest.mark.long)])
def test_repeats_of_a_dose_send_no_more_than_one_dose_of_as_many_cells(seeds):
    # two doses of 180 cells, told as twelve of 30: to choose the luckier ones would add 0.08 bit
    moved = []
    for seed in range(seeds):
        dose, response = gaussian_doses(np.random.default_rng(seed), [0, 2.5], 180)
        told = info.capacity_from_data(np.arange(360) // 30, response, seed=seed).bits
        moved.append(told - info.capacity_from_data(dose, response, seed=seed).bits)
    assert abs(np.mean(moved)) < 2.7 * 0.026 / np.sqrt(seeds)  # sets of sd 0.026 about 0


def test_doses_that_do_the_same_share_their_uses():
    dose, response = gaussian_doses(np.random.default_rng(5), [0, 0, 0.4, 4], 50)
    given = -0.5 * (response[:, None] - [0, 0, 0.4, 4]) ** 2 / np.log(2)
    logs = given - np.logaddexp2.reduce(given, axis=1)[:, None] + 2
    law = shared(np.array([0.6, 0, 0, 0.4]), Ratios(dose, logs, logs, np.full(4, 0.25)))
    assert law[0] == law[1] and law[3] == pytest.approx(0.4, abs=1e-9)  # the law of two doses is one, no cell doubts the fourth
    assert 0 < law[2] < law[1] and law.sum() == pytest.approx(1)


def test_groups_are_left_out_whole():
    rng = np.random.default_rng(2)
    dose, response = gaussian_doses(rng, [0.0, 2.0], 240)
    day = np.tile(np.arange(6), 80)
    moved = response + 0.7 * rng.normal(size=6)[day] * dose
    alone, whole = info.capacity_from_data(dose, moved), info.capacity_from_data(dose, moved, groups=day)
    assert whole.high - whole.low > alone.high - alone.low and "6 groups" in whole.interval
    with pytest.raises(DataError, match=r"doses = 0\.0 are in one group"):
        info.capacity_from_data(dose, moved, groups=dose)


def test_dict_and_sections():
    found = info.capacity_from_data(*gaussian_doses(np.random.default_rng(3), [0.0, 3.0], 100))
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["bits"] == found.bits and read["p_x"] == found.p_x.tolist() and read["doses"] == [0.0, 1.0]
    assert found.to_sections()[0].blocks[0].figures[0].value == found.bits


def test_refusals():
    with pytest.raises(DataError, match="at least 2"):
        info.capacity_from_data(np.zeros(50), np.arange(50.0))
    with pytest.raises(DataError, match="row 3"):
        info.capacity_from_data(np.arange(50) % 2, np.where(np.arange(50) == 3, np.nan, 1.0))
    with pytest.raises(ConfigError, match="texts"):
        info.capacity_from_data(np.arange(50) % 2, ["a", "b"] * 25)


def test_two_groups_are_enough():
    rng = np.random.default_rng(2)
    doses, responses = gaussian_doses(rng, [0, 2, 4], 60)
    found = info.capacity_from_data(doses, responses, groups=np.arange(180) % 2)
    assert found.low < known([0, 2, 4])[1] < found.high and "only 2 groups" in found.notes[-1]


def test_a_response_that_never_changes_sends_nothing():
    found = info.capacity_from_data(np.repeat([0, 1], 20), np.ones(40))
    assert (found.bits, found.high) == (0, 0) and "constant" in found.notes[0]


def test_parts_of_the_data_take_one_fit_each(monkeypatch):
    fits = []
    kept = dose_capacity.likelihood_ratios
    monkeypatch.setattr(dose_capacity, "likelihood_ratios", lambda cells, seed: fits.append(len(cells.codes)) or kept(cells, seed))
    doses, responses = gaussian_doses(np.random.default_rng(7), [0, 2], 60)
    found = info.capacity_from_data(doses, responses, groups=np.arange(120) % 4)
    # 1 + 5 folds (here the 4 groups) for the figure, 1 for the shuffled cells, 4 groups left out at each of two input laws
    assert len(fits) == 1 + 4 + 1 + 2 * 4 and found.low < found.bits < found.high


def test_more_than_the_doses_can_say_is_warned_of():
    # what the discriminants of 60 columns gained from half of the cells is added, though they tell all doses already
    doses = np.repeat([0.0, 1.0, 2.0], 20)
    found = info.capacity_from_data(doses, doses[:, None] + np.random.default_rng(0).normal(size=(60, 60)))
    assert found.bits > np.log2(3) and "warning: above 1.5850 bit, all that 3 doses can say" in found.notes[-1]
    told_apart = info.capacity_from_data(doses, 30 * doses + np.random.default_rng(0).normal(size=60))
    assert not any("warning" in note for note in told_apart.notes)
