"""Networks as data: built, checked, varied, compared."""

from __future__ import annotations

import copy
import json
import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.expressions import number, symbol
from sciml.biology.network import Compartment, Event, Function, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.errors import ConfigError, DataError


def dimerisation() -> Network:
    return Network(
        "dimers",
        species={"A": 100, "B": 0},
        parameters={"k": 0.5, "kr": 0.25},
        reactions=[Reaction.parse("join", "2 A -> B", rate="k"), Reaction.parse("split", "B -> 2 A", law="kr * B")],
        initial_assignments={"B": "k * 4"},
    )


def test_the_builder_is_readable():
    net = dimerisation()
    assert repr(net) == "<Network 'dimers': 2 species, 2 reactions, 2 parameters>"
    assert net.compartments == (Compartment("cell"),)
    join = net.reactions[0]
    assert join.mass_action and join.reactants == (Participant("A", 2.0),) and join.law == symbol("k")
    assert not net.reactions[1].mass_action


def test_the_same_species_twice_counts_twice():
    assert Reaction.parse("r", "S + S -> P", rate=1.0) == Reaction.parse("r", "2 S -> P", rate=1.0)


def test_networks_compare_hash_and_pickle():
    net = dimerisation()
    assert net == dimerisation() and hash(net) == hash(dimerisation()) and net.digest == dimerisation().digest
    assert Network.from_dict(json.loads(json.dumps(net.to_dict()))) == net
    assert net.set(k=2.0) != net and net.set(k=2.0).digest != net.digest


def test_networks_are_plain_data_to_pickle():
    """Copying goes the way of pickle without reading one."""
    net = dimerisation()
    again = copy.deepcopy(net)
    assert net.digest and again == net and hash(again) == hash(net) and pickle.dumps(net)
    assert "digest" not in again.__getstate__()


def test_a_full_network_goes_through_json():
    net = Network(
        "full",
        species=[Species("S", 1.0, "c", initial_is_concentration=True, substance_only=False), Species("W", None, "c", boundary=True)],
        compartments=[Compartment("c", None, 2.0, constant=False)],
        parameters=[Parameter("p", math.inf), Parameter("q", math.nan, constant=False)],
        reactions=[Reaction("r", (Participant("S", number(2), "ref", False),), (), symbol("p"), local=(Parameter("p", 3.0),), line=7)],
        rules=[Rule("assignment", symbol("p") * 2, "q"), Rule("rate", number(1), "W"), Rule("algebraic", symbol("c") - 1)],
        events=[Event("e", symbol("q"), (("c", number(2)),), delay=number(1), priority=number(3), persistent=False)],
        functions=[Function("f", ("x",), symbol("x") * 2)],
        annotations=[("", "<notes/>")],
    )
    again = Network.from_dict(json.loads(json.dumps(net.to_dict())))
    assert again.digest == net.digest and again.annotations == net.annotations and again.reactions[0].line == 7
    assert math.isnan(again.parameters[1].value) and again.parameters[0].value == math.inf


def test_set_gives_a_variant_and_replaces_an_initial_assignment():
    net = dimerisation()
    changed = net.set(A=5, B=3)
    assert [s.initial for s in changed.species] == [5.0, 3.0] and changed.initial_assignments == ()
    assert net.set({"k": 2.0}).initial_assignments == net.initial_assignments
    assert [s.initial for s in net.species] == [100.0, 0.0]


@pytest.mark.parametrize(
    ("values", "message"), [({"kk": 1.0}, "did you mean 'k'"), ({"k": math.nan}, "finite"), ({"join": 1.0}, "no species")]
)
def test_set_refuses(values, message):
    with pytest.raises(ConfigError, match=message):
        dimerisation().set(values)


def test_what_a_rule_determines_cannot_be_set():
    net = dimerisation().with_(rules=[Rule("assignment", symbol("kr") * 2, "k")])
    with pytest.raises(ConfigError, match="assignment rule"):
        net.set(k=1.0)


def test_with_adds_replaces_and_leaves_out():
    net = dimerisation()
    assert [r.id for r in net.with_(without=["split"]).reactions] == ["join"]
    assert net.with_(reactions=[Reaction.parse("split", "B -> ", rate=1.0)]).reactions[1].products == ()
    assert net.with_(species={"C": 1.0}).species[2].id == "C"
    with pytest.raises(ConfigError, match="no element"):
        net.with_(without=["spilt"])
    with pytest.raises(DataError, match="reaction 'join' has 'A'"):
        net.with_(without=["A"])
    with pytest.raises(ConfigError, match="expected species"):
        net.with_(reaction=[])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"species": [Species("A"), Species("A")]}, "used twice"),
        ({"species": {"A": 1}, "parameters": {"A": 1.0}}, "used twice"),
        ({"species": [Species("A", compartment="x")]}, "lies in compartment 'x'"),
        ({"reactions": [Reaction.parse("r", "A -> B", rate=1.0)]}, "which is no species"),
        ({"species": {"A": 1}, "reactions": [Reaction.parse("r", "A -> ", law="kk*A")], "parameters": {"k": 1.0}}, "did you mean"),
        ({"rules": [Rule("assignment", symbol("missing"), "x")]}, "assignment rule of 'x' has 'missing'"),
        ({"functions": [Function("f", ("x",), symbol("y"))]}, "function 'f' has 'y'"),
    ],
)
def test_contradictions_are_refused(parts, message):
    with pytest.raises(DataError, match=message):
        Network("net", **parts)


@pytest.mark.parametrize("equation", ["A", "A <-> B", "A B -> C", "x A -> B", "A -> B C D", "1e400 A -> B", "0 A -> B"])
def test_equations_that_say_nothing(equation):
    with pytest.raises(ConfigError, match="reaction 'r'"):
        Reaction.parse("r", equation, rate=1.0)


def test_a_reaction_has_either_a_rate_or_a_law():
    with pytest.raises(ConfigError, match="either rate="):
        Reaction.parse("r", "A -> B")
    with pytest.raises(ConfigError, match="either rate="):
        Reaction.parse("r", "A -> B", rate=1.0, law="A")


@given(st.dictionaries(st.text("abcxyz", min_size=1, max_size=3), st.floats(0, 1e6), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_any_species_go_through_json(species):
    net = Network("n", species=species)
    assert Network.from_dict(json.loads(json.dumps(net.to_dict()))).digest == net.digest


def test_data_that_make_no_network():
    with pytest.raises(DataError):
        Network.from_dict({"id": "x", "nonsense": 1})
    with pytest.raises(DataError):
        Network.from_dict({"species": [{"initial": 1.0}]})
