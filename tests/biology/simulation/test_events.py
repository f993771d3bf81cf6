"""Events by the rules of SBML: each test has its answer by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.network import Compartment, Event, Network, Parameter, Rule, Species
from sciml.biology.simulation.ode import simulate_ode
from sciml.errors import DataError


def event(id, trigger, delay=None, priority=None, **rest):
    assignments = tuple((name, parse(formula)) for name, formula in rest.pop("set").items())
    parts = {"delay": delay and parse(delay), "priority": priority and parse(priority)}
    return Event(id, parse(trigger), assignments, **parts, **rest)


def run(events, times, values=None, rates=None, **options):
    rates = {"clock": "1", **(rates or {})}
    values = {"clock": 0.0, "n": 0.0, "m": 0.0, **(values or {})}
    net = Network(
        "events",
        parameters=[Parameter(id, v, constant=False) for id, v in values.items()],
        rules=[Rule("rate", parse(f), id) for id, f in rates.items()],
        events=events,
    )
    return simulate_ode(net, times, **options)


def test_a_trigger_fires_when_it_turns_true_only():
    found = run([event("e", "sin(clock) > 0.5", set={"n": "n + 1"})], [0, 1, 3, 7, 13, 20])
    assert found.select("n").tolist() == [0, 1, 1, 2, 2, 4]  # crossings at pi/6 + 2 pi k


@pytest.mark.parametrize("grid", [[20.0], np.linspace(0, 20, 7), np.linspace(0, 20, 4001)])
def test_what_fires_does_not_depend_on_the_grid(grid):
    """A dip of 0.02 between two crossings of one state."""
    found = run([event("e", "(clock - 7)^2 < 0.0001", set={"n": "n + 1", "m": "clock"})], grid)
    assert found.select("n")[-1] == 1
    assert found.select("m")[-1] == pytest.approx(6.99, rel=1e-9)


def test_initial_value_decides_at_time_zero():
    assert run([event("e", "clock >= 0", set={"n": "1"}, initial_value=False)], [0, 1]).select("n").tolist() == [1, 1]
    assert run([event("e", "clock >= 0", set={"n": "1"}, initial_value=True)], [0, 1]).select("n").tolist() == [0, 0]


def test_strict_and_weak_times():
    weak = run([event("e", "time >= 1", set={"n": "1"})], [0.999, 1.0, 1.001]).select("n").tolist()
    strict = run([event("e", "time > 1", set={"n": "1"})], [0.999, 1.0, 1.001]).select("n").tolist()
    assert (weak, strict) == ([0, 1, 1], [0, 0, 1])


def test_delay_and_values_at_trigger_time():
    for at_trigger, value in ((True, 2.0), (False, 5.0)):
        found = run([event("e", "clock >= 2", "3", set={"n": "clock"}, values_at_trigger=at_trigger)], [4.9, 5.1])
        np.testing.assert_allclose(found.select("n"), [0, value], rtol=1e-9)


def test_only_what_persists_survives_a_trigger_that_turns_false():
    """True from 1 to 2, delay 3."""
    for persistent, n in ((True, 1), (False, 0)):
        found = run([event("e", "clock >= 1 && clock < 2", "3", set={"n": "n + 1"}, persistent=persistent)], [10])
        assert found.select("n")[0] == n


def test_several_executions_of_one_event_wait_together():
    """Triggers at 0, 1, 2, 3; each waits for 2.5, the values from when it triggered or from when it is executed."""
    for at_trigger, n in ((False, [0, 2, 3, 4]), (True, [0, 1, 1, 2])):
        count = event("e", "sin(2 * pi * clock) > 0", "2.5", set={"n": "n + 1"}, values_at_trigger=at_trigger)
        assert run([count], [2.4, 3.6, 4.6, 5.6]).select("n").tolist() == n


def test_priority_comes_first_and_is_computed_again():
    events = [
        event("low", "clock >= 1", None, "1", set={"m": "10 * m + 1"}, values_at_trigger=False),
        event("high", "clock >= 1", None, "2", set={"m": "10 * m + 2"}, values_at_trigger=False),
    ]
    assert run(events, [2]).select("m")[0] == 21
    # the first execution turns the order of the other two round
    events = [
        event("a", "clock >= 1", None, "10", set={"n": "5"}, values_at_trigger=False),
        event("b", "clock >= 1", None, "n", set={"m": "10 * m + 1"}, values_at_trigger=False),
        event("c", "clock >= 1", None, "3", set={"m": "10 * m + 2"}, values_at_trigger=False),
    ]
    assert run(events, [2]).select("m")[0] == 12


def test_an_event_can_take_back_another_that_waits_at_the_same_time():
    events = [
        event("first", "clock >= 1 && n < 1", None, "2", set={"n": "1"}, persistent=False),
        event("second", "clock >= 1 && n < 1", None, "1", set={"m": "1"}, persistent=False),
    ]
    assert run(events, [2]).select("m")[0] == 0


def test_ties_are_drawn_and_the_seed_repeats_them():
    events = [event("x", "clock >= 1", None, "1", set={"m": "1"}), event("y", "clock >= 1", None, "1", set={"m": "2"})]
    last = [run(events, [2], seed=seed).select("m")[0] for seed in range(40)]
    assert 6 <= sum(v == 1 for v in last) <= 34  # binomial(40, 1/2): beyond 4.4 sd
    assert last[:5] == [run(events, [2], seed=seed).select("m")[0] for seed in range(5)]


def test_a_cascade_at_one_time():
    events = [event("a", "clock >= 1", set={"n": "1"}), event("b", "n > 0", set={"m": "m + 1"}), event("c", "m > 0", set={"n": "n + 5"})]
    found = run(events, [1.5])
    assert (found.select("n")[0], found.select("m")[0]) == (6, 1)


def test_all_right_hand_sides_before_any_assignment():
    found = run([event("swap", "clock >= 1", set={"n": "m", "m": "n"})], [2], {"n": 3.0, "m": 4.0})
    assert (found.select("n")[0], found.select("m")[0]) == (4, 3)


def test_a_compartment_and_a_concentration_in_one_event():
    """The volume after the assignment turns the new concentration into an amount; the other species keeps its amount."""
    net = Network(
        "volume",
        compartments=[Compartment("cell", 2.0, constant=False)],
        species=[Species(id, 3.0, initial_is_concentration=True, substance_only=False) for id in ("A", "B")],
        events=[event("e", "time >= 1", set={"cell": "4", "A": "5"})],
    )
    found = simulate_ode(net, [0.5, 1.5])
    np.testing.assert_allclose(found.amounts, [[6, 6], [20, 6]])
    np.testing.assert_allclose(found.concentrations, [[3, 3], [5, 1.5]])


def test_a_bouncing_ball_is_located():
    """Drop from 1 with g = 9.8, restitution 0.8: n-th contact at t0 (1 + 2 (0.8 + ... + 0.8^(n-1)))."""
    bounce = event("hit", "h < 0", set={"v": "-0.8 * v", "h": "0", "n": "n + 1", "m": "clock"})
    found = run([bounce], [2.0], {"h": 1.0, "v": 0.0}, {"h": "v", "v": "-9.8"})
    t0 = math.sqrt(2 / 9.8)
    contacts = [t0 * (1 + 2 * sum(0.8**i for i in range(1, n))) for n in range(1, 10)]
    expected = [c for c in contacts if c <= 2.0]
    assert found.select("n")[0] == len(expected)
    assert found.select("m")[0] == pytest.approx(expected[-1], rel=1e-7)


def test_events_without_end_and_negative_delays_are_refused():
    with pytest.raises(DataError, match="without end"):
        run([event("a", "n < 1", set={"n": "1"}, initial_value=False), event("b", "n > 0", set={"n": "0"})], [1])
    with pytest.raises(DataError, match="delay"):
        run([event("a", "clock > 1", "0 - 1", set={"n": "1"})], [2])
