"""The equations of networks against derivations by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.expressions import call, number, operation, symbol
from sciml.biology.formula import parse
from sciml.biology.kernels.system import System, compile_system
from sciml.biology.network import Compartment, Event, Function, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.errors import ConfigError, ConvergenceError, DataError


def slopes(system: System, y=None, parameters=None, time=0.0) -> dict[str, float]:
    """{state: dy/dt} at y (default: the start)."""
    start, p = system.begin(parameters)
    values = system.graph.evaluate(system.derivatives, states=list(start if y is None else y), params=list(p), time=time)
    return dict(zip(system.states, map(float, values), strict=True))


def values(system: System, *ids: str, y=None, time=0.0) -> list[float]:
    start, p = system.begin()
    found = system.graph.evaluate([system.values[id] for id in ids], states=list(start if y is None else y), params=list(p), time=time)
    return [float(v) for v in found]


def concentrations(**options) -> Network:
    """A -> B in a compartment of size 2, all concentrations."""
    species = [Species(id, c, "c", initial_is_concentration=True, substance_only=False) for id, c in (("A", 3.0), ("B", 0.0))]
    reaction = Reaction("r", (Participant("A"),), (Participant("B", 2.0),), parse("k * A * c"))
    parts = {"species": species, "compartments": [Compartment("c", 2.0)], "parameters": {"k": 0.5}, "reactions": [reaction]}
    return Network("n", **(parts | options))


def test_concentrations_stand_for_amounts_over_volumes():
    system = compile_system(concentrations())
    y, _ = system.begin()
    assert y.tolist() == [6.0, 0.0]
    assert slopes(system) == {"A": -0.5 * 3 * 2, "B": 2 * 0.5 * 3 * 2}
    assert values(system, "A", "r") == [3.0, 3.0]


def test_declared_mass_action_is_in_concentrations():
    """d[A]/dt = -k [A][B] in any volume (rate k V [A] [B])."""
    net = Network(
        "n",
        species={"A": 6, "B": 4, "C": 0},
        compartments=[Compartment("cell", 2.0)],
        parameters={"k": 0.5},
        reactions=[
            Reaction.parse("r", "A + B -> C", rate="k"),
            Reaction.parse("in", " -> C", rate="k"),
            Reaction.parse("two", "2 C -> ", rate=1),
        ],
    )
    system = compile_system(net)
    assert slopes(system, y=[6, 4, 8]) == {"A": -0.5 * 6 * 4 / 2, "B": -6.0, "C": 6.0 + 0.5 * 2 - 2 * 1 * 8 * 8 / 2}


def test_a_growing_compartment_dilutes():
    net = concentrations(
        compartments=[Compartment("c", 2.0, constant=False)],
        rules=[Rule("rate", number(0.25), "c")],
        parameters={"k": 0.5, "q": 0.0},
        reactions=[],
        species=[
            Species("A", 3.0, "c", initial_is_concentration=True, substance_only=False, boundary=True),
            Species("B", 1.0, "c", initial_is_concentration=True, substance_only=False),
        ],
    )
    net = net.with_(rules=[Rule("rate", number(0.25), "c"), Rule("rate", number(1.0), "A")])
    system = compile_system(net)
    assert slopes(system)["A"] == 1.0 * 2 + 3 * 0.25  # d(cV) = c' V + c V'
    assert values(system, "B", y=[6.0 if s == "A" else 4.0 for s in system.states]) == [0.5]  # the amount 2 stays, the volume is 4


def test_initial_assignments_follow_and_give_way():
    net = Network(
        "n",
        species={"A": 99},
        parameters={"D": 2.0, "p": 77.0, "k": 55.0},
        initial_assignments={"A": "p + 1", "p": "3 * D", "k": "p / 20"},
        reactions=[Reaction.parse("r", "A -> ", law="k * A")],
    )
    system = compile_system(net)
    assert system.begin()[0].tolist() == [7.0] and slopes(system) == {"A": -0.3 * 7}
    assert system.begin({"D": 4.0})[0].tolist() == [13.0]
    assert system.begin({"D": np.array([2.0, 4.0, 6.0])})[0].ravel().tolist() == [7.0, 13.0, 19.0]
    assert system.begin({"p": 10.0})[0].tolist() == [11.0]
    assert system.begin({"A": 5.0, "D": 4.0})[0].tolist() == [5.0]
    assert compile_system(net.set(A=5.0)).begin()[0].tolist() == [5.0]


def test_one_assignment_that_is_another_symbol_keeps_them_apart():
    net = Network(
        "n", species={"A": 0}, parameters={"D": 2.0}, initial_assignments={"A": "D"}, reactions=[Reaction.parse("r", "A -> ", law="D")]
    )
    system = compile_system(net)
    y, p = system.begin({"A": 9.0})
    assert y.tolist() == [9.0] and p[system.parameters.index("D")] == 2.0


def test_variants_have_one_graph():
    net = concentrations()
    a, b = compile_system(net), compile_system(net.set(k=7.25, c=3.5, A=0.125))
    assert (a.graph.ops, a.graph.args, a.graph.values, a.derivatives) == (b.graph.ops, b.graph.args, b.graph.values, b.derivatives)
    timed = [
        concentrations(events=[Event("e", parse(f"time > {at}"), (("k", number(1)),))], parameters=[Parameter("k", 1, False)])
        for at in (5, 6)
    ]
    a, b = (compile_system(net) for net in timed)
    assert a.graph.values == b.graph.values and not np.array_equal(a.begin()[1], b.begin()[1])


def test_local_parameters_hide_others():
    reaction = Reaction("r", (Participant("A"),), (), parse("k * A"), local=(Parameter("k", 4.0),))
    net = Network("n", species={"A": 1}, parameters={"k": 1.0}, reactions=[reaction])
    system = compile_system(net)
    assert slopes(system) == {"A": -4.0}
    assert slopes(system, parameters={"r.k": 2.0}) == {"A": -2.0} == slopes(system, parameters={"r.k": 2.0, "k": 9.0})


def test_conversion_factors_and_stoichiometry_by_rule():
    net = Network(
        "n",
        species=[Species("A", 0.0, conversion_factor="f"), Species("B", 0.0)],
        parameters=[Parameter("f", 3.0), Parameter("g", 5.0), Parameter("n2", None, constant=False)],
        conversion_factor="g",
        reactions=[Reaction("r", (), (Participant("A"), Participant("B", None, "n2ref", False)), number(2.0))],
        rules=[Rule("assignment", parse("time + 1"), "n2ref"), Rule("assignment", number(0), "n2")],
    )
    assert slopes(compile_system(net), time=3.0) == {"A": 2 * 3, "B": 2 * 5 * 4}


def test_rate_of_a_species_and_of_its_dilution():
    net = concentrations(
        parameters=[Parameter("k", 0.5), Parameter("z", 0.0, constant=False)], rules=[Rule("rate", parse("rateOf(A)"), "z")]
    )
    assert slopes(compile_system(net))["z"] == -3.0 / 2  # d[A]/dt = dA/dt / V


def test_an_algebraic_rule_is_solved():
    net = Network(
        "n",
        species={"A": 3, "B": 0},
        parameters=[Parameter("T", None, constant=False), Parameter("k", 1.0), Parameter("U", None, constant=False)],
        rules=[Rule("algebraic", parse("A + B - T + U")), Rule("algebraic", parse("2 * U - T"))],
        reactions=[Reaction.parse("r", "A -> B", law="k * A * T")],
    )
    system = compile_system(net)
    assert values(system, "T", "U") == [6.0, 3.0]  # T - U = 3, T = 2 U
    assert slopes(system) == {"A": -18.0, "B": 18.0}


def test_what_elimination_cannot_solve_moves_along():
    """x x = 1 + time: x(0) = 1 from a start of 2, dx/dt = 1 / (2 x)."""
    net = Network("n", parameters=[Parameter("x", 2.0, False)], rules=[Rule("algebraic", parse("x * x - 1 - time"))])
    system = compile_system(net)
    y, _ = system.begin()
    assert y.tolist() == [pytest.approx(1.0, rel=1e-12)] and slopes(system, y=[2.0], time=3.0) == {"x": 0.25}


def test_a_rule_that_nothing_can_meet():
    net = Network("n", parameters=[Parameter("x", 2.0, False)], rules=[Rule("algebraic", parse("x * x + 1"))])
    with pytest.raises(ConvergenceError, match="x are at rest"):
        compile_system(net).begin()
    with pytest.raises(DataError, match="do not determine 'x'"):
        compile_system(net.with_(rules=[Rule("algebraic", parse("floor(x) - 1"))]))


def test_fast_reactions_stay_at_their_equilibrium():
    """A <-> B fast with K = 2, B -> C slow: d(A + B)/dt = -k B and B = 2 A at all times."""
    net = Network(
        "n",
        species={"A": 10, "B": 0, "C": 0},
        parameters={"k": 0.5, "kf": 100.0, "kb": 50.0},
        reactions=[
            Reaction("f", (Participant("A"),), (Participant("B"),), parse("kf * A - kb * B"), fast=True),
            Reaction.parse("q", "B -> C", rate="k"),
        ],
    )
    system = compile_system(net)
    found = slopes(system, y=[2.0, 4.0, 0.0])
    assert found["C"] == 2.0 and found["A"] + found["B"] == pytest.approx(-2.0) and found["B"] == pytest.approx(2 * found["A"])
    assert system.begin()[0].tolist() == pytest.approx([10 / 3, 20 / 3, 0.0])


def test_a_fast_reaction_that_goes_to_completion():
    """A -> B fast: what B gives to A comes back at once, while the reaction is on."""
    net = Network(
        "n",
        species={"A": 4, "B": 2},
        parameters={"on": 1.0, "k": 0.5},
        reactions=[
            Reaction("f", (Participant("A"),), (Participant("B"),), parse("on * A"), fast=True),
            Reaction.parse("slow", "B -> A", rate="k"),
        ],
    )
    system = compile_system(net)
    assert system.begin()[0].tolist() == pytest.approx([0.0, 6.0])
    assert slopes(system) == {"A": 0.0, "B": 0.0}
    assert slopes(system, parameters={"on": 0.0}) == {"A": 1.0, "B": -1.0} and system.begin({"on": 0.0})[0].tolist() == [4.0, 2.0]


def test_events_carry_volumes_for_concentrations():
    event = Event("e", parse("A < 1 && time > 2"), (("A", number(3)), ("c", number(4))), delay=parse("k"))
    net = concentrations(events=[event], compartments=[Compartment("c", 2.0, constant=False)])
    system = compile_system(net)
    nodes = system.events[0]
    assert [(system.states[i], volume is not None) for i, _, volume in nodes.assignments] == [("A", True), ("c", False)]
    assert not system.timed(nodes) and nodes.delay is not None
    timed = compile_system(concentrations(events=[Event("e", parse("time > k * 2"), (("A", number(3)),))]))
    assert timed.timed(timed.events[0])


def test_an_event_on_what_a_rule_determines_is_refused():
    net = Network("n", parameters=[Parameter("x", 1, False)], rules=[Rule("assignment", number(2), "x")])
    with pytest.raises(DataError, match="determined by a rule"):
        compile_system(net.with_(events=[Event("e", parse("time > 1"), (("x", number(1)),))]))


def test_delays_are_shared():
    net = Network(
        "n",
        species={"A": 1.0, "B": 0.0},
        parameters={"tau": 2.0},
        reactions=[Reaction.parse("r", "A -> B", law="delay(A, tau) + delay(A, tau) * delay(B, 1)")],
    )
    system = compile_system(net)
    assert len(system.lags) == 2
    start, p = system.begin()
    found = system.graph.evaluate(system.derivatives, states=list(start), params=list(p), lags=[10.0, 3.0])
    assert [float(v) for v in found] == [-40.0, 40.0]


def test_nested_functions_and_long_chains_are_quick():
    functions = [Function("f0", ("x",), symbol("x") * 1.5)]
    functions += [
        Function(f"f{i}", ("x",), operation("plus", call(f"f{i - 1}", "x"), call(f"f{i - 1}", symbol("x") * 2))) for i in range(1, 31)
    ]
    net = Network("n", species={"A": 1.0}, functions=functions, reactions=[Reaction("r", (Participant("A"),), (), call("f30", "A"))])
    system = compile_system(net)
    assert len(system.graph) < 1000
    assert slopes(system) == {"A": pytest.approx(-1.5 * 3.0**30)}


def test_what_has_no_value_is_named():
    net = Network("n", species={"A": 1}, parameters=[Parameter("k")], reactions=[Reaction.parse("r", "A -> ", law="k * A")])
    with pytest.raises(DataError, match="'k' has no value at the start"):
        compile_system(net).begin()
    assert compile_system(net).begin({"k": 2.0})[1][-1] == 2.0
    nan = Network("n", species={"A": 1}, parameters={"k": math.nan}, reactions=[Reaction.parse("r", "A -> ", law="k * A")])
    assert math.isnan(compile_system(nan).begin()[1][-1])  # what is given is taken as it is
    unused = Network("n", species={"A": 1}, parameters=[Parameter("k")], reactions=[Reaction.parse("r", "A -> ", law="A")])
    compile_system(unused).begin()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kk": 1.0}, "did you mean 'k'"),
        ({"k": math.inf}, "finite"),
        ({"k": "2"}, "finite numbers"),
        ({"k": np.ones((2, 2))}, "one length"),
    ],
)
def test_parameters_that_cannot_be_meant(parameters, message):
    with pytest.raises(ConfigError, match=message):
        compile_system(concentrations()).begin(parameters)
