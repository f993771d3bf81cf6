"""Cells that differ: draws by index, and the two parts of the noise of birth and death with a log-normal rate, |z| <= 4."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from sciml.biology.distributions import LogNormal, Normal
from sciml.biology.simulation.extrinsic import draw_cells, noise_parts
from sciml.biology.simulation.langevin import simulate_langevin
from sciml.biology.simulation.ssa import simulate_ssa
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


@pytest.mark.parametrize("simulate", [simulate_ssa, simulate_tau, simulate_langevin])
def test_birth_and_death_with_a_log_normal_rate(simulate: Any) -> None:
    """E Var = m, Var E = (cv m)^2 with m = k (1 - exp(-g t)) / g."""
    k, cv = 200.0, 0.3
    found = noise_parts(simulate, birth_death(k), [0.5, 8.0], {"k": LogNormal(cv=cv)}, n=3000, seed=11)
    m = k * (1 - np.exp(-found.times))
    allowed = {simulate_langevin: 0.04}.get(simulate, 0.0)  # spread within epsilon / 2, so variance within epsilon
    for value, error, true in (
        (found.intrinsic, found.intrinsic_error, m),
        (found.extrinsic, found.extrinsic_error, (cv * m) ** 2),
        (found.total, found.total_error, m + (cv * m) ** 2),
    ):
        assert (abs(value[:, 0] - true) <= 4 * error[:, 0] + allowed * m).all()
    np.testing.assert_allclose(found.total, found.extrinsic + found.intrinsic)
    assert found.to_dict()["n"] == 3000


def test_without_differences_between_cells_there_is_no_extrinsic_part() -> None:
    found = noise_parts(simulate_ssa, birth_death(50.0), [5.0], {"k": LogNormal(cv=1e-9)}, n=2000, seed=1)
    assert abs(found.extrinsic / found.extrinsic_error).max() < 4


def test_starts_that_differ_are_drawn_whole() -> None:
    found = simulate_tau(birth_death(start=100.0), [0.0], n=2000, seed=2, extrinsic={"X": LogNormal(cv=0.5)})
    assert abs(found.mean[0, 0] - 100) < 4.5 * 50 / np.sqrt(2000)
    assert abs(found.std[0, 0] / 50 - 1) < 0.1
    real = simulate_langevin(birth_death(start=100.0), [0.0], n=5, seed=2, extrinsic={"X": LogNormal(cv=0.5)}, initial="round")
    assert (real.amounts == np.rint(real.amounts)).all()


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected a law"):
        draw_cells(birth_death(), {"k": 0.3}, 10, 0)  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="'kk' is no parameter"):
        draw_cells(birth_death(), {"kk": LogNormal(0.3)}, 10, 0)
    with pytest.raises(DataError, match="below zero"):
        draw_cells(birth_death(start=1.0), {"X": Normal(5.0)}, 100, 0)
    with pytest.raises(ConfigError, match="in parameters as well"):
        simulate_tau(birth_death(), [1.0], n=2, parameters={"k": 3.0}, extrinsic={"k": LogNormal(0.3)})
