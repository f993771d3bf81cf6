"""The trial of units against labels made by a linear model: the factor that was planted is found, and none where nothing was."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.materials.labels.factors import known_factors
from sciml.materials.labels.hypotheses import Equation, Trial, halves, inliers, robust_shares

TABLE = known_factors()


def trial(noise=0.0, seed=0, loose=False, **factors):
    """Forty records whose three labels follow from five coefficients; each label multiplied by its factor.

    loose: each label has coefficients of its own, so that none says anything about the others.
    """
    generator, found = np.random.default_rng(seed), Trial(15)
    truth = generator.normal(size=5)
    truth *= 5**0.5 / np.linalg.norm(truth)  # a label is of variance 5
    for record in range(40):
        for place, (name, rows) in enumerate({"energy": 1, "forces": 12, "stress": 6}.items()):
            design = np.zeros((rows, 15))
            first = 5 * place if loose else 0
            design[:, first : first + 5] = generator.normal(size=(rows, 5))
            goal = design[:, first : first + 5] @ truth + noise * generator.normal(size=rows)
            found.add(Equation(name, record % 2, design, goal * factors.get(name, 1.0)))
    found.finish()
    return found


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_right_labels(noise):
    verdict = trial(noise).verdict(TABLE)
    assert verdict.factors == () and verdict.free is None
    assert verdict.shares["forces"] == pytest.approx(noise**2 / (noise**2 + 5), abs=0.03)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize(
    ("name", "factor", "text"),
    [
        ("stress", 1602.1766, "kBar"),
        ("stress", -1.0, "sign is flipped"),
        ("energy", 1 / 13.605693, "Ry"),
        ("forces", 0.529177 / 13.605693, "Ry/bohr"),
        ("forces", 0.529177, "eV/bohr"),
    ],
)
def test_one_wrong_unit(noise, name, factor, text):
    (found,) = trial(noise, **{name: factor}).verdict(TABLE).factors
    assert found.quantity == name and text in found.text


def test_two_wrong_units():
    found = trial(0.1, stress=-1.0, energy=1 / 13.605693).verdict(TABLE).factors
    assert {each.quantity for each in found} == {"stress", "energy"}


def test_a_factor_that_is_no_unit():
    verdict = trial(0.1, stress=5.0).verdict(TABLE)
    assert verdict.factors is None and verdict.free[0] == "stress" and verdict.free[1] == pytest.approx(5.0, rel=0.3)


def test_labels_that_do_not_determine_each_other_accuse_none():
    assert trial(0.1, loose=True, stress=-1.0, forces=0.5).verdict(TABLE).factors == ()


def test_evidence_excludes_a_hypothesis():
    wrong = trial(0.1, stress=-1.0)
    assert wrong.verdict(TABLE, [("stress", "energy", 1.0, 0.2)]).factors != wrong.verdict(TABLE).factors


def test_halves_have_no_period():
    found = halves(64)
    assert found.sum() == 32
    for period in (2, 3, 4, 5, 8):
        assert all(0 < found[start::period].mean() < 1 for start in range(period))


def test_robust_statistics():
    generator = np.random.default_rng(0)
    shares = generator.dirichlet([1, 1], size=50)
    energies = shares @ [-3.0, -5.0] + 0.01 * generator.normal(size=50)
    energies[7] = 1e8
    assert robust_shares(shares, energies) == pytest.approx([-3.0, -5.0], abs=0.02)
    assert np.flatnonzero(~inliers(energies)).tolist() == [7]
    assert inliers(np.repeat([0.0, 1.0], [40, 10])).all()  # two kinds of structures are both kept
