"""Maps of a side are one-to-one: each has an inverse."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.information.embeddings import half_cube, normal_cdf, rolled, shrunk, spiral, turned_and_stretched, wiggled

V = np.random.default_rng(0).normal(size=(4000, 5))


@pytest.mark.parametrize("map", [half_cube, shrunk, normal_cdf, wiggled])
def test_maps_by_column_rise(map):
    rising = np.sort(V, axis=0)
    assert (np.diff(map(rising), axis=0) > 0).all()
    assert np.ptp(np.diff(map(rising), axis=0) / np.diff(rising, axis=0)) > 0.1  # and are no straight lines


def test_the_roll_is_undone_by_its_radius():
    found = rolled(V)
    radius = np.hypot(found[:, 0], found[:, 1]) * 21
    assert np.allclose((radius / (1.5 * np.pi) - 1) / 2, normal_cdf(V[:, 0])) and (found[:, 2:] == V[:, 1:]).all()


def test_the_spiral_keeps_the_norm_and_is_undone_by_it():
    found = spiral(V)
    angle = -0.5 * (found**2).sum(axis=1)
    back = (found[:, 0] + 1j * found[:, 1]) * np.exp(1j * angle)
    assert np.allclose(back, V[:, 0] + 1j * V[:, 1]) and not np.allclose(found[:, :2], V[:, :2])


def test_turned_and_stretched_is_undone_by_its_parts():
    found = turned_and_stretched(5)(V)
    generator = np.random.Generator(np.random.PCG64(5))
    first, second = (np.linalg.qr(generator.normal(size=(5, 5)))[0] for _ in range(2))
    stretched = found @ second.T
    assert np.allclose(np.sign(stretched) * np.abs(stretched) ** (2 / 3) @ first.T, V)
