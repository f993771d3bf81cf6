"""Tau-leaping: exact where numbers are small, within its stated errors where they are large, never below zero, totals kept.

Both leap_loop and leap_run are seen through it.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from sciml.biology.formula import as_expression
from sciml.biology.network import Event, Network
from sciml.biology.simulation import records
from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.biology.simulation.tau_leaping import TauRun, simulate_tau
from sciml.biology.simulation.trajectories import Ensemble
from sciml.errors import ConfigError, DataError
from tests.biology.simulation.small_networks import SMALL, birth_death, parse, z_scores

_N = 4000


def _leap() -> Network:
    """Case 07: a small pool that empties at once beside a large one."""
    reactions = [parse("R1", "A -> B", rate=30.0), parse("R2", "B -> C", rate=1.0), parse("R3", "X -> Y", rate=1.0)]
    return Network("leap", species={"A": 25, "B": 0, "C": 0, "X": 100_000, "Y": 0}, reactions=reactions)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_small_numbers_have_the_exact_law(name: str) -> None:
    """|z| <= 4.5 of means, variances and cumulative shares at three times."""
    network, times = SMALL[name](), [0.3, 1.0, 3.0]
    found = simulate_tau(network, times, n=_N, seed=1, fallback="never")
    scores = z_scores(found.counts, finite_state_projection(network, times, tolerance=1e-8))
    assert max(scores.values()) < 4.5, scores


def test_the_scores_see_a_wrong_law() -> None:
    """The twin: a process whose rates are 10 % off, and one that was cut back to what there is."""
    law = finite_state_projection(birth_death(10.0), [3.0], tolerance=1e-8)
    found = simulate_tau(birth_death(11.0), [3.0], n=_N, seed=1)
    assert z_scores(found.counts, law)["mean"] > 4.5
    cut = np.minimum(simulate_tau(birth_death(10.0), [3.0], n=_N, seed=1).counts, 15)
    assert z_scores(cut, law)["variance"] > 4.5


@pytest.mark.parametrize("fallback", ["auto", "never"])
def test_leaps_conserve_and_stay_above_zero(fallback: str) -> None:
    times = np.array([0, 0.05, 0.5, 2, 10_000])
    found = simulate_tau(_leap(), times, n=1000, seed=8, fallback=fallback)  # type: ignore[arg-type]
    a, b, c, x, y = np.moveaxis(found.counts, -1, 0)
    assert found.kernel == {"auto": "lanes32", "never": "leaps64"}[fallback]  # 200 reactions a step: leaps would be slower
    assert found.counts.min() == 0
    assert (a + b + c == 25).all()
    assert (x + y == 100_000).all()
    assert (c[:, -1] == 25).all()
    assert (x[:, -1] == 0).all()
    t = times[1:4]
    for values, total, share in (
        (a, 25, np.exp(-30 * t)), (c, 25, 1 - (30 * np.exp(-t) - np.exp(-30 * t)) / 29), (x, 1e5, np.exp(-t)),
    ):  # fmt: skip
        mean, sd = total * share, np.sqrt(total * share * (1 - share))
        assert (abs(values[:, 1:4].mean(axis=0) - mean) / sd < 0.05 + 4.5 / np.sqrt(1000)).all()
        large = mean > 10
        assert (abs(values[:, 1:4].std(axis=0) / sd - 1)[large] < 0.05 + 4.5 / np.sqrt(2000)).all()


def test_large_numbers_keep_mean_and_spread_in_a_stiff_balance() -> None:
    """At rest the drift vanishes and only the relaxation rate limits a leap."""
    times = [0.1, 1.0, 5.0]
    network = birth_death(1e6, 1.0, start=1e6)
    found, exact = simulate_tau(network, times, n=_N, seed=2), linear_noise(network, times)
    assert found.kernel == "leaps64"
    assert (abs(found.mean - exact.mean) / exact.std < 0.05 + 4.5 / np.sqrt(_N)).all()
    assert (abs(found.std / exact.std - 1) < 0.05 + 4.5 / np.sqrt(2 * _N)).all()


def test_dimers_among_many_molecules() -> None:
    reactions = [parse("bind", "2 X -> Y", rate=1e-4), parse("split", "Y -> 2 X", rate=0.4)]
    network, times = Network("dimers", species={"X": 9000, "Y": 0}, reactions=reactions), [0.2, 1.0]
    law = finite_state_projection(network, times, tolerance=1e-8)
    found = simulate_tau(network, times, n=2000, seed=2, fallback="never")
    assert (abs(found.mean - law.mean) / law.std < 0.05 + 4.5 / np.sqrt(2000)).all()
    assert (abs(found.std / law.std - 1) < 0.05 + 4.5 / np.sqrt(4000)).all()


def test_what_lacks_its_reactant_at_the_start_of_a_leap_waits() -> None:
    """X is made and lost beside a large pool: while there is none, no leap counts on losing what it will make."""
    reactions = [
        parse("in", "-> X", rate=2.0),
        parse("out", "X ->", rate=50.0),
        parse("a", "A -> B", rate=20.0),
        parse("b", "B -> A", rate=20.0),
    ]
    network = Network("rare", species={"X": 0, "A": 100_000, "B": 0}, reactions=reactions)
    found = simulate_tau(network, [3.0], n=1000, seed=4, fallback="never")
    assert found.counts.min() == 0
    x = found.counts[:, 0, 0]
    assert abs(x.mean() - 0.04) < 4.5 * np.sqrt(0.04 / 1000)


def test_where_leaps_do_not_pay_the_run_is_exact() -> None:
    found = simulate_tau(birth_death(), [5.0], n=100, seed=0)
    assert found.kernel == "lanes32"
    kick = Event("kick", as_expression("time > 3"), (("X", as_expression("0")),))
    assert simulate_tau(birth_death(1e6).with_(events=[kick]), [0.01], n=2, seed=0).kernel != "leaps64"


def test_bits_depend_on_seed_and_index_alone() -> None:
    def run(**options: int) -> Ensemble:
        return simulate_tau(_leap(), [0.1, 1.0], seed=5, fallback="never", **{"n": 200, **options})

    whole = run()
    np.testing.assert_array_equal(run(threads=1).states, whole.states)
    np.testing.assert_array_equal(run(n=7).states, whole.states[:7])
    assert (simulate_tau(_leap(), [0.1, 1.0], n=7, seed=6, fallback="never").states != whole.states[:7]).any()
    np.testing.assert_array_equal(simulate_tau(_leap(), [1.0, 0.1], n=7, seed=5, fallback="never").states, whole.states[:7, ::-1])


def test_parameters_may_differ_between_trajectories() -> None:
    k = np.array([1e5, 4e5] * 100)
    found = simulate_tau(birth_death(1e5), [30.0], n=200, seed=1, parameters={"k": k})
    assert (abs(found.mean.ravel()[0] - 2.5e5) < 0.01 * 2.5e5).all()
    assert (abs(found.amounts[:, 0, 0] - k) < 6 * np.sqrt(k)).all()


def test_pulses_are_felt() -> None:
    """A pulse of 0.01 between far times gives Poisson numbers."""
    law = as_expression("piecewise(1e7, time > 5 && time < 5.01, 0)")
    network = Network("pulse", species={"X": 0}, reactions=[parse("in", "-> X", law=law)])
    found = simulate_tau(network, [4.0, 20.0], n=1000, seed=3, fallback="never")
    assert (found.counts[:, 0] == 0).all()
    assert abs(found.mean[1, 0] - 1e5) < 4.5 * np.sqrt(1e5 / 1000)
    assert abs(found.std[1, 0] ** 2 / 1e5 - 1) < 4.5 * np.sqrt(2 / 1000)


@pytest.mark.parametrize("fallback", ["auto", "never"])
def test_ends_and_moments_are_those_of_the_grid(fallback: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the same seed, in any order of times, by parts and by threads."""
    times = [1.0, 0.1, 0.5]
    whole = simulate_tau(_leap(), times, n=300, seed=5, fallback=fallback)
    ends = simulate_tau(_leap(), times, n=300, seed=5, fallback=fallback, record="final")
    np.testing.assert_array_equal(ends.counts, whole.counts[:, :1])
    assert ends.times.tolist() == [1.0]
    monkeypatch.setattr(records, "_BLOCK_BYTES", 1)
    for threads in (1, 2):
        found = simulate_tau(_leap(), times, n=300, seed=5, fallback=fallback, record="moments", threads=threads)
        assert (found.n, found.kernel, found.species) == (300, whole.kernel, whole.species)
        np.testing.assert_allclose(found.mean, whole.amounts.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.std, whole.amounts.std(axis=0, ddof=1), rtol=1e-9, atol=1e-9)


def test_a_run_that_is_stopped_keeps_what_is_done() -> None:
    """Stopped after a second; each trajectory takes some ten milliseconds, so that not all of them can be done by then."""

    def interrupt(done: int, n: int) -> None:
        raise KeyboardInterrupt

    network = birth_death(1e6, start=1e6)
    some = simulate_tau(network, [100.0, 500.0], n=2000, seed=3, fallback="never", threads=1, progress=interrupt)
    assert 0 < len(some.counts) < 2000
    assert some.notes[-1] == f"stopped by the user after {len(some.counts)} of 2000 trajectories"
    again = simulate_tau(network, [100.0, 500.0], n=3, seed=3, fallback="never")
    np.testing.assert_array_equal(some.counts[:3], again.counts)


def test_memory_does_not_grow_with_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peaks of 64 and 64 x 32 trajectories in blocks of 64; the grid of the latter would be 32 times a block."""
    monkeypatch.setattr(records, "_BLOCK_BYTES", 1)
    times = np.linspace(0.01, 0.02, 400)
    block = 64 * len(times) * 5 * 8

    def peak(n: int) -> int:
        tracemalloc.start()
        simulate_tau(_leap(), times, n=n, seed=1, fallback="never", record="moments", threads=1)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(64)
    assert peak(64 * 32) < peak(64) + 2 * block


def test_the_pilot_of_a_run_without_end_ends() -> None:
    """Two molecules that change 1e13 times: after a limited number of steps it is known that leaps do not pay."""
    reactions = [parse("f", "A -> B", rate=1e6), parse("b", "B -> A", rate=1e6)]
    network = Network("busy", species={"A": 2, "B": 0}, reactions=reactions)
    run = TauRun(jump_model(network, "test"), np.array([1e7]), 0.03, 0, "test")
    assert not run.pays()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="epsilon"):
        simulate_tau(birth_death(), [1.0], epsilon=0.0)
    hungry = Network("hungry", species={"X": 1}, reactions=[parse("take", "X ->", law=1.0)])
    with pytest.raises(DataError, match=r"'take' is 1 at X = 0"):
        simulate_tau(hungry, [100.0], n=2, fallback="never")
