"""Runs with events at known times: closed forms, the same bits for any n, and what is left to the double kernel. Allowed z: 4.5."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciml.biology import simulate_ssa
from sciml.biology.distributions import LogNormal
from sciml.biology.formula import as_expression
from sciml.biology.network import Compartment, Event, Network, Parameter, Reaction, Species, Units
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.stages import stages_of
from sciml.errors import DataError

parse = Reaction.parse


def event(id: str, trigger: str, assignments: dict[str, str], **more: Any) -> Event:
    return Event(id, as_expression(trigger), tuple((s, as_expression(v)) for s, v in assignments.items()), **more)


def births(*events: Event, **values: float) -> Network:
    """Birth at k, which events may change, death at 1."""
    return Network(
        "births", species={"A": 0}, parameters=[Parameter("k", values.get("k", 5.0), constant=False), Parameter("t1", 2.0)],
        reactions=(parse("b", "-> A", law="k"), parse("d", "A ->", rate=1.0)), events=events, units=Units(substance="item"),
    )  # fmt: skip


def test_a_rate_that_events_change_and_a_dose():
    """Poisson of mean 5 (1 - e^-2) at 2, then towards 20; 30 more at 3, each of which lives on with e^-(t - 3)."""
    net = births(event("more", "time >= t1", {"k": "20"}), event("dose", "time >= 3", {"A": "A + 30"}))
    times = np.array([1.0, 2.0, 2.5, 3.0, 4.0])
    found = simulate_ssa(net, times, n=20_000, seed=1)
    poisson = np.array([5 * (1 - np.exp(-1)), *(5 * (1 - np.exp(-2)) * np.exp(2 - t) + 20 * (1 - np.exp(2 - t)) for t in times[1:])])
    extra = np.array([0, 0, 0, 30, 30 * np.exp(-1)])
    mean, variance = poisson + extra, poisson + np.array([0, 0, 0, 0, 30 * np.exp(-1) * (1 - np.exp(-1))])
    counts = found.counts[..., 0]
    assert found.kernel == "lanes32" and found.counts.dtype == np.int64
    assert (abs(counts.mean(axis=0) - mean) < 4.5 * np.sqrt(variance / 20_000)).all()
    assert (abs(counts.var(axis=0) - variance) < 4.5 * np.sqrt((variance + 2 * variance**2) / 20_000)).all()
    assert (found.select("k")[:, [0, 1, 4]] == [5, 20, 20]).all()


def test_rates_that_events_change_hold_in_double_precision_too():
    """Beyond 2^23 molecules lanes give a trajectory to the double kernel: births at 1,000, from 5 on at 2,000."""
    births = Network(
        "many", species={"x": 8_388_000}, parameters=[Parameter("k", 1000.0, constant=False)], reactions=[parse("r", "-> x", law="k")],
        events=[event("more", "time >= 5", {"k": "2000"})], units=Units(substance="item"),
    )  # fmt: skip
    found = simulate_ssa(births, [4.0, 6.0], n=200, seed=1)
    grown = found.counts[:, :, 0] - 8_388_000
    assert found.kernel == "lanes32+scalar64"
    assert (abs(grown.mean(axis=0) - [4000, 7000]) < 4.5 * np.sqrt([4000 / 200, 7000 / 200])).all()
    assert (simulate_ssa(births, [4.0, 6.0], n=1, seed=1).counts[0] == found.counts[0]).all()


@pytest.mark.parametrize("n", [1, 5])
def test_what_an_event_makes_impossible_is_refused_for_any_number_of_trajectories(n):
    wrong = births(event("wrong", "time > 2", {"k": "-1"}))
    with pytest.raises(DataError, match="at time 2 of trajectory 0: its propensity is -1"):
        simulate_ssa(wrong, [1.0, 3.0], n=n, seed=1)


def test_bits_do_not_depend_on_batch_threads_or_record(tmp_path):
    net = births(event("more", "time >= 2", {"k": "20"}), event("dose", "rem(time, 1) >= 0.5", {"A": "A + 3"}))
    times = [0.0, 0.5, 1.5, 2.0, 7.3]
    many = simulate_ssa(net, times, n=300, seed=4)
    for n, threads in ((1, 1), (64, 1), (65, 2), (200, 2)):
        assert (simulate_ssa(net, times, n=n, seed=4, threads=threads).counts == many.counts[:n]).all()
    assert (simulate_ssa(net, times, n=300, seed=4, record="final").counts[:, 0] == many.counts[:, -1]).all()
    assert np.allclose(simulate_ssa(net, times, n=300, seed=4, record="moments").mean, many.mean, rtol=1e-12)
    assert (simulate_ssa(net, times, n=300, seed=4, store=tmp_path / "a").counts == many.counts).all()
    assert not (simulate_ssa(net, times, n=300, seed=5).counts == many.counts).all()


@pytest.mark.parametrize(
    ("trigger", "wanted"), [("time >= 2", [0, 40, 40]), ("time > 2", [0, 0, 40]), ("time >= 0", [40] * 3), ("time > 0", [0, 40, 40])]
)
def test_what_a_record_at_the_time_of_an_event_shows(trigger, wanted):
    net = Network(
        species={"A": 0}, reactions=(parse("d", "A ->", rate=1e-12),), events=(event("e", trigger, {"A": "40"}, initial_value=False),)
    )
    found = simulate_ssa(net, [0.0, 2.0, 3.0], n=3)
    assert found.kernel == "lanes32" and (found.counts[..., 0] == wanted).all()
    for index, t in enumerate((0.0, 2.0, 3.0)):
        assert (simulate_ssa(net, [t], n=3).counts[..., 0] == wanted[index]).all()


def test_events_at_one_time():
    apart = births(event("a", "time >= 2", {"A": "100"}), event("b", "time >= 2", {"k": "0"}))
    found = simulate_ssa(apart, [2.0, 50.0], n=50)
    assert found.kernel == "lanes32" and found.counts[..., 0].tolist() == [[100, 0]] * 50
    tied = births(event("a", "time >= 2", {"A": "100"}), event("b", "time >= 2", {"A": "7"}))
    found = simulate_ssa(tied, [2.0], n=200)
    assert found.kernel == "scalar64" and set(found.counts.ravel()) == {7, 100}


def test_cells_that_differ():
    """A trajectory is the same whatever others are run with it: what its own event times would decide is left to the double kernel."""
    net = births(event("more", "time >= t1", {"A": "A + 10"}))
    options: dict[str, Any] = {"seed": 3, "extrinsic": {"t1": LogNormal(cv=0.3)}}
    many, one = (simulate_ssa(net, [1.9, 4.0], n=n, **options) for n in (40, 1))
    assert many.kernel == one.kernel == "scalar64" and (many.counts[:1] == one.counts).all()
    net, options = births(event("more", "time >= 2", {"A": "A + 10"})), {"seed": 3, "extrinsic": {"k": LogNormal(cv=0.3)}}
    many, one = (simulate_ssa(net, [1.9, 4.0], n=n, **options) for n in (40, 1))
    assert many.kernel == one.kernel == "lanes32" and (many.counts[:1] == one.counts).all()


def test_volumes_and_counts_that_double_precision_takes():
    species = [Species("A", 1.0, "cell", substance_only=False), Species("B", 0)]
    net = Network(
        species=species, compartments=[Compartment("cell", 10.0, constant=False)], units=Units(substance="item"),
        reactions=(parse("b", "-> B", law="100 * A"),), events=(event("grow", "time >= 1", {"cell": "2 * cell", "A": "3"}),),
    )  # fmt: skip
    found = simulate_ssa(net, [0.5, 1.0, 2.0], n=500, seed=1)
    assert (found.select("cell") == [10, 20, 20]).all() and (found.counts[..., 0] == [1, 60, 60]).all()
    grown = found.counts[:, 2, 1] - found.counts[:, 1, 1]
    assert abs(grown.mean() - 300) < 4.5 * np.sqrt(300 / 500)
    large = births(event("flood", "time >= 1", {"A": "2^24"}))
    found = simulate_ssa(large, [1.0, 1.02], n=10, seed=1)
    assert found.kernel == "lanes32+scalar64" and (found.counts[:, 0] == 2**24).all()
    p = np.exp(-0.02)
    assert abs(found.counts[:, 1].mean() - 2**24 * p - 5 * (1 - p)) < 4.5 * np.sqrt(2**24 * p * (1 - p) / 10)


def test_parts_of_molecules():
    net = births(event("half", "time >= 1", {"A": "A / 2 + 0.25"}))
    with pytest.raises(DataError, match=r"at time 1 an event sets 'A' to .*\.[27]5 molecules, expected a whole number"):
        simulate_ssa(net, [2.0], n=5)
    assert simulate_ssa(net, [2.0], n=5, initial="round").kernel == "lanes32"
    with pytest.raises(DataError, match="sets 'A' to -5 molecules"):
        simulate_ssa(births(event("less", "time >= 1", {"A": "0 - 5"})), [2.0], n=5, initial="round")


def test_what_is_stopped_between_events_is_not_done():
    molecules = in_molecules(births(event("e", "time >= 0.2", {"A": "A + 1"})), 70, 0)
    stages = stages_of(molecules, np.array([0.5]), 3, False)
    assert stages is not None and len(stages.stages) == 2
    for stop, done_of_it in ((1, 0), (0, 70)):
        out, done, signals = np.zeros((70, 1, 1)), np.zeros(70, dtype=np.uint8), np.array([stop, 0])
        stages.run(0, molecules.start, molecules.parameters, 0, out, done, signals)
        assert done.sum() == signals[1] == done_of_it
