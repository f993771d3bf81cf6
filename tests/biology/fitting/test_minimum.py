"""Minima inside bounds and on them, of functions that are not defined everywhere."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from sciml.biology.fitting.minimum import minimise
from sciml.errors import DataError

LOWER, UPPER = np.array([-2.0, -2.0]), np.array([2.0, 3.0])


def valley(x):
    """Rosenbrock's valley as a sum of squares."""
    r = np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    j = np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])
    return 0.5 * float(r @ r), j.T @ r, j.T @ j


def test_a_curved_valley():
    found = minimise(valley, np.array([-1.2, 1.0]), LOWER, UPPER)
    np.testing.assert_allclose(found.x, [1, 1], atol=1e-3)
    assert found.converged and found.value < 1e-6 and found.iterations > 3


def test_a_minimum_on_a_bound_and_a_start_on_one():
    found = minimise(valley, LOWER, LOWER, np.array([0.5, 3.0]))
    np.testing.assert_allclose(found.x, [0.5, 0.25], atol=1e-3)
    assert (found.x <= [0.5, 3.0]).all()


def test_points_without_a_value_are_stepped_back_from_but_not_at_the_start():
    def partly(x):
        if x[0] > 0.8 and x[1] < 0.4:
            raise DataError("no value here")
        return valley(x)

    np.testing.assert_allclose(minimise(partly, np.array([-1.0, 2.0]), LOWER, UPPER).x, [1, 1], atol=1e-3)
    with pytest.raises(DataError, match="no value here"):
        minimise(partly, np.array([1.0, 0.0]), LOWER, UPPER)


def test_where_nothing_changes_the_start_is_the_end():
    flat = lambda x: (3.0, np.zeros(2), np.zeros((2, 2)))  # noqa: E731
    found = minimise(flat, np.array([0.1, 0.2]), LOWER, UPPER)
    assert found.converged and found.x.tolist() == [0.1, 0.2]


def test_iterations_run_out():
    assert not minimise(valley, np.array([-1.2, 1.0]), LOWER, UPPER, iterations=2).converged


def test_no_logger_is_left_behind():
    minimise(valley, np.array([-1.2, 1.0]), LOWER, UPPER)
    before = len(logging.Logger.manager.loggerDict)
    minimise(valley, np.array([-1.0, 1.0]), LOWER, UPPER)
    assert len(logging.Logger.manager.loggerDict) == before
