"""What all methods share about a run: records, room, answers, seen with a run whose trajectories are known numbers."""

from __future__ import annotations

import numpy as np

from sciml.biology.network import Network, Units
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.sampled_run import SampledRun
from tests.biology.simulation.small_networks import birth_death, parse


class Clock(SampledRun):
    """Every trajectory k is 100 k + the time of each record."""

    kernel = "clock"

    def block(self, first: int, out: np.ndarray, done: np.ndarray, signals: np.ndarray) -> None:
        out[:] = 100 * np.arange(first, first + len(out))[:, None, None] + self.times[self.skipped :, None]
        done[:] = 1
        signals[1] += len(out)


def filled(run: SampledRun, n: int) -> np.ndarray:
    states, done = run.room(n)
    run.block(0, states, done, np.zeros(2, dtype=np.int64))
    assert done.all()
    return states


def test_times_are_answered_in_the_order_asked() -> None:
    asked = np.array([2.0, 0.5, 2.0])
    run = Clock(in_molecules(birth_death(), 1, 0), asked, 7, final=False)
    states = filled(run, 3)
    assert states.shape == (3, 2, 1)
    np.testing.assert_array_equal(run.answered(states)[:, :, 0], [asked, 100 + asked, 200 + asked])
    last = Clock(in_molecules(birth_death(), 1, 0), asked, 7, final=True)
    np.testing.assert_array_equal(last.answered(filled(last, 3))[:, :, 0], [[2.0], [102.0], [202.0]])
    assert (last.asked == [2.0]).all() and (run.asked == asked).all()


def test_results_name_their_run_and_are_in_units_of_the_model() -> None:
    mole = Network("mole", species={"A": 1e-21}, reactions=[parse("d", "A ->", rate=1.0)], units=Units(substance="mole"))
    run = Clock(in_molecules(mole, 1, 0, initial="round"), np.array([3.0]), 7, final=False)
    found = run.ensemble(filled(run, 2), np.array([0, 1]), ("said",))
    np.testing.assert_allclose(found.amounts[:, 0, 0], np.array([3.0, 103.0]) / 6.02214076e23, rtol=1e-12)
    assert (found.kernel, found.seed, found.notes[-1]) == ("clock", 7, "said") and found.whole
