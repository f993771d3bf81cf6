"""The two parts of the noise of birth and death with a log-normal rate, |z| <= 4, by every method that has cells."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.distributions import LogNormal
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.simulation.methods import METHODS
from sciml.biology.simulation.noise_parts import NoiseParts, noise_parts
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.tau_leaping import simulate_tau
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death, own_kernel


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.sampled])
def test_birth_and_death_with_a_log_normal_rate(method: str) -> None:
    """E Var = m, Var E = (cv m)^2 with m = k (1 - exp(-g t)) / g."""
    k, cv = 200.0, 0.3
    found = noise_parts(METHODS[method].call, birth_death(k), [0.5, 8.0], {"k": LogNormal(cv=cv)}, n=3000, seed=11, **own_kernel(method))
    m = k * (1 - np.exp(-found.times))
    allowed = 0.04 if method in ("tau", "langevin") else 0.0  # spread within epsilon / 2, so variance within epsilon
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


def test_leaps_of_many_molecules() -> None:
    """As above where tau-leaping is no exact method: spreads within epsilon / 2."""
    k, cv = 1e6, 0.001
    found = noise_parts(simulate_tau, birth_death(k), [1.0], {"k": LogNormal(cv=cv)}, n=1000, seed=3, fallback="never")
    m = k * (1 - np.exp(-1.0))
    assert abs(found.intrinsic[0, 0] - m) <= 4 * found.intrinsic_error[0, 0] + 0.03 * m
    assert abs(found.extrinsic[0, 0] - (cv * m) ** 2) <= 4 * found.extrinsic_error[0, 0] + 0.03 * m


def _agree(found: NoiseParts, k: float, cv: float) -> None:
    m = k * (1 - np.exp(-found.times))
    np.testing.assert_array_less(abs(found.extrinsic[:, 0] - (cv * m) ** 2), 4 * found.extrinsic_error[:, 0])
    np.testing.assert_array_less(abs(found.mean[:, 0] - m), 4 * cv * m / np.sqrt(found.n))


def test_a_deterministic_cell_leaves_nothing_to_chance() -> None:
    found = noise_parts(simulate_ode, birth_death(200.0), [0.5, 8.0], {"k": LogNormal(cv=0.3)}, n=3000, seed=11)
    assert (found.intrinsic == 0).all()
    np.testing.assert_array_equal(found.total, found.extrinsic)
    _agree(found, 200.0, 0.3)
    by_start = noise_parts(simulate_ode, birth_death(0.0, start=100.0), [1.0], {"X": LogNormal(cv=0.2)}, n=2000, seed=1)
    sd = 0.2 * 100 * np.exp(-1.0)
    assert abs(by_start.extrinsic[0, 0] - sd**2) <= 4 * by_start.extrinsic_error[0, 0]


def test_linear_noise_of_each_cell() -> None:
    """Of a linear network mean and variance of a cell are exact: what is estimated is the spread over cells alone."""
    found = noise_parts(linear_noise, birth_death(200.0), [0.5, 8.0], {"k": LogNormal(cv=0.3)}, n=200, seed=11)
    _agree(found, 200.0, 0.3)
    np.testing.assert_allclose(found.intrinsic[:, 0], found.mean[:, 0], rtol=1e-6)  # Poisson in each cell


def test_one_cell_has_no_spread() -> None:
    with pytest.raises(ConfigError, match="n: found 1, expected at least two cells"):
        noise_parts(simulate_ssa, birth_death(), [1.0], {"k": LogNormal(0.3)}, n=1)


def test_what_leaves_no_trajectories_to_compare_is_refused_before_it_runs() -> None:
    """With a progress call that would end the run."""
    cells = {"k": LogNormal(0.3)}
    for options in ({"record": "moments"}, {"record": "final"}, {"store": "never"}):
        with pytest.raises(ConfigError, match="expected no store= and no record= but 'grid'"):
            noise_parts(simulate_ssa, birth_death(), [1.0], cells, n=5, progress=_stop, **options)
    with pytest.raises(ConfigError, match="simulate: found .*expected one of simulate_ode, simulate_ssa, simulate_tau, simulate_hybrid"):
        noise_parts(birth_death, birth_death(), [1.0], cells)
    with pytest.raises(KeyboardInterrupt):
        noise_parts(simulate_ssa, birth_death(1e4), [100.0], cells, n=5000, progress=_stop)


def _stop(*_: int) -> None:
    raise KeyboardInterrupt
