"""A model fitted to forces foretells energies and stresses of data that go together, and only of those."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.materials.datasets import load_dataset
from sciml.materials.labels import labels_of
from sciml.materials.labels.consistency import measure, misfit, robust_slope


def labels(structures):
    return [labels_of(atoms) for atoms in structures]


@pytest.mark.parametrize("name", ["mlearn-si", "mlearn-cu"])
def test_published_test_sets_go_together(name):
    structures = load_dataset(name, "test")
    measured = measure(structures, labels(structures))
    assert measured.source == "forces" and measured.fit > 0.95
    for slope in measured.slopes.values():
        assert slope.ratio == pytest.approx(1.0, abs=0.3) and slope.r2 > 0.9
    errors = np.array([record.energy - record.expected_energy for record in measured.records])
    assert np.median(np.abs(errors)) < 0.015  # eV an atom


def test_too_little_to_say():
    structures = load_dataset("mlearn-si", "test")[:5]
    assert measure(structures, labels(structures)) is None
    assert measure([], []) is None


def test_misfit():
    a = np.array([1.0, 2.0])
    assert misfit(a, a) == 0 and misfit(a, -a) == pytest.approx(2**0.5) and misfit(np.zeros(2), np.zeros(2)) == 0


def test_slope_is_not_lowered_by_noise_nor_turned_by_outliers():
    generator = np.random.default_rng(0)
    found = generator.normal(size=2000)
    expected = found / 3 + generator.normal(size=2000) * 0.2
    assert robust_slope(expected, found).ratio == pytest.approx(3.0, rel=0.1)
    expected[:20] += 30
    assert robust_slope(expected, found).ratio == pytest.approx(3.0, rel=0.2)
