"""Informations of a signal: enumerated, and from held-out posteriors, whose exact ones give the truth."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.cell.environments import checked_environments
from sciml.biology.cell.readouts import enumerated, from_posteriors, replicated, spread_of_halves
from sciml.biology.information.samples import checked_pair

LAW = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.05, 0.15, 0.8]])
E = checked_environments([0.4, 0.6], [[0.6, 0.3, 0.1], [0.1, 0.3, 0.6]])


def entropy(p):
    return float(-(p[p > 0] * np.log2(p[p > 0])).sum())


def direct():
    """H(S) - H(S|L), H(S) - H(S|E) written out."""
    s = E.p_l @ LAW
    given_e = E.p_l_given_e @ LAW
    return entropy(s) - E.p_l @ [entropy(row) for row in LAW], entropy(s) - E.p_e @ [entropy(row) for row in given_e]


def test_enumeration():
    told = enumerated(E, LAW)
    assert (told.ligand, told.environment) == pytest.approx(direct(), abs=1e-12)
    assert told.environment < told.ligand


def test_nothing_and_everything():
    assert enumerated(E, np.full((3, 2), 0.5)).ligand == 0
    whole = enumerated(E, np.eye(3))
    assert whole.ligand == pytest.approx(entropy(E.p_l)) and whole.environment == pytest.approx(enumerated(E, np.eye(3)).environment)


def cells(n, seed):
    """(codes, signals): unequal numbers of cells at each dose, which the input law must not feel."""
    rng = np.random.default_rng(seed)
    codes = np.repeat([0, 1, 2], [n, 3 * n, 2 * n])
    return codes, np.array([rng.choice(3, p=LAW[k]) for k in codes])


def posteriors(power=1.0):
    """ln p(l|s) [nS, nL] by Bayes' rule; a power below 1 makes them less sure than they could be."""
    joint = LAW.T**power * E.p_l
    return np.log(joint / joint.sum(axis=1, keepdims=True))


def weights(codes):
    return E.p_l[codes] / np.bincount(codes)[codes]


def test_exact_posteriors_give_the_truth_for_any_number_of_cells_at_each_dose():
    told = np.array([
        (t.ligand, t.environment)
        for seed in range(8)
        for codes, s in [cells(500, seed)]
        for t in [from_posteriors(E, posteriors()[s], codes, weights(codes))]
    ])  # fmt: skip
    error = told.std(axis=0, ddof=1) / np.sqrt(8)
    assert (abs(told.mean(axis=0) - direct()) < 5 * error + 1e-4).all()  # |t| < 5 with 7 degrees of freedom: p < 0.002


def test_wrong_posteriors_give_less():
    codes, s = cells(2000, 0)
    right = from_posteriors(E, posteriors()[s], codes, weights(codes))
    wrong = from_posteriors(E, posteriors(0.3)[s], codes, weights(codes))
    assert wrong.ligand < right.ligand - 0.02 and wrong.environment < right.environment


def test_what_grows_with_n_counts_as_doubt():
    halves = np.array([[0.8, 0.8], [0.8, 0.8]])
    assert spread_of_halves(np.asarray(1.0), halves) == pytest.approx(0.1)
    assert spread_of_halves(np.asarray(0.8), halves + np.array([0.1, -0.1])) == pytest.approx(0.1)


def test_replicates_average_fit_and_left_out_and_know_their_spread():
    def measure(pairs, seed):  # the mean of y, too high in the fit and too low for cells left out
        return np.array([[pair.y.values.mean() + end / len(pair) for pair in pairs] for end in (1, -1)])

    rng = np.random.default_rng(3)
    pairs = [checked_pair(np.arange(400) % 4, rng.normal(size=400)) for _ in range(60)]
    made = [replicated([pair, pair], measure, k) for k, pair in enumerate(pairs)]
    assert all(np.allclose(r.whole, pair.y.values.mean()) for r, pair in zip(made, pairs, strict=True))
    errors = [r.error[0] * 20 / pair.y.values.std() for r, pair in zip(made, pairs, strict=True)]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(1.0, abs=4 * 0.5 / np.sqrt(60))
