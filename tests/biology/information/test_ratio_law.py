"""The fitted law of density ratios: one point where sides are independent, the right points elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.discrete import moments
from sciml.biology.information.ratio_law import ratio_law


def shares(law):
    """The fitted law over its grid, each cell counted once."""
    return law.posterior[law.row].mean(axis=0)


def test_independent_sides_have_ratio_one():
    counts = np.random.default_rng(0).multinomial(2000, np.full(900, 1 / 900)).reshape(30, 30)
    law = ratio_law(counts)
    assert shares(law)[(law.ratios > 0.8) & (law.ratios < 1.25)].sum() > 0.9


def test_two_ratios_are_found():
    """0.3 on the diagonal of 40 levels, 0.7 spread over all cells: ratios 0.7 and 12.7, whatever single cells hold."""
    p = (0.3 * np.eye(40) + 0.7 / 40) / 40
    law = ratio_law(np.random.default_rng(1).multinomial(3000, p.ravel()).reshape(40, 40))
    found = shares(law)
    assert found[(law.ratios > 0.5) & (law.ratios < 1.0)].sum() == pytest.approx(39 / 40, abs=0.02)
    assert found[law.ratios > 8].sum() == pytest.approx(1 / 40, abs=0.01)


def test_drawn_tables_are_laws_like_the_table():
    p = (0.3 * np.eye(40) + 0.7 / 40) / 40
    counts = np.random.default_rng(2).multinomial(20_000, p.ravel()).reshape(40, 40)
    tables = list(ratio_law(counts).tables(np.random.default_rng(3), 10))
    assert [t.sum() for t in tables] == pytest.approx([1] * 10) and min(t.min() for t in tables) >= 0
    assert np.mean([moments(t)[0] for t in tables]) == pytest.approx(moments(p)[0], abs=0.03)


def test_large_counts_do_not_underflow():
    law = ratio_law(np.array([[3_000_000, 10], [30, 2_000_000]]))
    assert np.isfinite(law.posterior).all()
    assert law.ratios[law.posterior[law.row[0]].argmax()] == pytest.approx(5 / 3, rel=0.2)
