"""Sets of states: found by content, growing, left at their edge; the weights of uniformisation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

from sciml.biology.simulation.state_space import StateSpace, Uniformised, poisson_weights


@pytest.mark.parametrize("mean", [0.01, 3.0, 250.0, 4000.0])
def test_poisson_weights(mean: float) -> None:
    weights, tails = poisson_weights(mean)
    k = np.arange(len(weights))
    np.testing.assert_allclose(weights, stats.poisson(mean).pmf(k), rtol=1e-9, atol=1e-16)
    np.testing.assert_allclose(tails, stats.poisson(mean).sf(k), rtol=1e-6, atol=1e-14)


def test_a_space_finds_its_states_and_no_others() -> None:
    space = StateSpace(np.array([[3, 0]]), np.array([[-1, 1], [1, -1]]), lambda s: s.astype(float), 100)
    assert sorted(map(tuple, space.states.tolist())) == [(0, 3), (1, 2), (2, 1), (3, 0)]
    assert (space.find(space.states) == np.arange(4)).all()
    assert space.find(np.array([[4, -1], [9, 9]])).tolist() == [-1, -1]
    assert abs(space.generator().sum(axis=0)).max() == 0.0


def _walk(states: np.ndarray) -> np.ndarray:
    """Up at rate 3, down at rate x."""
    return np.stack([np.full(len(states), 3.0), states[:, 0].astype(float)], axis=1)


def test_growth_keeps_indices_and_stops_when_it_is_full() -> None:
    space = StateSpace(np.array([[0]]), np.array([[1], [-1]]), _walk, 5)
    assert space.states[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert not space.full
    assert not space.grow(np.array([4]), 3)
    assert space.full
    assert space.leaving().tolist() == [0, 0, 0, 0, 3.0]


def test_a_uniformised_step_is_the_matrix_exponential() -> None:
    space = StateSpace(np.array([[0]]), np.array([[1], [-1]]), _walk, 12)
    start = np.eye(12)[0]
    after, integral = Uniformised(space).step(start, 0.8)
    generator = space.generator().toarray()
    np.testing.assert_allclose(after, expm(0.8 * generator) @ start, atol=1e-14)
    np.testing.assert_allclose(generator @ integral, after - start, atol=1e-13)
