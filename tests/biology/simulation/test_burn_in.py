"""Cells brought to rest before they are dosed."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.simulation.burn_in import started
from sciml.biology.simulation.linear_noise import steady_means
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.errors import ConfigError, ConvergenceError
from tests.biology.simulation.small_networks import birth_death, parse, telegraph


def test_cells_come_to_rest_without_ligand() -> None:
    """On and off fill with the ligand; without it there is off only."""
    network = telegraph(on=2.0, off=1.0, k=10.0)
    cells = {"g": np.array([0.5, 1.0, 2.0])}
    rest = started(simulate_ssa, network, "steady_state", 3, 0, parameters=cells)
    np.testing.assert_allclose(rest["On"], 2 / 3, rtol=1e-9)
    np.testing.assert_allclose(rest["P"], 20 / 3 / cells["g"], rtol=1e-9)
    quiet = started(simulate_ssa, network, 40.0, 3, 0, parameters=cells, without={"a": 0.0})
    assert (quiet["Off"] == 1).all()
    assert (quiet["P"] == 0).all()
    assert "a" not in quiet
    assert started(simulate_ssa, network, "given", 3, 0, parameters=cells) == cells
    np.testing.assert_allclose(steady_means(birth_death(7.0)), [[7.0]])
    with pytest.raises(ConfigError, match="start"):
        started(simulate_ssa, network, "rest", 3, 0)
    growth = birth_death().with_(reactions=[parse("birth", "X -> 2 X", rate=2.0)]).set(X=1)
    with pytest.raises(ConvergenceError, match="no steady state"):
        started(simulate_ssa, growth, "steady_state", 3, 0)
