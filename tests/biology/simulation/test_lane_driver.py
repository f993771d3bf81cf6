"""Lanes are refilled, and what single precision cannot do is handed on with time, record and state."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.lanes import LARGEST_COUNT, STEPS, lane_program
from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.lane_driver import run_lanes
from sciml.biology.simulation.molecules import in_molecules

parse = Reaction.parse
TIMES = np.array([0.0, 0.5, 1.0])


def run(net: Network, n: int, first: int = 0, kept: int = 0):
    molecules = in_molecules(net, n, 0)
    jumps = molecules.jumps
    program = lane_program(jumps)
    p = list(molecules.parameters.T)
    single, double = (
        np.stack([np.broadcast_to(v, 1) for v in jumps.graph.evaluate(nodes, params=p)], axis=1) if nodes else np.zeros((1, 0))
        for nodes in (program.single, program.double)
    )
    states = molecules.start.shape[1]
    out, left = np.full((n, 3 - kept, states), -1), np.full((n, states + 2), np.nan)
    done, signals = np.zeros(n, dtype=np.uint8), np.zeros(2, dtype=np.int64)
    lost = run_lanes(program, 5, first, molecules.start, single.astype(np.float32), double, TIMES, kept, out, left, done, signals)
    return out, left, done, signals, lost


def test_trajectories_depend_on_their_index_alone():
    net = Network(species={"A": 50}, reactions=(parse("d", "A ->", rate=1.0),))
    out, left, done, signals, lost = run(net, 300)
    assert not lost and done.all() and signals[1] == 300 and np.isnan(left).all() and (out[:, 0] == 50).all() and out.min() >= 0
    later = run(net, 100, first=150)[0]
    assert (later == out[150:250]).all()
    assert (run(net, 300, kept=2)[0][:, 0] == out[:, 2]).all()


def test_large_counts_are_handed_on_when_they_come():
    net = Network(species={"A": LARGEST_COUNT - 10}, reactions=(parse("b", "-> A", rate=40.0),))
    _out, left, done, _, lost = run(net, 200)
    gone = done == 0
    assert lost and 0.9 < gone.mean() <= 1
    assert (left[gone, 2] > LARGEST_COUNT).all() and (left[gone, 2] <= LARGEST_COUNT + 2 * STEPS).all()
    t, record = left[gone, 0], left[gone, 1]
    assert ((t > 0) & (t < 1)).all() and (TIMES[record.astype(int)] > t).all() and (TIMES[record.astype(int) - 1] <= t).all()
    # the time after so many births is a sum of exponential times
    assert abs((t - (left[gone, 2] - (LARGEST_COUNT - 10)) / 40).mean()) < 4.5 * np.sqrt(26 / 40**2 / gone.sum()) + 0.02


def test_states_without_a_propensity_are_handed_on_at_once():
    net = Network(species={"A": 3, "B": 0}, reactions=(parse("r", "A -> B", law="A / (1 - B)^2"),))
    _, left, done, _, lost = run(net, 64)
    assert lost and not done[left[:, 3] == 1].any() and (left[~np.isnan(left[:, 0]), 3] == 1).all()


def test_stopped_runs_end():
    net = Network(species={"A": 50}, reactions=(parse("d", "A ->", rate=1.0),))
    molecules = in_molecules(net, 10, 0)
    program = lane_program(molecules.jumps)
    signals, done = np.array([1, 0]), np.zeros(10, dtype=np.uint8)
    single = np.ones((1, len(program.single)), dtype=np.float32)
    out, left = np.zeros((10, 3, 1), dtype=np.int64), np.full((10, 3), np.nan)
    assert not run_lanes(program, 5, 0, molecules.start, single, np.zeros((1, 0)), TIMES, 0, out, left, done, signals)
    assert not done.any()
