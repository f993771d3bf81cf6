"""Parts of a network may be written with text, lists and any numbers; what is none of that is refused with id and field."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology import Compartment, Event, Function, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.biology.expressions import Expression
from sciml.biology.formula import parse
from sciml.biology.parts import formulas
from sciml.errors import ConfigError, DataError


def test_formulas_may_be_text_or_numbers():
    by_text = Event("e", "time > 5", {"A": "2*A", "B": 20}, delay=1, priority="k")
    by_hand = Event("e", parse("time > 5"), (("A", parse("2*A")), ("B", parse("20"))), delay=parse("1"), priority=parse("k"))
    assert by_text == by_hand
    assert Rule("assignment", "A + B", "s") == Rule("assignment", parse("A + B"), "s")
    assert Function("f", ["x"], "2*x") == Function("f", ("x",), parse("2*x"))
    assert Participant("A", "n").stoichiometry == parse("n")
    assert formulas([["A", 1], ("B", "k")]) == (("A", parse("1")), ("B", parse("k")))


def test_numbers_and_rows_become_plain_ones():
    a, b = Species("A", np.int64(3)), Species("A", 3)
    assert a == b
    assert type(a.initial) is float
    reaction = Reaction("r", [Participant("A", np.float32(2))], [], law="k*A", modifiers=[])
    assert reaction.reactants == (Participant("A", 2.0),)
    nets = [Network("n", species=[s], parameters={"k": np.float64(1)}, reactions=[reaction]) for s in (a, b)]
    assert nets[0].digest == nets[1].digest
    assert Network.from_dict(json.loads(json.dumps(nets[0].to_dict()))) == nets[1]
    assert isinstance(hash(nets[0]), int)


def test_an_event_by_text_acts_like_one_by_expressions():
    from sciml.biology import simulate_ode

    net = Network("n", species={"A": 1}, events=[Event("e", "time >= 2", {"A": "A + 4"})])
    assert simulate_ode(net, [1.0, 3.0]).select("A").tolist() == [1.0, 5.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Species(5), "Species: id: found 5, expected a text"),
        (lambda: Species("A", "many"), "Species 'A': initial: found 'many', expected a number or None"),
        (lambda: Species("A", boundary="no"), "Species 'A': boundary: found 'no', expected True or False"),
        (lambda: Parameter("k", True), "Parameter 'k': value: found True, expected a number or None"),
        (lambda: Compartment("c", dimensions=None), "Compartment 'c': dimensions: found None, expected a number"),
        (lambda: Reaction("r", ["A"]), "Reaction 'r': reactants: entry 0: found 'A', expected a Participant"),
        (lambda: Reaction("r", "A -> B"), "Reaction 'r': reactants: found 'A -> B', expected a list of Participants"),
        (lambda: Rule("sum", "A", "s"), "Rule: kind: found 'sum', expected 'assignment' or 'rate' or 'algebraic'"),
        (lambda: Event("e", None), "Event 'e': trigger: found None, expected an Expression"),
        (lambda: Event("e", "time > 1", {"A": None}), "Event 'e': assignments: entry 0: entry 1: found None, expected an Expression"),
        (lambda: Network("n", species=5), "Network 'n': species: found 5, expected a list of Species"),
        (lambda: Network("n", species="AB"), "Network 'n': species: found 'AB', expected a list of Species"),
        (lambda: Network("n", species={"A": "x"}), "Species 'A': initial: found 'x', expected a number or None"),
        (lambda: Network("n", reactions=["A -> B"]), "Network 'n': reactions: entry 0: found 'A -> B', expected a Reaction"),
    ],
)
def test_what_is_no_part_is_refused_by_id_and_field(make, message):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_a_formula_that_cannot_be_read_shows_the_place():
    with pytest.raises(DataError, match="formula 'time >': found the end|at character 7"):
        Event("e", "time >")
    assert isinstance(Event("e", "time > 1").trigger, Expression)
