"""Right-hand side and Jacobian against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.kernels.compiled import system_of
from sciml.biology.simulation.equations import equations_of
from sciml.errors import ConfigError
from tests.biology.simulation.rate_rules import rates


def net():
    return rates({"x": (2.0, "-k * x * y"), "y": (3.0, "x * sin(time)")}, {"k": 0.5})


def test_derivatives_and_their_derivatives():
    system = system_of(net())
    equations, (y, p), t = equations_of(system), system.begin(), 0.7
    np.testing.assert_allclose(equations.rhs(t, y, p), [-3.0, 2 * np.sin(t)], rtol=1e-15)
    native, pattern = equations.jacobian
    values = native(t, y, p)
    found = dict(zip(equations.places, values, strict=False))
    assert found.keys() == {(0, 0), (0, 1), (1, 0)}
    np.testing.assert_allclose([found[0, 0], found[0, 1], found[1, 0]], [-1.5, -1.0, np.sin(t)], rtol=1e-15)
    np.testing.assert_allclose(values[len(found) :], [0.0, 2 * np.cos(t)], rtol=1e-15)
    assert len(pattern.entries) == 3 and equations.smooth


def test_other_numbers_share_what_is_compiled():
    base = net()
    assert equations_of(system_of(base)) is equations_of(system_of(base.set(k=7.0)))


def test_absolute_tolerances_by_state():
    equations = equations_of(system_of(net()))
    assert equations.absolute(None).tolist() == [0.0, 0.0]
    assert equations.absolute(1e-3).tolist() == [1e-3, 1e-3]
    assert equations.absolute({"y": 1e-4}).tolist() == [0.0, 1e-4]
    with pytest.raises(ConfigError, match="nobody"):
        equations.absolute({"nobody": 1.0})
