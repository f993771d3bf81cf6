"""Rates and slopes against the laws by hand."""

from __future__ import annotations

import numpy as np

from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.transmission.linear_rates import LinearRates
from tests.biology.simulation.small_networks import dimerisation
from tests.biology.transmission.networks import loop


def test_laws_and_slopes_by_hand() -> None:
    rates = LinearRates(jump_model(loop(50.0), "test", single=True))
    s, x = 30.0, 80.0
    a, slopes = rates.at(np.array([s, x]))
    np.testing.assert_allclose(a, [100 / (1 + x / 50), s, s, x])
    np.testing.assert_allclose(slopes, [[0, -2 / (1 + x / 50) ** 2], [1, 0], [1, 0], [0, 1]])
    np.testing.assert_allclose(rates.drift(np.array([s, x])), [a[0] - s, s - x])


def test_mass_action_is_that_of_many_molecules() -> None:
    a, slopes = LinearRates(jump_model(dimerisation(), "test", single=True)).at(np.array([9.0, 2.0]))
    np.testing.assert_allclose(a, [0.1 * 81, 0.8])
    np.testing.assert_allclose(slopes, [[1.8, 0], [0, 0.4]])
