"""A run's scale, its threads and its ends."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.errors import ConvergenceError
from tests.biology.simulation.rate_rules import made, rates

BUMP = {"x": (1.0, "-x"), "y": (0.0, "x - y")}  # y = t exp(-t), largest 1/e


def test_the_rough_run_tells_the_largest_size_of_each_state():
    run, y, p = made(rates(BUMP), [10.0])
    scale = np.abs(y)
    run.measure(y, p, scale)
    np.testing.assert_allclose(scale[0], [1.0, np.exp(-1)], rtol=2e-2)
    assert y.tolist() == [[1.0, 0.0]]


def test_a_rough_run_that_fails_leaves_the_size_that_was_reached():
    run, y, p = made(rates({"x": (1.0, "x^2")}), [2.0])
    scale = np.abs(y)
    run.run_roughly(y, p, scale)
    assert scale[0, 0] > 1e3


def test_what_grows_keeps_the_size_of_its_start():
    """Of x = exp(t) its start counts, of y, which outgrows all that was there, its 0; of z = 1 - exp(-t) the largest size."""
    run, y, p = made(rates({"x": (1.0, "x"), "y": (0.0, "1e-9 + y"), "z": (0.0, "1 - z")}), [50.0])
    scale = np.abs(y)
    run.measure(y, p, scale)
    np.testing.assert_allclose(scale[0], [1.0, 0.0, 1.0], rtol=1e-3)


def test_many_rows_are_the_same_on_any_number_of_threads(monkeypatch):
    run, y, p = made(rates(BUMP, {"k": 1.0}), [1.0, 3.0])
    rows = y * np.linspace(0.5, 2, 100)[:, None]
    numbers = np.repeat(p, 100, axis=0)
    found = []
    for count in (1, 3):
        monkeypatch.setattr("sciml.biology.simulation.run.thread_limit", lambda count=count: count)
        found.append(run.all(rows, numbers, np.abs(rows) + 1e-3)[0])
    np.testing.assert_array_equal(*found)
    t = np.array([1.0, 3.0])
    np.testing.assert_allclose(found[0][:, :, 1], rows[:, :1] * t * np.exp(-t), rtol=1e-6)


def test_too_many_steps_end_in_an_error():
    run, y, p = made(rates({"x": (1.0, "v"), "v": (0.0, "-x")}), [1e4], most=100)
    with pytest.raises(ConvergenceError, match="allows no step"):
        run.all(y, p, np.abs(y))


def test_rows_of_which_one_is_stiff():
    """The stiff method takes over for that row alone."""
    run, _, p = made(rates({"x": (0.0, "-k * (x - cos(time))")}, {"k": 1.0}), [2.0], "auto")
    numbers = np.repeat(p, 2, axis=0)
    place = run.system.parameters.index("k")
    numbers[:, place] = [1.0, 1e5]
    found, statistics = run.all(np.zeros((2, 1)), numbers, np.ones((2, 1)))
    k = numbers[:, place]
    particular = k * (k * np.cos(2.0) + np.sin(2.0)) / (k**2 + 1)
    np.testing.assert_allclose(found[:, 0, 0], particular - k**2 / (k**2 + 1) * np.exp(-k * 2.0), rtol=1e-6)
    assert statistics["steps"] < 1000
