"""Which side is the dose, and which cells can be used."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.biology.information.doses import dosed, several_doses, why_not_dosed
from sciml.biology.information.samples import checked_pair
from sciml.errors import SciMLError

DOSE = np.repeat(["none", "low", "high"], 40)
RESPONSE = np.random.default_rng(0).normal(size=(120, 2))


def test_either_side_may_be_the_dose():
    for pair in (checked_pair(DOSE, RESPONSE), checked_pair(RESPONSE, DOSE)):
        assert why_not_dosed(pair) == ""
        cells = dosed(pair)
        assert cells.counts.tolist() == [40, 40, 40] and cells.responses.shape == (120, 2)


def test_numbers_of_few_values_are_a_response_where_the_other_side_is_names():
    counts = np.tile([0, 1, 2], 40)
    assert dosed(checked_pair(counts, DOSE)).responses.shape == (120, 1)


def test_a_dose_with_one_cell_is_left_out_and_said():
    dose = DOSE.astype(object)
    dose[7] = "odd"
    cells = dosed(checked_pair(dose, RESPONSE))
    assert len(cells.codes) == 119 and len(cells.counts) == 3 and "1 cells left out" in cells.notes[0]
    assert several_doses(checked_pair(dose, RESPONSE))[1] == ("high", "low", "none")


def test_pairs_of_another_kind():
    assert "both sides are continuous" in why_not_dosed(checked_pair(RESPONSE, RESPONSE))
    assert "both sides are names" in why_not_dosed(checked_pair(DOSE, DOSE))


def test_columns_that_are_constant_in_a_part_are_left_out():
    response = np.column_stack([RESPONSE[:, 0], np.r_[np.zeros(119), 1.0]])
    pair = checked_pair(DOSE, response)
    assert dosed(pair).responses.shape[1] == 2 and dosed(pair.take(np.arange(100))).responses.shape[1] == 1


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_shares(share):
    n = int(400 * share)
    cells = dosed(checked_pair(np.repeat([0, 1], [n, 400 - n]), np.arange(400.0)))
    assert cells.shares.tolist() == [share, 1 - share]


def test_scarce_cells_leave_the_upper_end_open():
    cells = dosed(checked_pair(np.repeat([0, 1], 10), np.arange(20.0), x_kind="discrete", y_kind="continuous"))
    assert cells.scarce and cells.upper(0.7, 1.0) == 1.0 and "far too low" in cells.notes[-1]
    plenty = dosed(checked_pair(np.repeat([0, 1, 2], [100, 100, 5]), np.arange(205.0), x_kind="discrete", y_kind="continuous"))
    assert not plenty.scarce and plenty.upper(0.7, 1.0) == 0.7


def test_doses_of_a_single_cell_each():
    assert "every dose has a single cell" in why_not_dosed(checked_pair([f"d{k}" for k in range(30)], np.arange(30.0)))


@pytest.mark.parametrize("call", [info.capacity_from_data, info.distinguish, info.next_dose])
@pytest.mark.parametrize(
    ("doses", "responses", "words"),
    [
        (np.repeat(["1", "10", "5"], 40), RESPONSE, r"doses: row 0: found '1', which is a number given as a text"),
        (np.repeat([1, 10, 5], 40), RESPONSE[:100], r"doses has 120 rows, responses 100"),
        (np.repeat([1, 10, 5], 40), np.repeat(["1", "10", "5"], 40), r"responses: its values are texts"),
        (np.repeat([1, 10, np.nan], 40), RESPONSE, r"doses: row 80, column 0: found nan"),
        (np.arange(120), RESPONSE, r"^doses: every dose has a single cell"),
        (
            np.tile(np.repeat([1, 10, 5], 40), 2),
            np.tile(RESPONSE, (2, 1)),
            r"doses and responses: row 120: found the values of row 0 again",
        ),
    ],
)
def test_messages_name_doses_and_responses(call, doses, responses, words):
    with pytest.raises(SciMLError, match=words):
        call(doses, responses)
