"""Laws as text, and reactions that never fire: against long deterministic runs of random networks."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sciml.biology.expressions import number, operation
from sciml.biology.formula import parse
from sciml.biology.kernels.system import compile_system
from sciml.biology.network import Event, Function, Network, Participant, Reaction, Rule, Species
from sciml.biology.rates import dead_reactions, equation, law_text, unused
from sciml.biology.structure import start_amounts


def net_of(*reactions: Reaction, **parts) -> Network:
    species = parts.pop("species", {"A": 1, "B": 1, "C": 0, "D": 0})
    parameters = parts.pop("parameters", {"k": 1, "zero": 0})
    return Network(species=species, parameters=parameters, reactions=reactions, **parts)


def dead(net: Network) -> tuple[str, ...]:
    return dead_reactions(compile_system(net), start_amounts(net))


def test_equations_and_laws_as_text():
    r = Reaction.parse("r", "2 A + B -> C", rate="k + 1")
    assert (equation(r), law_text(r)) == ("2 A + B -> C", "(k + 1) * A^2 * B")
    assert equation(Reaction.parse("r", "-> C", rate=1)) == "0 -> C"
    varying = Reaction("r", (Participant("A", parse("k+1")),), (Participant("B", None, "n"),))
    assert (equation(varying), law_text(varying)) == ("(k + 1) A -> n B", "no law")
    long = Reaction.parse("r", "A -> ", law=" + ".join(["A"] * 100))
    assert law_text(long).endswith(" ...")
    assert len(law_text(long)) <= 120


@pytest.mark.parametrize(
    ("reactions", "expected"),
    [
        ([("a", "C -> D", "k"), ("b", "D -> A", "k")], ("a", "b")),
        ([("a", "C -> D", "k"), ("b", "A -> C", "k")], ()),
        ([("a", "A -> D", "zero"), ("b", "D -> A", "k")], ("a", "b")),
        ([("a", "B + C -> D", "k"), ("b", "A -> B", "k")], ("a",)),
    ],
)
def test_mass_action_never_fires_without_its_reactants(reactions, expected):
    assert dead(net_of(*(Reaction.parse(id, eq, rate=rate) for id, eq, rate in reactions))) == expected


def test_laws_that_keep_zero_and_those_that_do_not():
    laws = {"C*k/(1+C)": True, "k+C": False, "C^2 - D": True, "exp(C)": False, "piecewise(C, A > 2, D*A)": True, "max(C, D)": True,
            "k*C + A*D": True, "A*zero*time": True, "cos(C)": False, "C/D": False, "sqrt(C)": True, "f(C, A)": True}  # fmt: skip
    function = Function("f", ("x", "y"), parse("x*y"))
    for law, nothing in laws.items():
        r = Reaction("r", (), (Participant("A"),), parse(law, ["f"]))
        assert (dead(net_of(r, functions=[function])) == ("r",)) == nothing, law


def test_what_events_and_rules_bring_in_may_fire():
    r = Reaction.parse("r", "C -> D", rate="k")
    pulse = Event("e", parse("time > 1"), (("C", number(3)),))
    assert dead(net_of(r)) == ("r",)
    assert dead(net_of(r, events=[pulse])) == ()
    assert dead(net_of(r, rules=[Rule("rate", parse("k"), "D")], species=[Species("C", 0), Species("D", 0, boundary=True)])) == ("r",)
    back = Reaction.parse("r", "C -> A", law="C - k*A")
    assert dead(net_of(back, Reaction.parse("s", "C -> D", rate="k"))) == ()


@pytest.mark.parametrize("seed", range(20))
def test_random_networks(seed):
    """In mass action networks a reaction is dead where its rate is 0 after some generic steps, and only there."""
    rng = np.random.default_rng(seed)
    ids = [f"s{i}" for i in range(8)]
    reactions = []
    for r in range(10):
        left, right = (rng.choice(ids, rng.integers(1, 3), replace=False) for _ in range(2))
        reactions.append(Reaction.parse(f"r{r}", f"{' + '.join(left)} -> {' + '.join(right)}", rate=float(rng.uniform(1, 2))))
    net = Network(species={id: float(rng.integers(0, 2)) for id in ids}, reactions=reactions)
    present = {s.id for s in net.species if s.initial}
    for _ in range(10):
        present |= {p.species for r in net.reactions if {q.species for q in r.reactants} <= present for p in r.products}
    assert set(dead(net)) == {r.id for r in net.reactions if not {q.species for q in r.reactants} <= present}


def test_long_chains_are_quick():
    n = 4000
    species = {f"s{i}": 0.0 for i in range(n + 1)} | {"s0": 1.0}
    reactions = [Reaction.parse(f"r{i}", f"s{i} -> s{i + 1}", rate=1.0) for i in range(n)]
    net = Network(species=species, reactions=reactions)
    system, amounts = compile_system(net), start_amounts(net)
    begun = time.process_time()
    assert dead_reactions(system, amounts) == ()
    assert time.process_time() - begun < 2


def test_what_is_used_nowhere():
    law = operation("times", "k", "A")
    net = net_of(Reaction("r", (Participant("A"),), (Participant("C", None, "n"),), law), initial_assignments={"n": "two"},
                 parameters={"k": 1, "two": 2, "loose": 3})  # fmt: skip
    assert unused(net) == (("B", "D"), ("loose",))
    assert unused(net.with_(events=[Event("e", parse("B > loose"), (("D", number(1)),))])) == ((), ())
