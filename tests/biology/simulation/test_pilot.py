"""The cell on which a method is tried: nothing that is drawn reaches it, so that trajectory k is the same for any n."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciml.biology.distributions import LogNormal
from sciml.biology.network import Network, Parameter
from sciml.biology.simulation.hybrid import simulate_hybrid
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.pilot import pilot_model
from sciml.biology.simulation.tau_leaping import simulate_tau
from tests.biology.simulation.small_networks import birth_death, parse

# in the seeds given the first cells make too little for steps to pay, and some others enough
_CASES = [(simulate_hybrid, 5e3, "hybrid32"), (simulate_tau, 1e6, "leaps64")]


@pytest.mark.parametrize(("simulate", "k", "kernel"), _CASES)
def test_trajectories_are_the_same_for_any_n_and_method_for_any_seed(simulate: Any, k: float, kernel: str) -> None:
    cells, network = {"k": LogNormal(cv=3.0)}, birth_death(k)
    for seed in (1, 2, 3):
        one, two, many = (simulate(network, [5.0], n, seed, extrinsic=cells) for n in (1, 2, 40))
        assert one.kernel == two.kernel == many.kernel == kernel
        np.testing.assert_array_equal(one.amounts, many.amounts[:1])
        np.testing.assert_array_equal(two.amounts, many.amounts[:2])


@pytest.mark.parametrize(("simulate", "k", "kernel"), _CASES)
def test_numbers_given_choose_and_arrays_do_not(simulate: Any, k: float, kernel: str) -> None:
    assert simulate(birth_death(1.0), [5.0], 2, parameters={"k": k}).kernel == kernel
    assert simulate(birth_death(1.0), [5.0], 2, parameters={"k": [k, k]}).kernel == "lanes32"
    assert simulate(birth_death(k), [5.0], 2, parameters={"k": [1.0, 1.0]}).kernel == kernel
    assert simulate(birth_death(1.0), [5.0], 2, extrinsic={"k": LogNormal(0.1, mean=k)}).kernel == kernel
    drawn = [simulate(birth_death(k, start=10.5), [5.0], n, 1, initial="stochastic").amounts for n in (1, 3)]
    np.testing.assert_array_equal(drawn[0], drawn[1][:1])


def _row(network: Network, parameters: Any = None, start: Any = "given", before: Any = None) -> tuple[float, float]:
    """(molecules of X, k)"""
    model = JumpModel(in_molecules(network, 3, 0, parameters=parameters, initial="round"))
    found = pilot_model(model, parameters, None, start, before).molecules
    assert found.start.shape == (1, 1) and len(found.parameters) == 1
    return found.start[0, 0], found.parameters[0, found.jumps.system.parameters.index("k")]


def test_it_begins_where_the_rate_equations_bring_it() -> None:
    assert _row(birth_death(100.0, start=10.4)) == (10, 100)
    assert _row(birth_death(100.0), start="steady_state") == (100, 100)
    assert _row(birth_death(100.0), start=3.0, before={"k": 40.0}) == (round(40 * (1 - np.exp(-3.0))), 100)
    unstated = birth_death().with_(parameters=[Parameter("k", None)])
    assert _row(unstated, {"k": [7.0, 8.0, 9.0]}) == (0, 7)


def test_a_course_without_end_leaves_it_as_the_model_says() -> None:
    """X' = 1 + X^2 has no value from t = pi / 2 on."""
    network = birth_death(1.0, start=5.0).with_(reactions=[parse("death", "X -> 2 X", law="X^2")])
    assert _row(network, start=10.0) == (5, 1)
    assert _row(network, start="steady_state") == (5, 1)
