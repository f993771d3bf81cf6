"""Powers of the flow against closed forms and the matrix exponential; laws that only decay."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from sciml.biology.simulation.projection_powers import Powers, decayed
from sciml.biology.simulation.state_space import StateSpace, Uniformised, closed_classes
from sciml.errors import ConvergenceError


def _walk(states: np.ndarray, up: float = 3.0) -> np.ndarray:
    return np.stack([np.full(len(states), up), states[:, 0].astype(float)], axis=1)


def _space(most: int, rates=_walk) -> StateSpace:
    return StateSpace(np.array([[0]]), np.array([[1], [-1]]), rates, most)


@pytest.mark.parametrize("time", [0.01, 700.0, 5e4])
def test_steps_are_the_matrix_exponential_and_what_leaks_is_counted(time: float) -> None:
    space = _space(12)
    start = np.eye(12)[0]
    moved = Powers(space, Uniformised(space)).step(start, time)
    true = expm(time * space.generator().toarray()) @ start
    np.testing.assert_allclose(moved.p, true, atol=1e-12 + moved.rounding)
    assert moved.lost == pytest.approx(1 - moved.p.sum(), rel=1e-9, abs=1e-14)
    assert 0 < moved.rounding < 1e-9


def test_a_leak_lasts_for_ever_at_its_own_rate() -> None:
    """One state left at 1e-12 beside a fast pair: exp(-t 1e-12 / 2) in all, far beyond the time in which the pair mixes."""

    def rates(states: np.ndarray) -> np.ndarray:
        there = states[:, 0]
        return np.stack([np.where(there == 0, 1.0, np.where(there == 1, 1e-12, 0.0)), np.where(there == 1, 1.0, 0.0)], axis=1)

    space = _space(2, rates)
    for time in (1e6, 1e12, 1e14, 1e300):
        moved = Powers(space, Uniformised(space)).step(np.array([1.0, 0.0]), time)
        np.testing.assert_allclose(moved.p, np.full(2, 0.5 * np.exp(-0.5e-12 * time)), rtol=1e-9)
        assert moved.lost == pytest.approx(-np.expm1(-0.5e-12 * time), rel=1e-9)


def test_what_never_comes_to_rest_within_the_powers_is_said() -> None:
    def rates(states: np.ndarray) -> np.ndarray:
        return np.stack([np.where(states[:, 0] == 0, 1.0, 1e-60 * (states[:, 0] == 1)), 1.0 * (states[:, 0] == 1)], axis=1)

    space = StateSpace(np.array([[0]]), np.array([[1], [-1]]), rates, 3)
    assert len(space) == 3
    with pytest.raises(ConvergenceError, match="still moves"):
        Powers(space, Uniformised(space)).step(np.eye(3)[0], 1e50)


def test_each_class_decays_by_itself() -> None:
    p, leaving = np.array([0.2, 0.3, 0.5]), np.array([0.0, 5.0, 1.0])
    after, lost = decayed(p, [np.array([0, 1]), np.array([2])], leaving, 0.1)
    np.testing.assert_allclose(after, [*p[:2] * np.exp(-0.3), 0.5 * np.exp(-0.1)], rtol=1e-14)
    assert lost == pytest.approx(1 - after.sum(), rel=1e-12)


def test_closed_classes() -> None:
    chain = np.array([[-1.0, 0, 0, 0], [1.0, -1, 2, 0], [0, 1, -2, 0], [0, 0, 0, 0]])
    from scipy.sparse import csr_matrix

    assert [sorted(c.tolist()) for c in closed_classes(csr_matrix(chain))] in ([[1, 2], [3]], [[3], [1, 2]])
