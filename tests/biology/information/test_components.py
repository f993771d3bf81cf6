"""Rotated columns are found again."""

from __future__ import annotations

import numpy as np

from sciml.biology.information.components import independent_components
from sciml.seeding import numpy_generator


def test_rotated_stretched_columns_come_back():
    """Each source lies along one component: |correlation| > 0.98 at 4,000 rows of x |x|^1/2."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(4000, 4))
    sources = np.sign(normal) * np.abs(normal) ** 1.5
    found = independent_components(sources @ rng.normal(size=(4, 4)) + 7, numpy_generator(0))
    match = np.abs(np.corrcoef(sources.T, found.T)[:4, 4:])
    assert (match.max(axis=0) > 0.98).all() and sorted(match.argmax(axis=0)) == [0, 1, 2, 3]


def test_components_are_white_and_a_linear_map():
    values = np.random.default_rng(1).normal(size=(500, 3)) * [1, 100, 1e-3]
    found = independent_components(values, numpy_generator(0))
    assert np.allclose(np.cov(found, rowvar=False, bias=True), np.eye(3), atol=1e-9)
    fit = np.linalg.lstsq(np.column_stack([values, np.ones(500)]), found, rcond=None)
    assert np.allclose(fit[1], 0, atol=1e-12)


def test_columns_that_repeat_have_none():
    values = np.random.default_rng(2).normal(size=(100, 2))
    assert independent_components(np.column_stack([values, values[:, 0]]), numpy_generator(0)) is None
