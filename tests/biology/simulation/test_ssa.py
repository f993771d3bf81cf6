"""Exact simulation against the master equation, closed forms, and its own promises about bits. Allowed z: 4.5 (5 for the worst of many)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from sciml.biology import simulate_ssa
from sciml.biology.distributions import LogNormal
from sciml.biology.formula import as_expression
from sciml.biology.network import Compartment, Event, Network, Parameter, Reaction, Rule, Species, Unit, Units
from sciml.biology.simulation import exact_run
from sciml.errors import ConfigError, DataError
from sciml.resources import cache_folder
from tests.biology.simulation.master import exact_law, worst_z

parse = Reaction.parse


def network(species, *reactions, **more) -> Network:
    return Network(species=species, reactions=reactions, units=Units(substance="item"), **more)


@pytest.fixture(params=["lanes32", "scalar64"])
def kernel(request, monkeypatch) -> str:
    """Both arithmetics."""
    if request.param == "scalar64":
        monkeypatch.setattr(exact_run, "lane_program", lambda jumps: None)
    return request.param


SMALL = {
    "dimerisation": (
        network({"X": 9, "Y": 0}, parse("bind", "2 X -> Y", rate=0.1), parse("split", "Y -> 2 X", rate=0.4)),
        [(lambda x, y: 0.1 * x * (x - 1), (-2, 1)), (lambda x, y: 0.4 * y, (2, -1))],
    ),
    "three at once": (
        network({"X": 8, "Y": 0}, parse("bind", "3 X -> Y", rate=0.02), parse("split", "Y -> 3 X", rate=0.4)),
        [(lambda x, y: 0.02 * x * (x - 1) * (x - 2), (-3, 1)), (lambda x, y: 0.4 * y, (3, -1))],
    ),
    "autocatalysis": (
        network({"A": 2, "F": 12}, parse("c", "A + F -> 2 A", rate=0.05), parse("d", "A ->", rate=0.3), parse("s", "F -> A", rate=0.02)),
        [(lambda a, f: 0.05 * a * f, (1, -1)), (lambda a, f: 0.3 * a, (-1, 0)), (lambda a, f: 0.02 * f, (1, -1))],
    ),
    "extinction": (network({"X": 6}, parse("death", "X ->", rate=1.2)), [(lambda x: 1.2 * x, (-1,))]),
    "saturated": (
        network({"S": 10, "P": 0}, parse("turn", "S -> P", law="3 * S^2 / (4 + S^2)"), parse("back", "P -> S", law="0.5 * P / (1 + P)")),
        [(lambda s, p: 3 * s**2 / (4 + s**2), (-1, 1)), (lambda s, p: 0.5 * p / (1 + p), (1, -1))],
    ),
    "powers": (
        network({"S": 10, "P": 0}, parse("f", "S -> P", law="3 * S^2.5 / (4 + S^2.5)"), parse("b", "P -> S", law="exp(-0.2 * S) * P^0.7")),
        [(lambda s, p: 3 * s**2.5 / (4 + s**2.5), (-1, 1)), (lambda s, p: np.exp(-0.2 * s) * p**0.7, (1, -1))],
    ),
    "literal pairs": (
        network({"X": 8, "Y": 0}, parse("bind", "2 X -> Y", law="0.1 * X * (X - 1) / 2"), parse("split", "Y -> 2 X", law="0.4 * Y")),
        [(lambda x, y: 0.05 * x * (x - 1), (-2, 1)), (lambda x, y: 0.4 * y, (2, -1))],
    ),
    "net law": (
        network({"A": 10, "B": 0}, parse("r", "A -> B", law="0.7 * A - 0.3 * B")),
        [(lambda a, b: 0.7 * a, (-1, 1)), (lambda a, b: 0.3 * b, (1, -1))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_against_the_master_equation(name, kernel):
    net, channels = SMALL[name]
    start = tuple(int(s.initial) for s in net.species)
    ensemble = simulate_ssa(net, [0.3, 1.5], n=20_000, seed=11)
    assert ensemble.kernel == kernel
    for index, t in enumerate((0.3, 1.5)):
        assert worst_z(ensemble.counts[:, index], exact_law(start, channels, t)) < 5


def test_the_judge_sees_a_wrong_law():
    net, channels = SMALL["dimerisation"]
    counts = simulate_ssa(net, [1.5], n=20_000, seed=11).counts[:, 0]
    wrong = [(lambda x, y: 0.1 * x * x, (-2, 1)) if i == 0 else c for i, c in enumerate(channels)]
    wrong[0] = (lambda x, y: 0.105 * x * (x - 1), (-2, 1))
    assert worst_z(counts, exact_law((9, 0), wrong, 1.5)) > 5


def test_a_net_law_is_as_its_two_reactions():
    one = SMALL["net law"][0]
    two = network({"A": 10, "B": 0}, parse("f", "A -> B", law="0.7 * A"), parse("b", "B -> A", law="0.3 * B"))
    a, b = (simulate_ssa(net, [0.5, 2.0], n=500, seed=3) for net in (one, two))
    assert (a.counts == b.counts).all()
    assert any("forward and a backward" in note for note in a.notes)
    with pytest.raises(DataError, match="reaction 'r' has a negative rate, -1.5 near the start"):
        simulate_ssa(network({"A": 0, "B": 5}, parse("r", "A -> B", law="0.7 * A - 0.3 * B")), [2.0], n=3, split_reversible=False)


def test_sums_and_multiples_are_one():
    a = network({"X": 9, "Y": 0}, parse("bind", "X + X -> Y", rate=0.1))
    b = network({"X": 9, "Y": 0}, parse("bind", "2 X -> Y", rate=0.1))
    assert (simulate_ssa(a, [1.0], n=100).counts == simulate_ssa(b, [1.0], n=100).counts).all()


def test_a_literal_square_is_reported_and_converted_on_request():
    literal = network({"X": 21, "Y": 0}, parse("bind", "2 X -> Y", law="0.1 * X^2"))
    with pytest.raises(DataError, match=r"'bind' .*what it takes is not there"):
        simulate_ssa(literal, [50.0], n=200)  # at X = 1 the law is not zero
    note = simulate_ssa(literal, [0.01], n=2).notes
    assert any("'bind'" in line and "0.05 of" in line for line in note)  # 21 / 20 - 1
    converted = simulate_ssa(literal, [1.0], n=100, discrete_mass_action=True)
    declared = simulate_ssa(network({"X": 21, "Y": 0}, parse("bind", "2 X -> Y", rate=0.1)), [1.0], n=100)
    assert (converted.counts == declared.counts).all()


def test_laws_of_changing_sign_are_refused_all_at_once():
    bad = network(
        {"A": 5, "B": 5}, parse("wave", "A -> B", law="sin(A)"), parse("part", "A -> 0.5 B", law="A"), parse("fine", "B ->", law="B")
    )
    with pytest.raises(DataError) as error:
        simulate_ssa(bad, [1.0], n=2)
    assert "'wave'" in str(error.value) and "'part'" in str(error.value) and "'fine'" not in str(error.value)


@pytest.mark.parametrize(("law", "value"), [("A * sqrt(2.5 - B)", "nan"), ("A / (3 - B)^2", "inf"), ("A - 0.01 * A * A * B", "-")])
def test_propensities_that_are_no_number_name_reaction_state_and_time(kernel, law, value):
    net = network({"A": 50, "B": 0}, parse("r", "A -> B", law=law))
    with pytest.raises(DataError, match=rf"'r' at time [\d.e-]+ of trajectory \d+: its propensity is {value}.*A = \d+, B = "):
        simulate_ssa(net, [100.0], n=50, split_reversible=False)


def test_start_numbers_must_be_whole():
    net = network({"A": 28.999999999999996}, parse("d", "A ->", rate=1.0))
    assert (simulate_ssa(net, [0.0], n=3).counts == 29).all()
    half = network({"A": 2.25, "B": 3.5}, parse("d", "A ->", rate=1.0), parse("e", "B ->", rate=1.0))
    with pytest.raises(DataError, match=r"'A' at .*2\.25.*'B' at .*3\.5.*initial='round'"):
        simulate_ssa(half, [0.0], n=3)
    assert (simulate_ssa(half, [0.0], n=3, initial="round").counts[0, 0] == [2, 4]).all()
    drawn = simulate_ssa(half, [0.0], n=20_000, seed=1, initial="stochastic").counts[:, 0, 0]
    assert set(drawn) == {2, 3} and abs(drawn.mean() - 2.25) < 4.5 * np.sqrt(0.25 * 0.75 / 20_000)
    assert (simulate_ssa(half, [0.0], n=10, seed=1, initial="stochastic").counts[:, 0, 0] == drawn[:10]).all()


def test_level_two_models_must_say_what_they_count():
    net = Network(species={"A": 100}, reactions=(parse("d", "A ->", rate=1.0),), level=(2, 4))
    with pytest.raises(DataError, match="100 molecules if it is in items and 6.02214e"):
        simulate_ssa(net, [1.0], n=2)
    assert simulate_ssa(net, [0.0], n=1, substance="item").counts[0, 0, 0] == 100


def test_moles_and_litres():
    """k A B in M^-1 s^-1 in 1 fl: propensity k / (N V) A B, against the pure death chain of A = B."""
    n_a, volume, k = 6.02214076e23, 1e-15, 1e9
    molar = Units(substance="mole", volume="litre", extent="mole")
    species = [Species(id, 12 / n_a, "cell", substance_only=False) for id in "AB"] + [Species("C", 0.0, "cell")]
    for reaction in (parse("bind", "A + B -> C", rate="k"), parse("bind", "A + B -> C", law="cell * k * A * B")):
        net = Network(species=species, parameters={"k": k}, compartments={"cell": volume}, reactions=(reaction,), units=molar)
        counts = simulate_ssa(net, [0.4], n=20_000, seed=2).counts[:, 0, :1]
        law = exact_law((12,), [(lambda a: k / (n_a * volume) * a * a, (-1,))], 0.4)
        assert worst_z(counts, law) < 4.5
    nano = Units(substance="nmol", extent="nmol", definitions=(("nmol", (Unit("mole", scale=-9),)),))
    net = Network(species={"A": 1e-14}, reactions=(parse("d", "A ->", rate=1.0),), units=nano)
    with pytest.raises(DataError, match="not whole"):
        simulate_ssa(net, [0.0], n=1)
    assert simulate_ssa(net, [0.0], n=1, initial="round").counts[0, 0, 0] == 6


def test_bits_do_not_depend_on_batch_threads_or_record(kernel):
    net = SMALL["autocatalysis"][0]
    times = np.linspace(0, 2, 9)
    many = simulate_ssa(net, times, n=300, seed=4)
    for n, threads in ((1, 1), (64, 1), (65, 2), (200, 2)):
        assert (simulate_ssa(net, times, n=n, seed=4, threads=threads).counts == many.counts[:n]).all()
    assert (simulate_ssa(net, times, n=300, seed=4, record="final").counts[:, 0] == many.counts[:, -1]).all()
    moments = simulate_ssa(net, times, n=300, seed=4, record="moments")
    assert np.allclose(moments.mean, many.mean, rtol=1e-12) and np.allclose(moments.std, many.std, rtol=1e-12)
    assert not (simulate_ssa(net, times, n=300, seed=5).counts == many.counts).all()
    shuffled = simulate_ssa(net, times[[3, 8, 3, 0]], n=20, seed=4).counts
    assert (shuffled[:, 0] == shuffled[:, 2]).all() and (shuffled[:, 3] == [2, 12]).all()


def test_trajectories_are_distinct_and_equal_ends_are_by_chance():
    net = network({"M": 0, "P": 0}, parse("m", "-> M", rate=5.0), parse("p", "M -> M + P", rate=3.0), parse("d", "P ->", rate=0.5))
    counts = simulate_ssa(net, np.linspace(0, 5, 11), n=20_000, seed=9).counts
    assert len({row.tobytes() for row in counts}) == 20_000
    first, second = counts[:10_000, -1], counts[10_000:, -1]

    def frequencies(part):
        states, number = np.unique(part, axis=0, return_counts=True)
        return {tuple(s): c for s, c in zip(states.tolist(), number, strict=True)}

    a, b = frequencies(first), frequencies(second)
    across = sum(c * b.get(s, 0) for s, c in a.items()) / 1e8
    inside = sum(c * (c - 1) for c in a.values()) / (1e4 * (1e4 - 1))
    assert abs(inside - across) < 4 * np.sqrt(2 * across / 5e7 + 4 * across**1.5 / 1e4)


def test_absorbing_states():
    counts = simulate_ssa(network({"A": 5}, parse("d", "A ->", rate=1.0)), [0, 1, 1000], n=50_000, seed=1).counts[..., 0]
    p = np.exp(-1.0)
    assert (counts[:, 2] == 0).all() and abs(counts[:, 1].mean() - 5 * p) < 4.5 * np.sqrt(5 * p * (1 - p) / 50_000)


def test_clocks_do_not_drift_in_a_long_interval(kernel):
    n, rate = (64, 3e5) if kernel == "lanes32" else (8, 2e5)
    counts = simulate_ssa(network({"A": 0}, parse("b", "-> A", rate=rate)), [1.0], n=n, seed=2).counts[:, 0, 0]
    assert abs(counts.mean() - rate) < 4 * np.sqrt(rate / n)


def test_a_slow_counter_beside_a_futile_cycle(kernel):
    n, rate = (128, 2e5) if kernel == "lanes32" else (16, 1e5)
    net = network(
        {"A": 10, "B": 0, "C": 0},
        parse("f", "A -> B", rate=rate / 10),
        parse("r", "B -> A", rate=rate / 10),
        parse("c", "-> C", rate=1000.0),
    )
    counts = simulate_ssa(net, [1.0], n=n, seed=2).counts[:, 0, 2]
    assert abs(counts.mean() - 1000) < 4 * np.sqrt(1000 / n)


@pytest.mark.long
def test_clocks_and_counters_over_1e8_reactions_in_one_interval(kernel):
    """A Poisson process of 1e8 reactions (beyond 2^23 in double), and a counter of mean 1,000 beside a futile cycle with 1e8, 256
    trajectories of it, in one interval; the double kernel, 15 times slower, runs 16."""
    n = 256 if kernel == "lanes32" else 16
    births = simulate_ssa(network({"A": 0}, parse("b", "-> A", rate=1e6)), [100.0], n=8, seed=2).counts[:, 0, 0]
    assert abs(births.mean() - 1e8) < 4 * np.sqrt(1e8 / 8)
    cycle = (parse("f", "A -> B", rate=1e7), parse("r", "B -> A", rate=1e7))
    net = network({"A": 10, "B": 0, "C": 0}, *cycle, parse("c", "-> C", rate=1000.0))
    counts = simulate_ssa(net, [1.0], n=n, seed=2).counts[:, 0, 2]
    assert abs(counts.mean() - 1000) < 4 * np.sqrt(1000 / n)


@pytest.mark.long
def test_switching_at_1e_9_of_the_total():
    """One switch at 1e-9 of the total, last in the list: waiting times are exponential (KS)."""
    net = network(
        {"A": 10, "B": 0, "Off": 1, "On": 0},
        parse("f", "A -> B", rate=1e6),
        parse("r", "B -> A", rate=1e6),
        parse("s", "Off -> On", rate=0.01),
    )
    times = np.linspace(0, 100, 4001)
    on = simulate_ssa(net, times, n=100, seed=3).counts[:, :, 3]
    waits = times[on.argmax(axis=1)][on[:, -1] == 1]
    assert kstest(waits, lambda t: (1 - np.exp(-0.01 * t)) / (1 - np.exp(-1.0))).pvalue > 1e-3
    assert abs(on[:, -1].mean() - (1 - np.exp(-1.0))) < 4.5 * np.sqrt(0.632 * 0.368 / 100)


@pytest.mark.long
def test_a_million_lanes_die_out():
    counts = simulate_ssa(network({"A": 5}, parse("d", "A ->", rate=1.0)), [1.0, 1000.0], n=1_000_000, seed=1).counts[..., 0]
    p = np.exp(-1.0)
    assert (counts[:, 1] == 0).all() and abs(counts[:, 0].mean() - 5 * p) < 4.5 * np.sqrt(5 * p * (1 - p) / 1e6)


def test_rare_reactions_come_when_they_should():
    """Switching at about 1e-7 of the total, put last so that a single precision sum would lose it: exponential waiting times."""
    net = network(
        {"A": 10, "B": 0, "Off": 1, "On": 0},
        parse("f", "A -> B", rate=3e5),
        parse("r", "B -> A", rate=3e5),
        parse("s", "Off -> On", rate=0.3),
    )
    times = np.linspace(0, 0.6, 1201)
    on = simulate_ssa(net, times, n=256, seed=3).counts[:, :, 3]
    waits = times[on.argmax(axis=1)][on[:, -1] == 1]
    # given that it happened before the end
    assert kstest(waits, lambda t: (1 - np.exp(-0.3 * t)) / (1 - np.exp(-0.18))).pvalue > 1e-3
    assert abs(on[:, -1].mean() - (1 - np.exp(-0.18))) < 4.5 * np.sqrt(0.165 * 0.835 / 256)


def test_large_counts_pass_to_double_by_their_own_state():
    large = 2.0**23
    net = network({"A": large - 50}, parse("b", "-> A", rate=100.0))
    ensemble = simulate_ssa(net, [0.25, 2.0], n=2000, seed=6)
    grown = ensemble.counts[..., 0] - (large - 50)
    assert ensemble.kernel == "lanes32+scalar64"
    assert abs(grown[:, 1].mean() - 200) < 4.5 * np.sqrt(200 / 2000) and abs(grown[:, 0].mean() - 25) < 4.5 * np.sqrt(25 / 2000)
    assert (simulate_ssa(net, [0.25, 2.0], n=7, seed=6).counts == ensemble.counts[:7]).all()
    huge = simulate_ssa(network({"A": 1e12}, parse("d", "A ->", rate=1e-10)), [1.0], n=500, seed=6)
    assert abs((1e12 - huge.counts).mean() - 100) < 4.5 * np.sqrt(100 / 500)


def test_variants_compile_nothing_again():
    net = network(
        {"A": 5, "B": 0}, parse("f", "A -> B", rate="k"), parse("b", "B -> A", law="q * B / (1.5 + B)"), parameters={"k": 1.0, "q": 2.0}
    )
    simulate_ssa(net, [0.1], n=1)
    files = sorted(p.name for p in cache_folder().rglob("*"))
    for value in np.linspace(0.5, 2.5, 20):
        simulate_ssa(net.set(k=value, q=3 * value, A=round(value)), [0.1], n=1)
    assert sorted(p.name for p in cache_folder().rglob("*")) == files


def test_a_value_for_each_trajectory():
    net = network({"A": 0}, parse("b", "-> A", rate="k"), parameters={"k": 1.0})
    k = np.repeat([2.0, 20.0], 5000)
    counts = (
        simulate_ssa(net, [1.0], n=10_000, seed=1, parameters={"k": k, "A": np.arange(10_000) % 3}).counts[:, 0, 0] - np.arange(10_000) % 3
    )
    assert abs(counts[:5000].mean() - 2) < 4.5 * np.sqrt(2 / 5000) and abs(counts[5000:].mean() - 20) < 4.5 * np.sqrt(20 / 5000)
    with pytest.raises(ConfigError, match="10 values, expected one for each of the 5"):
        simulate_ssa(net, [1.0], n=5, parameters={"k": np.ones(10)})


def test_other_species_are_there_too():
    net = Network(
        species=[Species("A", 3), Species("E", 4, boundary=True), Species("K", 5, constant=True), Species("Sum")],
        reactions=(parse("d", "A + E -> E", rate=0.5),), rules=(Rule("assignment", parse("x", "->", law="A + K").law, "Sum"),),
        units=Units(substance="item"),
    )  # fmt: skip
    ensemble = simulate_ssa(net, [0, 0.2], n=200, seed=1)
    assert ensemble.species == ("A", "E", "K", "Sum") and ensemble.counts.dtype == np.int64
    assert (ensemble.counts[..., 1] == 4).all() and (ensemble.counts[..., 3] == ensemble.counts[..., 0] + 5).all()


def test_ctrl_c_keeps_what_is_done():
    net = network({"A": 10, "B": 0}, parse("f", "A -> B", rate=1e5), parse("r", "B -> A", rate=1e5))

    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    ensemble = simulate_ssa(net, [0.5], n=4000, seed=1, threads=1, progress=stop)
    assert 0 < len(ensemble.counts) < 4000 and "stopped by the user" in ensemble.notes[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"record": "all"}, "record: found 'all'"),
        ({"n": 0}, "n: found 0"),
        ({"n": True}, "n: found True"),
        ({"seed": 2**64}, "seed: found 18446744073709551616"),
        ({"initial": "up"}, "initial: found 'up'"),
        ({"threads": 0}, "threads: found 0"),
        ({"start": 1.0, "before": {"Y": 0}}, "before: 'Y' is no parameter, species or compartment"),
        ({"before": {"X": 0}}, "before: found start='given'"),
        ({"store": 3}, "store: found 3"),
        ({"parameters": {"X": "many"}}, "parameters: 'X': found 'many'"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(ConfigError, match=words):
        simulate_ssa(SMALL["extinction"][0], [1.0], **{"n": 2, **options})


def test_time_in_a_law():
    """Birth at k (1 + sin w t): Poisson with mean k (t + (1 - cos w t) / w)."""
    k, w = 3.0, 5.0
    net = network({"A": 0}, parse("b", "-> A", law="k * (1 + sin(w * time))"), parameters={"k": k, "w": w})
    times = np.array([0.2, 1.0, 3.3])
    ensemble = simulate_ssa(net, times, n=4000, seed=8)
    mean = k * (times + (1 - np.cos(w * times)) / w)
    counts = ensemble.counts[..., 0]
    assert ensemble.kernel == "scalar64"
    assert (abs(counts.mean(axis=0) - mean) < 4.5 * np.sqrt(mean / 4000)).all()
    assert (abs(counts.var(axis=0) - mean) < 4.5 * np.sqrt((mean + 2 * mean**2) / 4000)).all()


def test_a_pulse_is_felt_whatever_the_records():
    """Birth only between t = 50 and t = 50.01, one record at the end."""
    net = network({"A": 0}, parse("b", "-> A", law="piecewise(1000, time >= 50 && time < 50.01, 0)"))
    counts = simulate_ssa(net, [200.0], n=1000, seed=1).counts[:, 0, 0]
    assert abs(counts.mean() - 10) < 4.5 * np.sqrt(10 / 1000)


def test_a_volume_that_grows():
    """A + A -> at k A (A - 1) / V with V = exp(g t): the exact law by the time s = (1 - exp(-g t)) / g."""
    k, g, t = 0.05, 0.7, 2.0
    net = Network(
        species={"A": 10}, compartments=[Compartment("cell", 1.0, constant=False)], parameters=[Parameter("g", g)],
        reactions=(parse("pair", "2 A ->", rate=k),), rules=(Rule("rate", parse("x", "->", law="g * cell").law, "cell"),),
        units=Units(substance="item"),
    )  # fmt: skip
    ensemble = simulate_ssa(net, [t], n=4000, seed=5)
    law = exact_law((10,), [(lambda a: k * a * (a - 1), (-2,))], (1 - np.exp(-g * t)) / g)
    assert worst_z(ensemble.counts[:, 0], law) < 4.5
    assert np.allclose(ensemble.select("cell"), np.exp(g * t), rtol=1e-7)


def event(id, trigger, assignments, **more) -> Event:
    def formula(text):
        return parse("x", "->", law=text).law

    return Event(id, formula(trigger), tuple((s, formula(v)) for s, v in assignments.items()), **more)


def test_a_timed_event_after_extinction():
    net = network({"A": 5}, parse("d", "A ->", rate=4.0), events=(event("again", "time >= 6", {"A": "40"}),))
    for times in ([6.25], [0, 3, 5.99999, 6, 6.25]):
        counts = simulate_ssa(net, times, n=2000, seed=5).counts[:, -1, 0]
        p = np.exp(-1.0)
        assert abs(counts.mean() - 40 * p) < 4.5 * np.sqrt(40 * p * (1 - p) / 2000)
    assert (simulate_ssa(net, [6.0], n=5).counts == 40).all()


def test_an_event_by_the_state():
    """Birth until 5, then all is cleared at once: a renewal process with gamma waiting times; never above 4."""
    net = network({"A": 0, "N": 0}, parse("b", "-> A", rate=2.0), events=(event("clear", "A >= 5", {"A": "0", "N": "N + 1"}),))
    counts = simulate_ssa(net, [0.7, 3.0], n=4000, seed=5).counts
    channels = [(lambda a, n: 2.0 if a < 4 else 0.0, (1, 0)), (lambda a, n: 2.0 if a == 4 else 0.0, (-4, 1))]

    def capped(a, n):
        return 2.0 if a < 4 and n < 9 else 0.0

    channels[0] = (capped, (1, 0))
    assert counts[..., 0].max() <= 4
    for index, t in enumerate((0.7, 3.0)):
        assert worst_z(counts[:, index], exact_law((0, 0), channels, t)) < 5


def test_delay_and_values_from_trigger_time():
    events = (
        event("late", "time >= 1", {"B": "A"}, delay=parse("x", "->", law="2").law),
        event("later", "time >= 1", {"C": "A"}, delay=parse("x", "->", law="2").law, values_at_trigger=False),
    )
    net = network([Species("A", 60), Species("B"), Species("C")], parse("d", "A ->", rate=1.0), events=events)
    counts = simulate_ssa(net, [1.0, 2.99, 3.0], n=300, seed=5).counts
    assert (counts[:, :2, 1:] == 0).all() and (counts[:, 2, 1] == counts[:, 0, 0]).all() and (counts[:, 2, 2] == counts[:, 2, 0]).all()


def test_an_event_that_leaves_parts_of_molecules():
    net = network({"A": 5}, parse("d", "A ->", rate=1e-9), events=(event("half", "time >= 1", {"A": "A / 2"}),))
    with pytest.raises(DataError, match="at time 1 an event sets 'A' to 2.5 molecules"):
        simulate_ssa(net, [2.0], n=1)
    assert simulate_ssa(net, [2.0], n=1, initial="round").counts[0, 0, 0] == 2


def test_a_chain_of_many_reactions():
    """2,000 steps A0 -> A1 -> ... at rate 1: the place after t = 50 is a Poisson number."""
    species = {f"A{i}": int(i == 0) for i in range(2001)}
    net = network(species, *(parse(f"r{i}", f"A{i} -> A{i + 1}", rate=1.0) for i in range(2000)))
    ensemble = simulate_ssa(net, [50.0], n=400, seed=1)
    place = ensemble.counts[:, 0].argmax(axis=1)
    assert ensemble.kernel == "scalar64" and (ensemble.counts[:, 0].sum(axis=1) == 1).all()
    assert abs(place.mean() - 50) < 4.5 * np.sqrt(50 / 400) and abs(place.var() - 50) < 4.5 * 50 * np.sqrt(2 / 400)


def births(**values: float) -> Network:
    """Birth at k L, death at g: Poisson of mean k L / g at rest."""
    return Network(
        "births",
        species={"A": 0},
        parameters={"k": 100.0, "g": 1.0, "L": 1.0} | values,
        reactions=[Reaction.parse("in", " -> A", law="k * L"), Reaction.parse("out", "A -> ", rate="g")],
    )


def test_cells_that_differ_and_a_run_before():
    """Variance 100 + 30^2 with a rate of cv 0.3; 50 e^-1 + 100 (1 - e^-1) one time unit after half the ligand; |z| <= 4.5."""
    cells = simulate_ssa(births(), [20.0], n=4000, seed=1, extrinsic={"k": LogNormal(cv=0.3)})
    assert abs(cells.mean.item() - 100) < 4.5 * np.sqrt(1000 / 4000)
    assert cells.std.item() ** 2 == pytest.approx(1000, rel=4.5 * np.sqrt(3 / 4000))
    dosed = simulate_ssa(births(), [0.0, 1.0], n=4000, seed=2, start=20.0, before={"L": 0.5}).mean.ravel()
    for mean, wanted in zip(dosed, (50.0, 100 - 50 / np.e), strict=True):
        assert abs(mean - wanted) < 4.5 * np.sqrt(wanted / 4000)
    rest = simulate_ssa(births(), [0.0], n=50, seed=3, start="steady_state")
    assert rest.counts.tolist() == [[[100]]] * 50


def test_a_budget_refuses_what_would_take_longer():
    with pytest.raises(ConfigError, match="beyond the budget of 0.001 s"):
        simulate_ssa(births(), [1e5], n=100_000, budget=1e-3)
    with pytest.raises(ConfigError, match="budget: found -1"):
        simulate_ssa(births(), [1.0], n=1, budget=-1)
    assert simulate_ssa(births(), [1.0], n=10, budget=100.0).counts.shape == (10, 1, 1)


@pytest.mark.parametrize("start", [0, 2, 4])
def test_pairs_end_at_none(start):
    """2 S -> D comes to rest at no S; S (S - 1) is -0.0 there."""
    net = Network("pairs", species={"S": start, "D": 0}, parameters={"k": 1.0}, reactions=[Reaction.parse("r", "2 S -> D", rate="k")])
    assert simulate_ssa(net, [100.0], n=70, seed=1).counts.tolist() == [[[0, start // 2]]] * 70


def test_negative_rate_constants_are_refused_before_the_run():
    with pytest.raises(DataError, match="the rate constant of reaction 'out' is negative"):
        simulate_ssa(births(g=-1.0), [1.0], n=2)
    with pytest.raises(DataError, match=r"reaction 'in' can be negative.*\(k is -5\)"):
        simulate_ssa(births(), [1.0], n=2, parameters={"k": np.array([-5.0, 20.0])})


def test_comparisons_that_are_not_linear_in_time():
    """Births at 10 while sin t > 1/2: Poisson of mean 41.888 up to time 10; an event at every rise of sin(100 t)."""
    net = births().with_(reactions=[Reaction.parse("in", " -> A", law="10 * piecewise(1, sin(time) > 0.5, 0)")], without=["out"])
    assert abs(simulate_ssa(net, [10.0], n=2000, seed=4).mean.item() - 41.8879) < 4.5 * np.sqrt(41.9 / 2000)
    event = Event("rise", as_expression("sin(100 * time) > 0.5"), (("A", as_expression("A + 1")),))
    rises = Network("rises", species={"A": 1}, events=[event])
    assert simulate_ssa(rises, [1.0, 3.0, 10.0], n=1).counts.ravel().tolist() == [17, 49, 161]
    assert simulate_ssa(rises, [0.0, 1.0, 3.0], n=1).counts.ravel().tolist() == [1, 17, 49]


def test_smooth_pulses_after_a_long_rest_are_felt():
    """Births at 5 exp(-(t - 50)^2): Poisson of mean 5 sqrt(pi); |z| <= 4.5."""
    pulse = births().with_(reactions=[Reaction.parse("in", " -> A", law="5 * exp(-(time - 50)^2)")], without=["out"])
    mean = 5 * np.sqrt(np.pi)
    assert abs(simulate_ssa(pulse, [100.0], n=300, seed=6).mean.item() - mean) < 4.5 * np.sqrt(mean / 300)


def test_a_part_of_a_net_law_that_nothing_guards_is_refused_before_the_run():
    net = network({"A": 2, "B": 0}, parse("r", "A -> B", law="A - 1"))
    with pytest.raises(DataError, match="the law of reaction 'r'.* goes on where 'B' is used up"):
        simulate_ssa(net, [0.01], n=1)


def test_an_odd_one_of_a_literal_square_names_the_option():
    net = network({"S": 3, "D": 0}, parse("r", "2 S -> D", law="S^2"))
    with pytest.raises(DataError, match="discrete_mass_action=True"):
        simulate_ssa(net, [1000.0], n=1)
    assert simulate_ssa(net, [1000.0], n=5, discrete_mass_action=True).counts[:, 0].tolist() == [[1, 1]] * 5
