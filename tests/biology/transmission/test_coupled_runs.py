"""Coupled pairs: each side has the exact law, and both differ little."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.transmission.coupled_runs import coupled_pairs
from sciml.errors import DataError
from tests.biology.simulation.small_networks import birth_death


def _pairs(k: tuple[float, float], n: int, times=(0.5, 3.0), **options):
    models = tuple(jump_model(birth_death(start=20.0), "test", n=n, parameters={"k": value}) for value in k)
    return coupled_pairs(models, np.array(times), n, 3, **options)[..., 0]


def test_each_side_is_exact_and_both_differ_little() -> None:
    """Means of both, |z| <= 4; their difference is Poisson of mean 2 (1 - e^-t): only the births of one side alone are not shared."""
    x, z = _pairs((20.0, 22.0), 4000)
    for side, k in ((x, 20.0), (z, 22.0)):
        for i, t in enumerate((0.5, 3.0)):
            mean = k + (20 - k) * np.exp(-t)
            assert abs(side[:, i].mean() - mean) <= 4 * np.sqrt(mean / 4000)
    assert abs(x[:, 1].var() - 20) <= 4 * 20 * np.sqrt(2.1 / 4000) + 20 * np.exp(-6)
    apart = (z - x)[:, 1]
    expected = 2 * (1 - np.exp(-3.0))
    assert apart.min() >= 0
    assert abs(apart.mean() - expected) <= 4 * np.sqrt(expected / 4000)
    assert abs(apart.var() - expected) <= 4 * np.sqrt((3 * expected**2 + expected - expected**2) / 4000)


def test_equal_parameters_give_equal_trajectories_for_any_threads() -> None:
    x, z = _pairs((20.0, 20.0), 100)
    np.testing.assert_array_equal(x, z)
    few = _pairs((20.0, 20.0), 30, threads=1)[0]
    np.testing.assert_array_equal(few, x[:30])


def test_faults_are_said() -> None:
    parse = Reaction.parse
    lacking = Network("lacks", species={"X": 1}, parameters={"k": 5.0}, reactions=[parse("take", "2 X ->", law="k")])
    models = tuple(jump_model(lacking, "test", parameters={"k": k}) for k in (5.0, 6.0))
    with pytest.raises(DataError, match="take"):
        coupled_pairs(models, np.array([10.0]), 5, 0)
    other = tuple(jump_model(net, "test") for net in (lacking, birth_death()))
    with pytest.raises(DataError, match="different reactions"):
        coupled_pairs(other, np.array([10.0]), 5, 0)
