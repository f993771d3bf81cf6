"""Who determines what: the order of definitions, circles, contradictions, what algebraic rules are matched to."""

from __future__ import annotations

import pytest

from sciml.biology.expressions import number, symbol
from sciml.biology.formula import parse
from sciml.biology.kernels.symbols import Roles, Symbols, values_given
from sciml.biology.network import Compartment, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.errors import DataError


def ruled(*rules: tuple[str, str, str], **parameters: float) -> Network:
    """A network of parameters and rules (kind, variable, formula)."""
    return Network(
        "ruled",
        parameters=[Parameter(id, value, constant=False) for id, value in parameters.items()],
        rules=[Rule(kind, parse(formula), variable) for kind, variable, formula in rules],
    )


def test_definitions_come_before_what_uses_them():
    roles = Roles(ruled(("assignment", "a", "b + 1"), ("assignment", "b", "c * 2"), a=0, b=0, c=1))
    order = roles.order(at_start=False)
    assert order.index("c") < order.index("b") < order.index("a")


def test_a_chain_of_two_thousand_rules_needs_no_recursion():
    net = ruled(*(("assignment", f"x{i}", f"x{i + 1} * 1.5") for i in range(2000)), **{f"x{i}": 0 for i in range(2001)})
    symbols = Symbols(Roles(net))
    assert len(symbols.graph) < 2 * 2000 + 10


def test_a_circle_is_named():
    with pytest.raises(DataError, match=r"a -> b -> a: these define each other in a circle|b -> a -> b"):
        Symbols(Roles(ruled(("assignment", "a", "b"), ("assignment", "b", "a"), a=0, b=0)))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ((("assignment", "a", "1"), ("rate", "a", "1")), "another rule determines it too"),
        ((("assignment", "nothing", "1"),), "no species, compartment or parameter"),
        ((("algebraic", "", "c - 1"), ("algebraic", "", "c - 2")), "no variable left"),
    ],
)
def test_contradictions(rules, message):
    with pytest.raises(DataError, match=message):
        Roles(ruled(*rules, a=0, c=0))


def test_a_rule_on_what_reactions_change_is_refused():
    net = Network("n", species={"A": 1}, reactions=[Reaction.parse("r", "A -> ", rate=1.0)], rules=[Rule("rate", number(1), "A")])
    with pytest.raises(DataError, match="reaction 'r' changes it too"):
        Roles(net)


def test_algebraic_rules_are_matched_to_what_is_free():
    net = ruled(("algebraic", "", "a + b - 2"), ("algebraic", "", "a - c"), ("rate", "c", "1"), a=0, b=0, c=0)
    assert Roles(net).solved == {"b": 0, "a": 1}


def test_states_are_what_changes():
    net = Network(
        "n",
        species=[Species("A", 1.0), Species("B", 1.0, boundary=True), Species("C", 1.0, constant=True, boundary=True)],
        parameters={"k": 1.0},
        reactions=[Reaction.parse("r", "A + B -> C", law="k * A")],
    )
    assert Roles(net).states == ("A",)


def test_given_values_cover_everything_with_a_number():
    reaction = Reaction("r", (Participant("A", 2.0, "ref"),), (), symbol("q"), local=(Parameter("q", 3.0),))
    net = Network("n", species={"A": 1}, parameters={"k": 5.0}, compartments=[Compartment("cell", 2.0)], reactions=[reaction])
    assert values_given(net) == {"cell": 2.0, "A": 1.0, "k": 5.0, "r.q": 3.0, "ref": 2.0}
