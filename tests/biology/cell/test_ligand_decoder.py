"""Posteriors of the ligand: leaving one cell out for real, unequal numbers of cells, many ordered doses."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.cell.environments import checked_environments
from sciml.biology.cell.ligand_decoder import ligand_posteriors
from sciml.biology.cell.maps import hill_readout
from sciml.biology.cell.readouts import enumerated, from_posteriors
from sciml.biology.information.samples import checked_pair
from sciml.errors import DataError
from tests.biology.cell.cases import LIGAND, P_E, two_environments


def drawn(law, counts, seed):
    """(codes, signals) of `counts` cells at each dose."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(law)), counts)
    return codes, np.array([rng.choice(law.shape[1], p=law[k]) for k in codes], dtype=float)


def told(environments, codes, s):
    fit = ligand_posteriors(environments, checked_pair(codes, s, x_kind="discrete", y_kind="continuous"), 0)
    ends = [from_posteriors(environments, logs, fit.dose, fit.weight) for logs in (fit.fitted[fit.value], fit.left_out)]
    return np.array([(e.ligand, e.environment) for e in ends])


def test_unequal_numbers_of_cells_do_not_matter():
    e = checked_environments(P_E, [[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]])
    law = hill_readout([0.2, 0.7, 1.5, 5.0], 1.0, 1.0, 15.0)
    truth = enumerated(e, law)
    found = np.array([told(e, *drawn(law, [200, 600, 300, 900], seed)).mean(axis=0) for seed in range(12)])
    error = found.std(axis=0, ddof=1) / np.sqrt(12)
    assert (abs(found.mean(axis=0) - [truth.ligand, truth.environment]) < 4 * error + 0.004).all()  # |t| < 4, 11 degrees of freedom


def test_the_fit_errs_up_and_cells_left_out_err_down():
    e = checked_environments(P_E, two_environments())
    law = hill_readout(LIGAND, 2.0, 1.0, 20.0)
    ends = told(e, *drawn(law, 12, 0))
    assert (ends[0] > ends[1]).all()


def test_many_ordered_doses_with_few_cells_each():
    e = checked_environments(P_E, two_environments())
    law = hill_readout(LIGAND, 2.0, 1.0, 20.0)
    truth = enumerated(e, law)
    found = np.array([told(e, *drawn(law, 25, seed)).mean(axis=0) for seed in range(4)])
    assert abs(found[:, 0].mean() - truth.ligand) < 0.04 and abs(found[:, 1].mean() - truth.environment) < 0.01  # 4 sd of the mean


def test_independent_signal():
    e = checked_environments(P_E, two_environments())
    codes = np.repeat(np.arange(120), 20)
    ends = told(e, codes, np.random.default_rng(0).normal(size=len(codes)))
    assert (abs(ends.mean(axis=0)) < 0.02).all()


def test_left_out_is_what_leaving_out_gives():
    e = checked_environments(P_E, [[0.7, 0.3], [0.3, 0.7]])
    rng = np.random.default_rng(1)
    codes = np.repeat([0, 1], 60)
    s = rng.normal(size=120) + codes
    fit = ligand_posteriors(e, checked_pair(codes, s, x_kind="discrete", y_kind="continuous"), 0)
    losses = [-float(fit.weight @ logs[np.arange(len(fit.dose)), fit.dose]) for logs in (fit.fitted[fit.value], fit.left_out)]
    assert losses[1] > losses[0]
    assert np.allclose(np.exp(fit.left_out).sum(axis=1), 1) and fit.weight.sum() == pytest.approx(1)


def test_a_dose_without_cells():
    e = checked_environments(P_E, [[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    with pytest.raises(DataError, match="expected cells at each of the 3"):
        told(e, np.repeat([0, 1], 50), np.random.default_rng(0).normal(size=100))
