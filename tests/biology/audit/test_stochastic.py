"""Each check of exact trajectories passes on the simulator and fails on a broken twin of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sciml.biology.audit import stochastic
from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.ssa import simulate_ssa
from tests.biology.audit.test_deterministic import NET, TIMES

N, SEED = 1000, 3


def verdicts(simulate=simulate_ssa, net=NET) -> dict[str, str]:
    return {row.name: row.verdict for row in stochastic.rows(net, TIMES, N, SEED, simulate)}


def changed(change):
    """A simulator whose counts are changed afterwards."""

    def simulate(net, times, **options):
        run = simulate_ssa(net, times, **options)
        counts = change(np.array(run.counts), options)
        return SimpleNamespace(counts=counts, amounts=counts.astype(float), species=run.species, kernel=run.kernel)

    return simulate


def test_the_simulator_passes():
    assert set(verdicts().values()) == {"pass"}


def drifting(counts, options):
    """Bits depend on the size of the batch."""
    counts[0, -1] += len(counts) % 2
    return counts


def alike(counts, options):
    counts[len(counts) // 2 :] = counts[: len(counts) - len(counts) // 2]
    return counts


def losing(counts, options):
    counts[5, -1, 0] -= 1
    return counts


def low(counts, options):
    counts[::3, 5:, 0] += 2  # 0.7 molecules in the mean
    counts[::3, 5:, 1] -= 1
    return counts


def doubled(counts, options):
    """Right for small systems, wrong for large ones."""
    return counts * 2 if counts[0, 0].sum() > 1000 else counts


def mirrored(counts, options):
    """Right means, variances four times too large."""
    return 2 * counts - np.round(counts.mean(axis=0)).astype(int)


@pytest.mark.parametrize(
    ("twin", "row"),
    [
        (drifting, "same seed, same bits"),
        (alike, "trajectories differ"),
        (losing, "conservation (stochastic)"),
        (low, "against the master equation"),
        (mirrored, "against the master equation"),
        (doubled, "against the deterministic limit"),
    ],
)
def test_a_broken_twin_fails(twin, row):
    assert verdicts(changed(twin))[row] == "fail"


def test_what_does_not_apply_is_said():
    net = Network("in", species={"A": 0.0}, parameters={"k": 20.0}, reactions=[Reaction.parse("r", " -> A", law="k")])
    found = {row.name: row for row in stochastic.rows(net, TIMES, 200, SEED)}
    assert found["conservation (stochastic)"].verdict == "not applicable"
    half = NET.with_(reactions=[Reaction.parse("join", "2.5 A -> B", rate="k")])
    (row,) = stochastic.rows(half, TIMES, N, SEED)
    assert row.verdict == "not applicable" and "join" in row.reason
