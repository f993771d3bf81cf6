"""The tableau meets the conditions of its order."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.simulation.tsitouras import DENSE, ERROR, NODES, WEIGHTS


def test_coefficients_meet_the_conditions_of_order():
    """sum b = 1, sum b c = 1/2, sum b c^2 = 1/3, sum b c^3 = 1/4, sum b c^4 = 1/5; errors vanish up to order 4."""
    b, c = np.append(WEIGHTS[5], 0.0), np.concatenate([[0.0], NODES])
    for power in range(5):
        assert b @ c**power == pytest.approx(1 / (power + 1), abs=1e-14)
        assert DENSE.sum(axis=0) @ c**power == pytest.approx(1 / (power + 1), abs=1e-12)
    for power in range(4):
        assert ERROR @ c**power == pytest.approx(0.0, abs=1e-12)
    assert abs(ERROR @ c**4) > 1e-4
    np.testing.assert_allclose(WEIGHTS.sum(axis=1), NODES, atol=1e-14)
