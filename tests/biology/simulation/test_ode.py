"""Deterministic runs against closed forms, scipy and what SBML says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.kernels.compiled import system_of
from sciml.biology.network import Compartment, Event, Network, Parameter, Reaction, Rule, Species
from sciml.biology.simulation.ode import simulate_ode
from sciml.errors import ConfigError, DataError, SciMLError
from tests.biology.simulation.rate_rules import rates


def decay(**options):
    return Network(
        "decay", species={"A": 1.0, "B": 0.0}, reactions=[Reaction.parse("r", "A -> B", rate="k")], parameters={"k": 1.5}, **options
    )


@pytest.mark.parametrize("method", ["auto", "explicit", "stiff", "scipy"])
def test_decay_by_every_method(method):
    times = np.linspace(0, 4, 9)
    found = simulate_ode(decay(), times, method=method).amounts
    np.testing.assert_allclose(found[:, 0], np.exp(-1.5 * times), rtol=1e-7)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("method", ["explicit", "stiff"])
def test_order_of_step_and_of_dense_output(method):
    """x' = x cos t: between the steps too the error falls as the tolerance does."""
    net, times = rates({"x": (1.0, "x * cos(time)")}), np.linspace(0, 10, 997)
    errors = [
        np.abs(simulate_ode(net, times, rtol=r, atol=r, method=method).select("x") - np.exp(np.sin(times))).max() for r in (1e-6, 1e-10)
    ]
    assert errors[0] < 2e-5 and errors[1] < 5e-9


def test_robertson_is_seen_to_be_stiff():
    reactions = [
        Reaction.parse("a", "A -> B", rate=0.04),
        Reaction.parse("b", "2 B -> B + C", law="3e7 * B^2"),
        Reaction.parse("c", "B + C -> A + C", law="1e4 * B * C"),
    ]
    net = Network("robertson", species={"A": 1.0, "B": 0.0, "C": 0.0}, reactions=reactions)
    found = simulate_ode(net, [0.4, 4, 40, 4000, 1e5])
    reference = [
        [9.8517212e-1, 3.3863954e-5, 1.4794023e-2],
        [9.0551868e-1, 2.2404756e-5, 9.4458916e-2],
        [7.1582707e-1, 9.1855348e-6, 2.8416375e-1],
    ]
    np.testing.assert_allclose(found.amounts[:3], reference, rtol=2e-6)  # Hairer and Wanner; Serban and Hindmarsh
    np.testing.assert_allclose(found.amounts[3], [1.8320206e-1, 8.942e-7, 8.1679704e-1], rtol=2e-3)
    np.testing.assert_allclose(found.amounts.sum(axis=1), 1.0, rtol=1e-10)
    assert found.statistics["steps"] < 1000


def test_times_in_any_order_single_and_repeated():
    whole = simulate_ode(decay(), [3.0, 0.0, 1.0, 3.0]).amounts
    np.testing.assert_array_equal(whole[0], whole[3])
    np.testing.assert_allclose(whole[:, 0], np.exp(-1.5 * np.array([3.0, 0.0, 1.0, 3.0])), rtol=1e-7)
    np.testing.assert_allclose(simulate_ode(decay(), 2.0).amounts[0, 0], math.exp(-3.0), rtol=1e-7)
    assert simulate_ode(decay(), 0.0).amounts.tolist() == [[1.0, 0.0]]


def test_a_batch_is_its_rows():
    k = np.linspace(0.1, 3, 70)
    batch = simulate_ode(decay(), [0, 1, 2], {"k": k})
    np.testing.assert_allclose(batch.amounts[:, :, 0], np.exp(-np.outer(k, [0, 1, 2])), rtol=1e-7)
    one = simulate_ode(decay(), [0, 1, 2], {"k": float(k[7])})
    np.testing.assert_array_equal(batch.amounts[7], one.amounts)


@pytest.mark.parametrize("unit", [1e-24, 1.0, 1e20])
def test_tolerance_follows_the_size_of_each_state(unit):
    """A + B -> C with all amounts in one tiny or huge unit; a long chain that starts at zero."""
    reactions = [Reaction.parse("bind", "A + B -> C", rate=1.0 / unit)]
    net = Network("bind", species={"A": unit, "B": unit, "C": 0.0}, reactions=reactions)
    np.testing.assert_allclose(simulate_ode(net, [1.0, 9.0]).amounts[:, 2] / unit, [0.5, 0.9], rtol=1e-7)
    chain = [Reaction.parse(f"r{i}", f"X{i} -> X{i + 1}", rate=1.0) for i in range(12)]
    net = Network("chain", species={"X0": unit, **{f"X{i}": 0.0 for i in range(1, 13)}}, reactions=chain)
    found = simulate_ode(net, [0.5, 20.0])
    for i in range(12):
        exact = [t**i * math.exp(-t) / math.factorial(i) for t in (0.5, 20.0)]
        largest = max(i**i * math.exp(-i) / math.factorial(i), 1e-3) if i else 1.0
        np.testing.assert_allclose(found.amounts[:, i] / unit, exact, rtol=1e-6, atol=1e-8 * largest)


@pytest.mark.parametrize("method", ["auto", "explicit", "stiff", "scipy"])
def test_growth_over_many_powers_of_ten_keeps_its_digits(method):
    """exp(t) over 43 powers of ten, and a seed of 1e-20 a time that outgrows all there was: errors at the start grow along."""
    one = simulate_ode(rates({"x": (1.0, "x")}), [1, 10, 100], method=method)
    np.testing.assert_allclose(one.select("x"), np.exp([1, 10, 100]), rtol=2e-6)
    seeded = simulate_ode(rates({"a": (1.0, "0 * a"), "b": (0.0, "1e-20 * a + b")}), [1, 10, 100], method=method)
    np.testing.assert_allclose(seeded.select("b"), 1e-20 * np.expm1([1, 10, 100]), rtol=2e-6)


def test_a_short_pulse_after_a_long_rest():
    net = rates({"S": (0.0, "piecewise(100, time > 1000 && time < 1000.01, 0) - 0.001 * S")})
    found = simulate_ode(net, [0, 500, 2000, 10000]).select("S")
    after = lambda t: 1e5 * (1 - math.exp(-1e-5)) * math.exp(-0.001 * (t - 1000.01))  # noqa: E731
    np.testing.assert_allclose(found, [0, 0, after(2000), after(10000)], rtol=1e-6)


def test_periodic_light_by_remainder_and_floor():
    """x' = 1 in the first 8 of each 24 hours."""
    for formula in ("piecewise(1, rem(time, 24) < 8, 0)", "piecewise(1, time - 24 * floor(time / 24) < 8, 0)"):
        found = simulate_ode(rates({"x": (0.0, formula)}), [8, 24, 28, 32, 240]).select("x")
        np.testing.assert_allclose(found, [8, 8, 12, 16, 80], rtol=1e-12)


def test_a_condition_on_a_state_is_located():
    """x' = 1 up to 1, then -2 x: the kink lies where x = 1, at t = 1."""
    net = rates({"x": (0.0, "piecewise(1, y < 0.5, -2 * x)"), "y": (0.0, "0.5")})
    found = simulate_ode(net, [0.5, 1.0, 2.0]).select("x")
    np.testing.assert_allclose(found, [0.5, 1.0, math.exp(-2)], rtol=1e-8)


def test_sliding_along_a_condition_ends():
    found = simulate_ode(rates({"x": (1.0, "piecewise(-1, x > 0, 1)")}), [0.5, 1.0, 3.0]).select("x")
    np.testing.assert_allclose(found, [0.5, 0.0, 0.0], atol=1e-3)


def test_variants_share_what_is_compiled():
    base = decay()
    system = system_of(base)
    assert system_of(base.set(k=7.0)).graph is system.graph
    assert system_of(base.set(A=2.0)).graph is system.graph
    np.testing.assert_allclose(simulate_ode(base.set(k=2.0, A=5.0), 1.0).amounts[0, 0], 5 * math.exp(-2.0), rtol=1e-7)


def test_growing_volume_dilutes():
    net = Network(
        "grow",
        compartments=[Compartment("cell", 1.0, constant=False)],
        species=[Species("A", 2.0, initial_is_concentration=True, substance_only=False)],
        rules=[Rule("rate", parse("0.5 * cell"), "cell")],
    )
    found = simulate_ode(net, [0.0, 2.0])
    np.testing.assert_allclose(found.concentrations[:, 0], [2.0, 2 * math.exp(-1.0)], rtol=1e-8)
    np.testing.assert_allclose(found.amounts[:, 0], [2.0, 2.0])


def test_nonlinear_algebraic_rule_is_held():
    """0 = z^3 + z - x with x' = -x."""
    net = Network(
        "implicit",
        parameters=[Parameter("x", 10.0, constant=False), Parameter("z", 2.0, constant=False)],
        rules=[Rule("rate", parse("-x"), "x"), Rule("algebraic", parse("z^3 + z - x"))],
    )
    found = simulate_ode(net, [0.0, 1.0, 5.0])
    z, x = found.select("z"), found.select("x")
    np.testing.assert_allclose(z**3 + z, x, rtol=1e-6)


def test_a_fast_reaction_is_at_rest():
    """A <-> B fast with B = 3 A, both drained through A at rate 1: total' = -total / 4."""
    net = Network(
        "fast",
        species={"A": 4.0, "B": 0.0},
        reactions=[Reaction.parse("f", "A -> B", law="3 * A - B"), Reaction.parse("out", "A -> ", rate=1.0)],
    )
    fast = [
        net.reactions[0].__class__(**{**{f: getattr(net.reactions[0], f) for f in net.reactions[0].__dataclass_fields__}, "fast": True})
    ]
    found = simulate_ode(net.with_(reactions=fast), [0.0, 4.0])
    total = 4 * np.exp(-np.array([0.0, 1.0]))
    np.testing.assert_allclose(found.amounts, np.stack([total / 4, 3 * total / 4], 1), rtol=1e-7)


@pytest.mark.parametrize(
    ("formula", "wanted"), [("1 / (x - 1)", "div"), ("ln(x - 1)", "ln"), ("k * x", "no value")], ids=["division", "logarithm", "missing"]
)
def test_what_is_not_finite_is_named(formula, wanted):
    net = rates({"x": (1.0, formula)}) if "k" not in formula else Network(
        "missing", parameters=[Parameter("x", 1.0, constant=False), Parameter("k")], rules=[Rule("rate", parse(formula), "x")]
    )  # fmt: skip
    with pytest.raises(DataError, match=wanted):
        simulate_ode(net, [0, 1])


def test_blow_up_is_told_with_state_and_time():
    with pytest.raises(SciMLError, match=r"time 1\b.*|time 0\.99.*'x'"):
        simulate_ode(rates({"x": (1.0, "x^2")}), [0, 2])


@pytest.mark.parametrize("wrong", [{"method": "euler"}, {"rtol": 2}, {"atol": -1.0}, {"atol": {"nobody": 1.0}}, {"parameters": {"q": 1.0}}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ConfigError):
        simulate_ode(decay(), [0, 1], **wrong)


def test_event_and_output_at_the_same_time():
    dose = Event("dose", parse("time >= 1"), (("A", parse("A + 10")),))
    found = simulate_ode(decay(events=[dose]), [0.5, 1.0, 2.0]).select("A")
    np.testing.assert_allclose(found, [math.exp(-0.75), math.exp(-1.5) + 10, (math.exp(-1.5) + 10) * math.exp(-1.5)], rtol=1e-7)


@pytest.mark.parametrize("method", ["explicit", "stiff"])
@pytest.mark.parametrize("times", [[2000.0], [100.0, 1999.0, 2000.0]])
def test_smooth_pulses_after_a_long_rest_are_felt(method, times):
    """x' = 1000 exp(-((t - 500) / 10)^2) from rest ends at 10,000 sqrt(pi), whatever the output times are."""
    net = rates({"x": (0.0, "1000 * exp(-((time - 500) / 10)^2)")})
    assert simulate_ode(net, times, method=method).select("x")[-1] == pytest.approx(10_000 * math.sqrt(math.pi), rel=1e-7)


def test_batches_of_unequal_length_are_refused():
    for parameters in ({"k": [0.1, 0.2], "A": [1.0, 2.0, 3.0]}, {"k": []}, 5):
        with pytest.raises(ConfigError, match="parameters: found"):
            simulate_ode(decay(), [1.0], parameters)
