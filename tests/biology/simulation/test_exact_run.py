"""A block of an exact run: its shapes, what it answers, which arithmetic it names."""

from __future__ import annotations

import numpy as np

from sciml.biology.network import Network, Reaction, Units
from sciml.biology.simulation.exact_run import ExactRun
from sciml.biology.simulation.molecules import in_molecules


def prepared(asked: list[float], *, final: bool = False, k: float = 1.0) -> ExactRun:
    net = Network(species={"A": 40}, reactions=(Reaction.parse("d", "A ->", rate=k),), units=Units(substance="item"))
    return ExactRun(in_molecules(net, 70, 0), np.array(asked), 3, final=final, rounds=False, device="cpu")


def filled(run: ExactRun, first: int, count: int) -> np.ndarray:
    states, done = run.room(count)
    signals = np.zeros(2, dtype=np.int64)
    run.block(first, states, done, signals)
    assert done.all() and signals[1] == count
    return states


def test_times_are_answered_in_the_order_asked():
    run = prepared([2.0, 0.5, 2.0])
    states = filled(run, 0, 70)
    assert states.shape == (70, 2, 1) and states.dtype == np.int64
    answer = run.answered(states)
    assert (answer[:, 0] == states[:, 1]).all() and (answer[:, 1] == states[:, 0]).all() and (answer[:, 2] == states[:, 1]).all()
    last = prepared([2.0, 0.5, 2.0], final=True)
    assert (last.asked == [2.0]).all() and (last.answered(filled(last, 0, 70)) == answer[:, :1]).all()


def test_blocks_hold_the_same_trajectories():
    run = prepared([1.0])
    assert (filled(run, 30, 40) == filled(run, 0, 70)[30:]).all()


def test_the_kernel_is_named_by_what_the_model_needs():
    for k, kernel in ((1.0, "lanes32"), (1e-35, "scalar64")):  # 1e-35 is no number of single precision
        run = prepared([1.0], k=k)
        found = run.ensemble(filled(run, 0, 70), notes=("none",))
        assert found.kernel == kernel and found.counts.shape == (70, 1, 1) and found.notes[-1] == "none" and found.seed == 3
