"""Laws of environments: normalised, interpolated where asked, refused with row and column."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.cell.environments import checked_environments
from sciml.errors import DataError
from tests.biology.cell.cases import P_E, two_environments


def test_marginals_and_posteriors():
    e = checked_environments([0.25, 0.75], [[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])
    assert np.allclose(e.p_l, [0.275, 0.725, 0])
    assert np.allclose(e.joint.sum(axis=0), [0.25, 0.75]) and np.allclose(e.p_e_given_l[:2].sum(axis=1), 1)
    assert (e.p_e_given_l[2] == 0).all()


@pytest.mark.parametrize(
    ("p_e", "given", "words"),
    [
        ([0.5, 0.4], [[1.0], [1.0]], "sums to 0.9"),
        ([0.5, 0.5], [[0.5, 0.5], [0.7, 0.2]], "row 1 sums to 0.9"),
        ([0.5, 0.5], [[1.5, -0.5], [1, 0]], "row 0, column 1: found -0.5"),
        ([0.5, 0.5], [[np.nan, 1], [1, 0]], "row 0, column 0: found nan"),
        ([0.5, 0.5], [[1.0, 0.0]], "found 1 rows, expected one for each of the 2"),
        ([0.5, 0.5], [0.5, 0.5], "expected .nE, nL."),
        (["a", "b"], [[1.0], [1.0]], "expected probabilities"),
    ],
)
def test_refused(p_e, given, words):
    with pytest.raises(DataError, match=words):
        checked_environments(p_e, given)


def test_other_ligand_amounts_are_interpolated_and_said():
    coarse, fine = np.linspace(-3.5, 3.5, 60), np.linspace(-3.0, 3.0, 31)
    e = checked_environments(P_E, two_environments(np.exp(coarse)), fine, doses=coarse)
    assert abs(e.p_l_given_e - two_environments(np.exp(fine))).max() < 2e-3
    assert "interpolated from 60 ligand amounts to the 31 doses" in e.notes[0]
    with pytest.raises(DataError, match="found 60 columns, expected 31"):
        checked_environments(P_E, two_environments(np.exp(coarse)), fine)
    with pytest.raises(DataError, match="brings none of the channel's doses"):
        checked_environments(P_E, two_environments(np.exp(coarse)), [9.0, 10.0], doses=coarse)
    with pytest.raises(DataError, match="expected 60 rising numbers"):
        checked_environments(P_E, two_environments(np.exp(coarse)), fine, doses=coarse[::-1])
    with pytest.raises(DataError, match="are names"):
        checked_environments(P_E, two_environments(np.exp(coarse)), ["low", "high"], doses=coarse)


def test_what_lies_outside_the_doses_is_said():
    found = checked_environments([0.5, 0.5], [[0.6, 0.2, 0.2], [0.2, 0.2, 0.6]], [0.0, 1.0], [0.0, 0.5, 5.0])
    assert "40.0%" in found.notes[1]
    with pytest.raises(DataError, match="doses: found"):
        checked_environments([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], [0.0, 1.0], ["a", "b"])
