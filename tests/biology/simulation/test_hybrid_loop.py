"""The loop of the hybrid method, seen from outside: lanes are refilled, every trajectory comes to its end, steps end where they should."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.hybrid_lanes import MOST_EVENTS
from tests.biology.simulation.hybrid_runs import prepared
from tests.biology.simulation.small_networks import birth_death


def test_more_trajectories_than_lanes_all_end_and_are_distinct() -> None:
    run = prepared(birth_death(1e5, 1.0, start=1e5), [0.1, 0.2])
    (out, done), signals = run.room(200), np.zeros(2, dtype=np.int64)
    counted = run.react(7, 0, out, done, signals)
    assert done.all() and signals[1] == 200
    assert len(np.unique(out[:, -1, 0])) > 100
    assert (counted[:, 1] == 0).all()  # nothing is scarce
    # two reactions of 1e5 a time unit for 0.2: Poisson
    assert abs(counted[:, 2].mean() - 4e4) < 4 * np.sqrt(4e4 / 200) + 50


def test_what_is_scarce_fires_one_by_one_and_is_looked_at_again() -> None:
    run = prepared(birth_death(100.0, 1.0, start=0.0), [10.0])
    out, done = run.room(50)
    steps, events, firings = run.react(7, 0, out, done, np.zeros(2, dtype=np.int64)).sum(axis=0)
    assert firings == 0
    assert steps <= events / MOST_EVENTS + 50  # the last step of each ends at the record
    assert abs(events - 50 * (1000 + 900 + np.exp(-10.0))) < 4.5 * np.sqrt(50 * 4 * 1900)


def test_a_run_that_is_stopped_leaves_the_rest_undone() -> None:
    run = prepared(birth_death(1e5, 1.0, start=1e5), [0.1])
    (out, done), signals = run.room(10), np.array([1, 0])
    run.block(0, out, done, signals)
    assert not done.any() and signals[1] == 0
