"""Cells that differ: draws by index, starts drawn whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sciml.biology.distributions import LogNormal, Normal
from sciml.biology.simulation.extrinsic import draw_cells
from sciml.biology.simulation.langevin import simulate_langevin
from sciml.biology.simulation.tau_leaping import simulate_tau
from sciml.errors import ConfigError, DataError
from tests.biology.simulation.small_networks import birth_death


def test_a_cell_depends_on_seed_id_and_index_alone() -> None:
    laws = {"k": LogNormal(0.3), "g": LogNormal(0.2)}
    whole = draw_cells(birth_death(), laws, 1000, 3)
    np.testing.assert_array_equal(draw_cells(birth_death(), {"g": LogNormal(0.2)}, 10, 3)["g"], whole["g"][:10])
    assert (draw_cells(birth_death(), laws, 10, 4)["k"] != whole["k"][:10]).all()
    s = np.sqrt(np.log1p(0.09))
    assert stats.kstest(whole["k"], stats.lognorm(s, scale=10 * np.exp(-(s**2) / 2)).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(whole["k"], whole["g"])[0, 1]) < 4.5 / np.sqrt(1000)


def test_starts_that_differ_are_drawn_whole() -> None:
    found = simulate_tau(birth_death(start=100.0), [0.0], n=2000, seed=2, extrinsic={"X": LogNormal(cv=0.5)})
    assert abs(found.mean[0, 0] - 100) < 4.5 * 50 / np.sqrt(2000)
    assert abs(found.std[0, 0] / 50 - 1) < 0.1
    real = simulate_langevin(birth_death(start=100.0), [0.0], n=5, seed=2, extrinsic={"X": LogNormal(cv=0.5)}, initial="round")
    assert (real.amounts == np.rint(real.amounts)).all()


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ConfigError, match="'k': found 0.3, expected a law such as LogNormal"):
        simulate_tau(birth_death(), [1.0], n=2, extrinsic={"k": 0.3})  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="'kk' is no parameter"):
        draw_cells(birth_death(), {"kk": LogNormal(0.3)}, 10, 0)
    with pytest.raises(DataError, match="below zero"):
        draw_cells(birth_death(start=1.0), {"X": Normal(5.0)}, 100, 0)
    with pytest.raises(ConfigError, match="in parameters as well"):
        simulate_tau(birth_death(), [1.0], n=2, parameters={"k": 3.0}, extrinsic={"k": LogNormal(0.3)})
