"""Laws in words: each kind, ways to write it, and laws that are nearly of a kind."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.expressions import number
from sciml.biology.formula import parse
from sciml.biology.kernels.system import compile_system
from sciml.biology.law_forms import kind_of_law
from sciml.biology.network import Event, Function, Network, Parameter, Participant, Reaction


def net_of(*reactions: Reaction, **parts) -> Network:
    species = parts.pop("species", {"A": 1, "B": 1, "C": 0, "D": 0})
    parameters = parts.pop("parameters", {"k": 1, "zero": 0, "K": 2, "n": 3})
    return Network(species=species, parameters=parameters, reactions=reactions, **parts)


@pytest.mark.parametrize(
    ("reaction", "words"),
    [
        (Reaction.parse("r", "2 A + B -> C", rate="k"), "mass action, third order"),
        (Reaction.parse("r", "-> C", rate="k"), "mass action, zeroth order"),
        (Reaction.parse("r", "A + B -> C", law="k*A*B"), "form of mass action, second order"),
        (Reaction.parse("r", "2 A -> C", law="k*A^2/2"), "form of mass action, second order"),
        (Reaction.parse("r", "A -> C", law="(k+1)*A*B"), "form of mass action, second order, with B"),
        (Reaction.parse("r", "A -> C", law="k*A^2"), "a product of powers"),
        (Reaction.parse("r", "-> C", law="k"), "constant"),
        (Reaction.parse("r", "A -> C", law="k"), "constant, whatever there is"),
        (Reaction.parse("r", "A -> C", law="k*A - zero*C"), "forward minus backward"),
        (Reaction.parse("r", "A -> C", law="k*(A*B - zero*C)"), "forward minus backward"),
        (Reaction.parse("r", "A -> C", law="k*A/(1+A)"), "Michaelis-Menten in A"),
        (Reaction.parse("r", "A -> C", law="k*A/B"), "a law of A, B"),
        (Reaction.parse("r", "A -> C", law="k*A*time"), "a law of A"),
        (Reaction("r", (Participant("A"),)), "no law: it has no rate"),
    ],
)
def test_laws_in_words(reaction, words):
    assert kind_of_law(net_of(reaction), reaction) == words


def test_a_driven_constant_is_none():
    net = net_of(
        Reaction.parse("r", "A -> C", law="k*A"), parameters=[Parameter("k", 1, constant=False)],
        events=[Event("e", parse("time > 1"), (("k", number(2)),))],
    )  # fmt: skip
    assert kind_of_law(net, net.reactions[0]) == "a law of A"


FUNCTIONS = [Function("mm", ("s", "v", "m"), parse("v*s/(m + s)")), Function("hill", ("s", "m", "h"), parse("s^h/(m^h + s^h)"))]
MICHAELIS = ("k*A/(K + A)", "A*k/(A + K)", "k/(1 + K/A)", "k*(A/K)/(1 + A/K)", "mm(A, k, K)", "k*A/(K*2 + 3*A)", "k/2/(K + A)*A")
HILL = (
    "k*A^n/(K^n + A^n)",
    "k*(A/K)^n/(1 + (A/K)^n)",
    "hill(A, K, n)*k",
    "k*A^3/(K + A^3)",
    "k*A*A*A/(K + A^3)",
    "k*(2*A)^n/(K + (2*A)^n)",
)


@pytest.mark.parametrize(
    ("law", "words"),
    [
        *((law, "Michaelis-Menten in A") for law in MICHAELIS),
        *((law, "Hill of order 3 in A") for law in HILL),
        ("k/(K + B)", "inhibited by B"),
        ("k*K^n/(K^n + B^n)", "inhibited by B (Hill, order 3)"),
        ("k*A*B/(K + A)", "Michaelis-Menten in A, times B"),
        ("k*A/((K + A)*(1 + B/K))", "Michaelis-Menten in A, inhibited by B"),
        ("k*A^2/(K + A)", "a law of A"),
        ("k*A/(K + A + B)", "a law of A, B"),
        ("k*A/(A - K)", "a law of A"),
        ("k*A/(K + A)^2", "a law of A"),
        ("k*A/(time + A)", "a law of A"),
        ("k*(mm(A, 1, K) - mm(C, 1, K))", "forward minus backward"),
    ],
)
def test_saturating_laws_however_they_are_written(law, words):
    reaction = Reaction.parse("r", "A -> C", law=parse(law, ["mm", "hill"]))
    assert kind_of_law(net_of(reaction, functions=FUNCTIONS), reaction) == words


@pytest.mark.parametrize("law", [*MICHAELIS, *HILL])
def test_the_laws_of_these_tests_saturate(law):
    """So that the words above are true of them: proportional to A^n far below, level far above."""
    system = compile_system(net_of(Reaction.parse("r", "A -> C", law=parse(law, ["mm", "hill"])), functions=FUNCTIONS))
    y, p = system.begin()
    states = [np.array([1e-4, 2e-4, 1e6, 2e6]) if id == "A" else value for id, value in zip(system.states, y, strict=True)]
    rate = system.graph.evaluate([system.rates[0]], states=states, params=list(p))[0]
    order = 3 if law in HILL else 1
    np.testing.assert_allclose([rate[1] / rate[0], rate[3] / rate[2]], [2**order, 1], rtol=1e-3)


def test_an_exponent_that_an_event_changes_is_no_order():
    reaction = Reaction.parse("r", "A -> C", law="k*A^n/(K^n + A^n)")
    changed = [Event("e", parse("time > 1"), (("n", number(2)),))]
    parameters = [Parameter("k", 1), Parameter("K", 2), Parameter("n", 3, constant=False)]
    assert kind_of_law(net_of(reaction, events=changed, parameters=parameters), reaction) == "a law of A"
    assert kind_of_law(net_of(reaction, parameters=parameters), reaction) == "Hill of order 3 in A"


def test_functions_that_grow_when_written_out_are_left():
    nested = [Function("f0", ("x",), parse("x + x"))]
    nested += [Function(f"f{i}", ("x",), parse(f"f{i - 1}(x)*f{i - 1}(x)", [f"f{i - 1}"])) for i in range(1, 31)]
    reaction = Reaction.parse("r", "A -> C", law=parse("f30(A)", ["f30"]))
    assert kind_of_law(net_of(reaction, functions=nested), reaction) == "a law of A"
