"""The Langevin equation (langevin_loop) against exact moments where numbers exceed ten; what it does at zero is named and measured."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.formula import as_expression
from sciml.biology.network import Event, Network, Parameter
from sciml.biology.simulation import records
from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.simulation.langevin import LangevinRun, simulate_langevin
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.errors import ConfigError, DataError
from tests.biology.simulation.small_networks import birth_death, dimerisation, extinction, parse

_N = 4000


@pytest.mark.parametrize(("k", "start"), [(50.0, 0.0), (200.0, 400.0), (1e6, 1e6)])
def test_birth_and_death(k: float, start: float) -> None:
    """Bias <= 0.05 sd and spread within 5 %, each beside 4.5 standard errors."""
    network, times = birth_death(k, 1.0, start), [0.3, 1.0, 5.0]
    found, exact = simulate_langevin(network, times, n=_N, seed=1), linear_noise(network, times)
    assert (abs(found.mean - exact.mean) / exact.std < 0.05 + 4.5 / np.sqrt(_N)).all()
    assert (abs(found.std / exact.std - 1) < 0.05 + 4.5 / np.sqrt(2 * _N)).all()


def test_dimers() -> None:
    reactions = [parse("bind", "2 X -> Y", rate=0.002), parse("split", "Y -> 2 X", rate=0.4)]
    network, times = Network("dimers", species={"X": 400, "Y": 0}, reactions=reactions), [0.2, 2.0]
    law = finite_state_projection(network, times)
    found = simulate_langevin(network, times, n=_N, seed=1)
    assert (abs(found.mean - law.mean) / law.std < 0.05 + 4.5 / np.sqrt(_N)).all()
    assert (abs(found.std / law.std - 1) < 0.05 + 4.5 / np.sqrt(2 * _N)).all()
    x, y = np.moveaxis(found.amounts, -1, 0)
    np.testing.assert_allclose(x + 2 * y, 400, rtol=1e-12)  # noise by reaction keeps totals


def test_zero_is_named_and_measured() -> None:
    free = simulate_langevin(extinction(), [30.0], n=300, seed=2)
    assert free.boundary == "free"
    assert free.time_at_zero.shape == (300, 1)
    assert 5 < free.time_at_zero.mean() < 30  # most have died out
    assert free.amounts.min() < 0
    reflected = simulate_langevin(dimerisation(), [5.0], n=300, seed=2, boundary="reflect")
    assert reflected.amounts.min() >= 0
    assert reflected.boundary == "reflect"


def test_amounts_are_real_and_there_are_no_counts() -> None:
    found = simulate_langevin(birth_death(start=20.5), [0.0, 1.0], n=10)
    assert (found.amounts[:, 0, 0] == 20.5).all()
    with pytest.raises(ConfigError, match="real numbers"):
        _ = found.counts


def test_bits_depend_on_seed_and_index_alone() -> None:
    whole = simulate_langevin(dimerisation(), [0.5, 1.0], n=100, seed=5)
    np.testing.assert_array_equal(simulate_langevin(dimerisation(), [0.5, 1.0], n=9, seed=5, threads=1).states, whole.states[:9])


def test_an_event_at_a_known_time_is_made() -> None:
    """Reset to 50 at time 5: an event that ends at the time asked for is seen after it."""
    event = Event("reset", as_expression("time >= 5"), (("X", as_expression("50")),))
    network = birth_death(10.0, 1.0, start=100.0).with_(events=[event])
    found = simulate_langevin(network, [1.0, 5.0, 6.0], n=_N, seed=3)
    assert (found.amounts[:, 1, 0] == 50).all()
    mean, variance = 10 + 40 * np.exp(-1), 10 * (1 - np.exp(-1)) + 50 * np.exp(-1) * (1 - np.exp(-1))
    assert abs(found.mean[2, 0] - mean) < (0.05 + 4.5 / np.sqrt(_N)) * np.sqrt(variance)
    assert abs(found.std[2, 0] / np.sqrt(variance) - 1) < 0.05 + 4.5 / np.sqrt(2 * _N)
    by_state = birth_death().with_(events=[Event("full", as_expression("X > 5"), (("X", as_expression("0")),))])
    with pytest.raises(ConfigError, match="event 'full'"):
        simulate_langevin(by_state, [1.0], n=2)


@pytest.mark.parametrize("event", [False, True])
def test_ends_and_moments_are_those_of_the_grid(event: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the same seed, with an event between the times, by parts and by threads."""
    dose = Event("dose", as_expression("time >= 0.7"), (("X", as_expression("X + 3")),))
    network, times = dimerisation().with_(events=[dose] if event else []), [1.0, 0.5, 2.0]
    whole = simulate_langevin(network, times, n=300, seed=5)
    ends = simulate_langevin(network, times, n=300, seed=5, record="final")
    np.testing.assert_array_equal(ends.amounts, whole.amounts[:, 2:])
    np.testing.assert_array_equal(ends.time_at_zero, whole.time_at_zero)
    monkeypatch.setattr(records, "_BLOCK_BYTES", 1)
    for threads in (1, 2):
        found = simulate_langevin(network, times, n=300, seed=5, record="moments", threads=threads)
        assert (found.n, found.kernel, found.notes) == (300, "langevin64", whole.notes)
        np.testing.assert_allclose(found.mean, whole.amounts.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.std, whole.amounts.std(axis=0, ddof=1), rtol=1e-12)


def test_a_run_that_is_stopped_keeps_what_is_done() -> None:
    def interrupt(done: int, n: int) -> None:
        raise KeyboardInterrupt

    network = birth_death(1e6, start=1e6)
    some = simulate_langevin(network, [100.0, 500.0], n=2000, seed=3, threads=1, progress=interrupt)
    assert 0 < len(some.amounts) < 2000
    assert some.time_at_zero.shape == (len(some.amounts), 1)
    assert some.notes[-1] == f"stopped by the user after {len(some.amounts)} of 2000 trajectories"
    np.testing.assert_array_equal(some.amounts[:3], simulate_langevin(network, [100.0, 500.0], n=3, seed=3).amounts)


def test_a_silent_reaction_keeps_its_mean_and_loses_its_noise() -> None:
    """Variance k / g of both reactions, half of it of each; |z| <= 4."""
    network = birth_death(400.0, start=400.0)
    for silent, variance in (((), 400.0), (("death",), 200.0), (("birth", "death"), 0.0)):
        x = simulate_langevin(network, [8.0], n=2000, seed=5, silent=silent).amounts[:, 0, 0]
        assert abs(x.mean() - 400) <= 4 * np.sqrt(variance / 2000) + 1e-6
        assert abs(x.var() - variance) <= 4 * variance * np.sqrt(2 / 2000) + 0.03 * variance + 1e-9
    with pytest.raises(ConfigError, match="silent: 'deth' is no reaction"):
        simulate_langevin(network, [1.0], silent=["deth"])


def test_long_times_at_zero_are_said() -> None:
    for record in ("grid", "moments"):
        found = simulate_langevin(extinction(), [30.0], n=300, seed=2, record=record)  # type: ignore[arg-type]
        assert "'X' is at zero or below for" in found.notes[-1]
    assert not [n for n in simulate_langevin(birth_death(100.0, start=100.0), [5.0], n=20).notes if "zero" in n]


def test_a_long_run_names_what_is_faster(caplog: pytest.LogCaptureFixture) -> None:
    """Few molecules: each step is less than a reaction. Many in fast balance: there the exact method is slower still."""
    for network, n, better in (
        (birth_death(10.0), 200_000, "simulate_ssa is exact"),
        (birth_death(1e9, start=1e9), 200_000, "linear_noise"),
    ):
        caplog.clear()
        run = LangevinRun(jump_model(network, "test", real=True), np.array([200.0]), 0.03, 0, "test")
        run.advise(n)
        assert better in caplog.text
        caplog.clear()
        run.advise(10)
        assert not caplog.records


def test_a_start_below_zero_is_refused_unless_a_run_left_it_there() -> None:
    with pytest.raises(DataError, match="'X' starts at -5 molecules"):
        simulate_langevin(birth_death(start=-5.0), [1.0], n=2)
    found = simulate_langevin(birth_death(1.0), [0.0], n=300, seed=1, start=20.0)
    assert found.amounts.min() < 0
    large = simulate_langevin(birth_death(0.0, start=1e17), [1.0], n=3, seed=1)  # beyond what is counted one by one
    np.testing.assert_allclose(large.amounts, 1e17 * np.exp(-1), rtol=1e-6)


def test_options_that_are_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="boundary"):
        simulate_langevin(birth_death(), [1.0], boundary="clip")  # type: ignore[arg-type]


def test_a_law_that_an_event_makes_negative_is_refused() -> None:
    wrong = Event("wrong", as_expression("time > 5"), (("k", as_expression("-0.05")),))
    parameters = [Parameter("k", 0.1, constant=False)]
    net = Network("shrinks", species={"X": 500}, parameters=parameters, reactions=[parse("r", "-> X", law="k * X")], events=[wrong])
    with pytest.raises(DataError, match=r"propensity of 'r' is -[0-9.]+ at X = .*expected a number >= 0"):
        simulate_langevin(net, [4.0, 6.0], n=20, seed=1)
