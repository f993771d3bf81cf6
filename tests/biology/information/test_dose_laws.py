"""Truths of dose laws against closed forms of special cases, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.dose_laws import DoseNormals, DosePaths, DoseResponse, Part, Table, poisson_table
from sciml.biology.information.quadrature import integral

RNG = np.random.default_rng(0)


def two_normals(distance):
    """1 bit less the mean of log2(1 + exp(-L)), L normal with mean d^2 / 2 and variance d^2."""
    d = distance
    mean = integral(
        lambda p: np.exp(-0.5 * p[:, 0] ** 2) / np.sqrt(2 * np.pi) * np.logaddexp2(0, -(d * p[:, 0] + d * d / 2) / np.log(2)),
        [(-12.0, 12.0)],
        24,
    )
    return 1 - mean


def normal(mean, share=1.0):
    return Part(share, "norm", (mean, 1.0))


def test_two_normal_doses_in_one_column_two_columns_and_along_a_path():
    truth = two_normals(1.5)
    assert DoseResponse(((normal(0.0),), (normal(1.5),))).bits() == pytest.approx(truth, abs=1e-10)
    assert DoseNormals(np.array([[0, 0], [0.9, 1.2]]), np.stack([np.eye(2)] * 2)).bits() == pytest.approx(truth, abs=1e-8)
    assert DosePaths((0.0, 1.5), np.array([0.6, 0.8]), np.eye(2)).bits() == pytest.approx(truth, abs=1e-10)


def test_uniform_responses_closed_form():
    law = DoseResponse(tuple((Part(1.0, "uniform", (k, 2.0)),) for k in range(5)))
    assert law.bits() == pytest.approx(np.log2(5) - 4 / 5, abs=1e-9)


def test_atoms_alone_are_a_table():
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    law = DoseResponse(tuple((Part(a, "atom", (0.0,)), Part(b, "atom", (2.0,)), Part(0.0, "norm", (0.0, 1.0))) for a, b in p))
    assert law.bits() == pytest.approx(Table(p / 2).bits(), abs=1e-12)
    hidden = DoseResponse(((normal(0.0),), (normal(9.0),)), (20.0, 21.0))  # all cells below the detection limit
    assert hidden.bits() == pytest.approx(0, abs=1e-12)


def test_saturation_takes_information_away():
    parts = ((normal(0.0),), (normal(2.0),))
    assert 0.1 < DoseResponse(parts, (-0.5, 1.0)).bits() < DoseResponse(parts).bits()


def test_doses_are_balanced_and_rows_at_limits_tie():
    doses, y = DoseResponse(((normal(0.0),), (normal(2.0),), (normal(4.0),)), (0.0, 3.0)).draw(RNG, 3001)
    assert np.bincount(doses).tolist() == [1001, 1000, 1000]
    assert abs((y == 0).sum() - (1001 * 0.5 + 1000 * 0.02275 + 0.03)) < 4.5 * np.sqrt(1001 / 4 + 22)


def test_tables():
    law = Table(np.array([[0.5, 0.0], [0.25, 0.25]]))
    assert law.bits() == pytest.approx(0.3112781245, abs=1e-9)  # h(1/4) - h(1/2) / 2: the Z channel
    x, y = law.draw(RNG, 10_000)
    assert not ((x == 0) & (y == 1)).any() and abs((y == 1).mean() - 0.25) < 4.5 * np.sqrt(0.1875 / 10_000)
    counts = poisson_table((3.0, 50.0))
    assert np.allclose(2 * counts.p @ np.arange(counts.p.shape[1]), (3.0, 50.0)) and counts.bits() == pytest.approx(1, abs=1e-6)
