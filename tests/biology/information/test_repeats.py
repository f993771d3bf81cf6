"""Copies against ties: laws whose equal rows come by chance, and tables put together twice."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.repeats import repeats as repeats_of


def repeats(rows):
    return repeats_of(rows, np.full(len(rows), len(rows)))


def tied(law, n, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], n).T
    made = {
        "coarse": lambda: np.round(np.column_stack([x, y]) * 4),
        "fine": lambda: np.round(np.column_stack([x, y]) * 40),
        "counts": lambda: rng.poisson(np.exp(1 + np.column_stack([x, y]))),
        "sparse": lambda: rng.poisson(0.3 * np.exp(x)[:, None], size=(n, 5)),
        "drop-outs": lambda: np.column_stack([x, y]) * (rng.random((n, 2)) < 0.4),
        "uniform": lambda: rng.integers(n, size=(n, 1)),
    }
    return made[law]().astype(float)


@pytest.mark.parametrize("law", ["coarse", "fine", "counts", "sparse", "drop-outs", "uniform"])
@pytest.mark.parametrize("n", [60, 500])
def test_ties_are_no_copies_but_the_table_twice_is(law, n):
    # 40 tables: beyond 4 standard errors at one of some ten n_k is 3 in 10,000, so none is expected
    assert not any(repeats(tied(law, n, seed)) for seed in range(40))
    if n == 500 and law != "sparse":  # there a few rows, each many times, are all there is
        assert all(repeats(np.tile(tied(law, n, seed), (2, 1))) for seed in range(10))


def test_which_rows():
    rows = np.random.default_rng(0).normal(size=(300, 3))
    found = repeats(np.vstack([rows, rows[[7] * 2], rows[10:110]]))
    assert found is not None
    assert (found.copies, found.first, found.again) == (100, 10, 302)  # row 7, three times, is by itself
    assert found.share == pytest.approx(200 / 402)
    assert repeats(np.vstack([rows, rows[:10]])) is None


def test_a_table_of_counts_is_none():
    assert repeats(np.tile(np.arange(20.0)[:, None], (40, 1))) is None


@pytest.mark.parametrize(("doses", "each", "share"), [(96, 20, 0.02), (50, 10, 0.03), (200, 2, 0.2), (200, 3, 0.2)])
def test_sparse_counts_of_few_cells_a_dose_are_no_copies_but_the_table_twice_is(doses, each, share):
    rng = np.random.default_rng(1)
    dose = np.repeat(np.arange(float(doses)), each)
    cells = np.full(len(dose), each)
    for _ in range(20):
        assert repeats_of(np.column_stack([dose, (rng.random(len(dose)) < share) * rng.poisson(5, len(dose))]), cells) is None
        measured = np.column_stack([dose, np.round(rng.normal(size=len(dose)), 2)])
        assert repeats_of(np.tile(measured, (2, 1)), np.tile(2 * cells, 2)) is not None
