"""What SBML's semantic test suite asks for, kind by kind: small models against closed forms, `t` being the times 0, 0.5, ... 5."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.sbml.parser import parse_sbml_text
from sciml.biology.sbml.read import network_from_record
from sciml.biology.simulation.ode import simulate_ode
from sciml.errors import DataError
from tests.end_to_end.sbml_elements import (
    assigned,
    comp,
    event,
    function,
    moving,
    par,
    reaction,
    species,
    start,
    text,
    var,
    zero,
)  # fmt: skip

T = np.linspace(0, 5, 11)
exp = np.exp


def at(time, before, after):
    """A jump just at `time`, which no output hits."""
    return np.where(time < T, after, before)


def simulated(document, companions=None):
    return simulate_ode(network_from_record("text", parse_sbml_text(document, companions)), T)


def holds(document, wanted, **options):
    """`wanted` {id: values}; "[S]" is the concentration of S, "S" its amount."""
    found = simulated(document, **options)
    for id, values in wanted.items():
        name = id.strip("[]")
        if name in found.species:
            kind = found.concentrations if id.startswith("[") else found.amounts
            column = kind[:, found.species.index(name)]
        else:
            column = found.select(name)
        np.testing.assert_allclose(column, np.broadcast_to(values, T.shape), rtol=1e-6, atol=1e-8, err_msg=id)


def kinds(table):
    """A test of a table {what it is: (elements, wanted)} or {...: (elements, wanted, attributes of the model)}."""
    return pytest.mark.parametrize("case", list(table.values()), ids=list(table))


def checked(case):
    elements, wanted, *head = case
    holds(text(*elements, head=head[0] if head else ""), wanted)


DELAYS = {
    "of time": ([var("a"), assigned("a", "delay(time, 1)")], {"a": T - 1}),
    "of a rule before 0": (
        [var("a"), var("b"), assigned("a", "2*time + 3"), assigned("b", "delay(a*time, 1)")],
        {"b": (2 * T + 1) * (T - 1)},
    ),
    "of a state": ([var("a", 1), var("b"), moving("a", "1"), assigned("b", "delay(a, 1)")], {"b": 1 + np.maximum(T - 1, 0)}),
    "of an initial assignment that moves before 0": (
        [var("a"), var("b"), start("a", "5 + 3*time"), moving("a", "1"), assigned("b", "delay(a, 1)")],
        {"a": 5 + T, "b": np.where(T < 1, 2 + 3 * T, 4 + T)},
    ),
    "of a constant with an initial assignment": (
        [par("a"), var("b"), start("a", "5 + 3*time"), assigned("b", "delay(a, 1)")],
        {"a": 5, "b": np.where(T < 1, 2 + 3 * T, 5)},
    ),
    "within initial assignments": (
        [var("a"), par("b"), par("c"), start("b", "delay(c, 2)"), start("c", "delay(a, 1)"), assigned("a", "2*time + 3")],
        {"b": -3, "c": 1},
    ),
    "of a delay": (
        [var("a"), var("b"), var("c"), assigned("a", "time"), assigned("b", "delay(a, 1)"), assigned("c", "delay(b, 1.5)")],
        {"c": T - 2.5},
    ),
    "by a function": (
        [function("f", "xy", "delay(x, y)"), var("a"), var("b"), assigned("a", "2*time"), assigned("b", "f(a, 1)")],
        {"b": 2 * T - 2},
    ),
    "of what an event sets at 0": (
        [
            var("a", 1),
            var("b"),
            var("c", 0),
            assigned("b", "delay(a, 1)"),
            moving("c", "delay(a, 1)"),
            event("time >= 0", {"a": "5"}, initial=False),
        ],
        {"a": 5, "b": np.where(T < 1, 1, 5), "c": np.where(T < 1, T, 5 * T - 4)},
    ),
    "of a jump in time": (
        [
            var("a"),
            var("b"),
            var("c", 0),
            assigned("a", "piecewise(1, time > 0.75, 0)"),
            assigned("b", "delay(a, 1)"),
            moving("c", "delay(a, 1)"),
        ],
        {"b": at(1.75, 0, 1), "c": np.maximum(T - 1.75, 0)},
    ),
    "of a concentration in a volume that grows": (
        [comp(varies=True), species("S", amount=2), var("b"), moving("C", "1"), assigned("b", "delay(S, 1)")],
        {"b": 2 / (1 + np.maximum(T - 1, 0))},
    ),
    "of a rate": (
        [var("a", 1), var("b"), moving("a", "-a/2"), assigned("b", "delay(rateOf(a), 1)")],
        {"b": -exp(-np.maximum(T - 1, 0) / 2) / 2},
    ),
    "in a law": ([comp(), species("S", 1), reaction("J", {"S": 1}, {}, "delay(S, 6)")], {"S": 1 - T}),
    "in a trigger, an assignment and a delay": (
        [
            var("a", 0),
            var("e", 0),
            var("f", 0),
            moving("a", "1"),
            event("delay(a, 1) > 1.2", {"e": "delay(a, 0.2)"}),
            event("time > 1.2", {"f": "time"}, delay="delay(a, 1)", at_trigger=False),
        ],
        {"e": at(2.2, 0, 2.0), "f": at(1.4, 0, 1.4)},
    ),
}

RATES = {
    "of what only a law knows": (
        [comp(), species("S", 1), par("k", 7), reaction("J", {"S": 1}, {}, "k + rateOf(k)", local={"k": 0.5})],
        {"S": 1 - T / 2},
    ),
    "at the start, of itself": ([var("a", 1), start("a", "rateOf(a)"), moving("a", "3")], {"a": 3 + 3 * T}),
    "at the start, in a volume that grows": (
        [comp(size=2, varies=True), species("S", amount=6), par("b"), start("b", "rateOf(S)"), moving("C", "1")],
        {"b": -1.5},
    ),
    "through a function": (
        [function("f", "x", "rateOf(x)"), var("a", 2), var("b"), moving("a", "-a"), assigned("b", "f(a)")],
        {"b": -2 * exp(-T)},
    ),
    "of rates": (
        [var("a", 2), var("b", 0), var("c", 0), moving("a", "1 + rateOf(b)"), moving("b", "2*rateOf(c)"), moving("c", "3")],
        {"a": 2 + 7 * T, "b": 6 * T},
    ),
    "of a boundary species in a volume by a rule": (
        [
            comp(size=None, varies=True),
            species("S", amount=1, boundary=True),
            var("b"),
            assigned("C", "1 + time"),
            assigned("b", "rateOf(S)"),
        ],
        {"b": -1 / (1 + T) ** 2},
    ),
    "in a trigger, a priority and a delay": (
        [var("a", 2), var("b", 0), moving("a", "-a"), event("rateOf(a) > -1", {"b": "b + 1"}, priority="rateOf(a)", delay="1 - rateOf(a)")],
        {"b": at(math.log(2) + 2, 0, 1)},
    ),
    "with conversion factors": (
        [
            comp(size=2),
            species("A", 1, factor="cf"),
            species("B", 0, only=True),
            par("cf", 3),
            par("k", 1),
            var("a"),
            var("b"),
            assigned("a", "rateOf(A)"),
            assigned("b", "rateOf(B)"),
            reaction("J", {"A": 1}, {"B": 1}, "k"),
        ],
        {"a": -1.5, "b": 1},
    ),
}

STOICHIOMETRIES = {
    "assigned": (
        [comp(), species("S", 1), assigned("n", "1 + time"), reaction("J", {}, {"S": (None, "n", True)}, "1")],
        {"S": 1 + T + T**2 / 2, "n": 1 + T},
    ),
    "by an initial assignment": (
        [comp(), species("S", 1), par("k", 3), start("n", "k*2"), reaction("J", {}, {"S": (None, "n", False)}, "1")],
        {"S": 1 + 6 * T, "n": 6},
    ),
    "by a rate rule": (
        [comp(), species("S", 1), moving("n", "0.5"), reaction("J", {}, {"S": (1, "n", True)}, "1")],
        {"S": 1 + T + T**2 / 4},
    ),
    "by an algebraic rule": (
        [comp(), species("S", 1), zero("n - 2"), reaction("J", {}, {"S": (None, "n", True)}, "1")],
        {"S": 1 + 2 * T, "n": 2},
    ),
    "by an event": (
        [comp(), species("S", 1), event("time >= 1.2", {"n": "3"}), reaction("J", {}, {"S": (1, "n", True)}, "1")],
        {"S": 1 + np.where(T < 1.2, T, 3 * T - 2.4), "n": at(1.2, 1, 3)},
    ),
    "in formulas": (
        [comp(), species("S", 9), var("q"), assigned("q", "n*time"), reaction("J", {"S": (2, "n", False)}, {}, "0.1")],
        {"q": 2 * T, "S": 9 - T / 5},
    ),
}

FACTORS = {
    "of the model": (
        [comp(), species("S", 2), par("cf", 3), reaction("J", {"S": 1}, {}, "S/2")],
        {"S": 2 * exp(-1.5 * T)},
        ' conversionFactor="cf"',
    ),
    "of a species before the model's": (
        [
            comp(size=2),
            species("A", 2, factor="ca"),
            species("B", 0),
            par("ca", 3),
            par("cf", 5),
            start("cf", "ca*2"),
            reaction("J", {"A": 1}, {"B": 2}, "0.1"),
        ],
        {"[A]": 2 - 0.15 * T, "B": 1.2 * T},
        ' conversionFactor="cf"',
    ),
}

ALGEBRAIC = {
    "a total": (
        [comp(), species("A", 1), species("B", 0), species("S"), zero("A + 2*B - S"), reaction("J", {"A": 1}, {"B": 1}, "A/2")],
        {"S": 2 - exp(-T / 2)},
    ),
    "two unknowns": ([var("a"), var("b"), zero("a + b - 10"), zero("a - b - 2*time")], {"a": 5 + T, "b": 5 - T}),
    "no elimination": ([var("a", 0), zero("exp(a) - 1 - time")], {"a": np.log(1 + T)}),
    "a compartment": ([comp(size=None, varies=True), species("S", amount=2), zero("C - 1 - time")], {"[S]": 2 / (1 + T)}),
    "behind an assignment": ([var("a"), var("b"), var("c", 1), assigned("b", "a*2"), zero("b - c"), moving("c", "1")], {"a": (1 + T) / 2}),
    "with an event": ([var("a"), var("b", 1), zero("a + 2*b - 10"), event("time > 1.2", {"b": "3"})], {"a": at(1.2, 8, 4)}),
    "one after the other": (
        [comp(size=None, varies=True), species("S", 3), var("v"), zero("C - 2 - time"), zero("v - 2*S")],
        {"v": 12 / (2 + T), "S": 6},
    ),
    "no elimination, and starts that follow": (
        [comp(size=None, varies=True), species("S", 3), zero("C*C - 4 - time"), reaction("J", {"S": 1}, {}, "C*S/2")],
        {"C": np.sqrt(4 + T), "S": 6 * exp(-T / 2)},
    ),
    "a volume, and a concentration that moves in it": (
        [comp(size=None, varies=True), species("S", 3, boundary=True), zero("C - 1 - time"), moving("S", "0.2")],
        {"[S]": 3 + T / 5},
    ),
    "a volume, and the rate of a concentration in it": (
        [
            comp(size=None, varies=True),
            species("S", amount=3),
            var("v"),
            par("w"),
            zero("C - 1 - 2*time"),
            zero("v - rateOf(S)"),
            start("w", "rateOf(S) + rateOf(C)"),
        ],
        {"v": -6 / (1 + 2 * T) ** 2, "w": -4},
    ),
    "what it names, before what stands behind": (
        [comp(), species("S", 3, boundary=True), var("q", 0), zero("2*J - q"), reaction("J", {"S": 1}, {}, "S/2")],
        {"q": 3, "S": 3},
    ),
    "remembered": ([var("a"), var("b"), assigned("a", "2*time"), zero("delay(a, 1) - b")], {"b": 2 * T - 2}),
}

EVENTS = {
    "what only an event sets needs no value before": (
        [var("a"), var("b", 1), moving("b", "1"), event("time > 1.2", {"a": "2"})],
        {"a": at(1.2, np.nan, 2), "b": 1 + T},
    ),
    "at 0 it gives the first value": (
        [var("a"), var("b", 1), moving("b", "a"), event("true", {"a": "2"}, initial=False)],
        {"a": 2, "b": 1 + 2 * T},
    ),
    "not persistent, taken back by another": (
        [
            var("a", 0),
            var("n", 0),
            event("time > 1.2 && a < 0.5", {"n": "1"}, persistent=False, priority="1"),
            event("time > 1.2", {"a": "1"}, priority="2"),
        ],
        {"a": at(1.2, 0, 1), "n": 0},
    ),
    "priorities are computed anew": (
        [
            var("a", 0),
            var("p", 5),
            event("time > 1.2", {"p": "0", "a": "a*10 + 1"}, priority="10", at_trigger=False),
            event("time > 1.2", {"a": "a*10 + 2"}, priority="p", at_trigger=False),
            event("time > 1.2", {"a": "a*10 + 3"}, priority="3", at_trigger=False),
        ],
        {"a": at(1.2, 0, 132)},
    ),
    "the same event waits many times": (
        [
            var("x", 0),
            var("n", 0),
            moving("x", "1"),
            event("x >= 1.2", {"n": "n + 1"}, delay="2.25", at_trigger=False),
            event("x >= 1.2", {"x": "0"}),
        ],
        {"n": np.maximum(0, np.floor((T - 2.25) / 1.2))},
    ),
}

NO_MATH = {
    "law": ([comp(), species("S", 2), reaction("J", {"S": 1}, {})], {"S": 2}),
    "no law": ([comp(), species("S", 2), reaction("J", {"S": 1}, {}, with_law=False)], {"S": 2}),
    "trigger": ([var("p", 3), event(None, {"p": "7"})], {"p": 3}),
    "assignment": ([var("p", 3), var("q", 3), event("time > 1.2", {"p": None, "q": "9"})], {"p": 3, "q": at(1.2, 3, 9)}),
    "delay and priority": ([var("p", 3), event("time > 1.2", {"p": "7"}, empty=("delay", "priority"))], {"p": at(1.2, 3, 7)}),
    "rules and initial assignments": (
        [var("p", 3), var("q", 4), assigned("p", None), moving("q", None), zero(None), start("q", None)],
        {"p": 3, "q": 4},
    ),
    "function": ([("listOfFunctionDefinitions", '<functionDefinition id="f"/>'), var("p", 3)], {"p": 3}),
}

SHAPES = {
    "a parameter alone": ([par("a", 3)], {"a": 3}),
    "a compartment alone": ([comp(size=1.5)], {"C": 1.5}),
    "an event alone": ([var("a", 3), event("time >= 2", {"a": "a + 1"})], {"a": np.where(T < 2, 3, 4)}),
    "INF and NaN": (
        [par("a", "INF"), par("b", "NaN"), var("c", 1), moving("c", "-c"), var("d", 0), event("time > 1.2", {"d": "-1/0"})],
        {"a": math.inf, "b": math.nan, "c": exp(-T), "d": at(1.2, 0, -math.inf)},
    ),
    "no extension": ([comp(size=None, dim=0), species("S", amount=3), reaction("J", {"S": 1}, {}, "S/10")], {"S": 3 * exp(-T / 10)}),
    "an area": (
        [comp(size=2, dim=2), species("S", 3), reaction("J", {"S": 1}, {}, "C*S/10")],
        {"[S]": 3 * exp(-T / 10), "S": 6 * exp(-T / 10)},
    ),
    "a rate as an output": ([comp(), species("S", 3), reaction("J", {"S": 1}, {}, "S/10")], {"J": 0.3 * exp(-T / 10)}),
}

TRIGGERS = {
    "abs(time - 4) < 0.001": np.where(T < 4, 0, 1),
    "-abs(time - 3.3) > -0.0001": at(3.3, 0, 1),
    "min(abs(time - 1.2), abs(time - 2.2)) < 0.0001": at(1.2, 0, 1) + at(2.2, 0, 1),
    "max(time, 3) > 3.3": at(3.3, 0, 1),
    "piecewise(time - 1, time < 1.5, 2 - time) > 0.45": at(1.45, 0, 1),
    "exp(-1000 * abs(time - 3.3)) > 0.5": at(3.3, 0, 1),
    "exp(-(time - 3.3)^2 * 1e5) > 0.5": at(3.3, 0, 1),
    "sin(20*time) > 0.999": np.floor(10 * T / math.pi + 0.75),
    "floor(10*time) == 22": at(2.2, 0, 1),
    "1 + 0.01*time > 1.022": at(2.2, 0, 1),
    "1000 + 0.001*time > 1000.0022": at(2.2, 0, 1),
    "abs(x - 2.2) < 0.0001": at(2.2, 0, 1),
    "max(x, 2.2 - x) < 1.1001": at(1.1, 0, 1),
}


@kinds(DELAYS)
def test_delays(case):
    """Before 0 initial assignments and rules hold at that time, and nothing else moves (level 3, section 3.4.8)."""
    checked(case)


@kinds(RATES)
def test_rate_of(case):
    checked(case)


@kinds(STOICHIOMETRIES)
def test_stoichiometries(case):
    checked(case)


@kinds(FACTORS)
def test_conversion_factors(case):
    checked(case)


@kinds(ALGEBRAIC)
def test_algebraic_rules(case):
    checked(case)


@kinds(EVENTS)
def test_events(case):
    checked(case)


@kinds(NO_MATH)
def test_parts_without_a_formula_say_nothing(case):
    checked(case)


@kinds(SHAPES)
def test_shapes_and_values(case):
    checked(case)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_short_conditions_are_met(trigger):
    """However short: those of |time - a| and the like exactly, smooth ones of time where they last 1/20,000 of the run."""
    holds(text(var("n", 0), var("x", 0), moving("x", "1"), event(trigger, {"n": "n + 1"})), {"n": TRIGGERS[trigger]})


def test_a_rate_that_is_short():
    rate = "piecewise(1000, abs(time - 2.2) < 0.001, 0)"
    holds(text(var("x", 0), moving("x", rate)), {"x": at(2.2, 0, 2)})


def test_a_rate_that_changes_where_rounding_hides_it():
    wanted = np.where(T < 2, T + 0.005 * T**2, 1.02 * T - 0.02)
    for rate in ("piecewise(1 + 0.01*time, 1 + 0.01*time <= 1.02, 1.02)", "min(1 + 0.01*time, 1.02)"):
        holds(text(var("x", 0), moving("x", rate)), {"x": wanted})


def mathml(op, *parts):
    return f"<apply><{op}/>{''.join(parts)}</apply>"


Z, ONE, TWO, YES, NO = "<ci>z</ci>", "<cn>1</cn>", "<cn>2</cn>", "<true/>", "<false/>"
NUMBERS = {  # formula of z = 0.7: value; truth is 1 and 0, numbers are true where they are not 0
    mathml("plus", Z, YES): 1.7,
    mathml("times", Z, mathml("gt", Z, NO)): 0.7,
    mathml("sin", YES): math.sin(1),
    mathml("eq", YES, ONE): 1,
    mathml("plus", mathml("xor", Z, TWO), mathml("implies", TWO, NO), mathml("or", NO, Z)): 1,
    mathml("max", NO, mathml("gt", Z, NO)): 1,
    f"<piecewise><piece><cn>5</cn>{Z}</piece></piecewise>": 5,
    mathml("not", Z): 0,
    **{mathml(op): value for op, value in {"and": 1, "or": 0, "xor": 0, "plus": 0, "times": 1}.items()},
    **{mathml(op, Z): value for op, value in {"and": 1, "or": 1, "xor": 1, "plus": 0.7, "times": 0.7, "max": 0.7, "min": 0.7}.items()},
    **{mathml(op, *given): 1 for op in ("eq", "lt", "gt", "leq", "geq") for given in ((), (Z,))},
    mathml("lt", NO, Z, ONE): 1,
    mathml("gt", ONE, Z, ONE): 0,
    mathml("xor", YES, YES, YES): 1,
    mathml("quotient", "<cn>-7</cn>", TWO): -3,
    mathml("rem", "<cn>-7</cn>", TWO): -1,
    mathml("factorial", "<cn>4</cn>"): 24,
    mathml("root", "<degree><cn>3</cn></degree>", "<cn>8</cn>"): 2,
    mathml("log", "<logbase><cn>2</cn></logbase>", "<cn>8</cn>"): 3,
    mathml("log", "<cn>100</cn>"): 2,
    mathml("arccoth", TWO): math.atanh(0.5),
    mathml("arccsc", TWO): math.asin(0.5),
    mathml("divide", ONE, NO): math.inf,
    mathml("ln", "<cn>-1</cn>"): math.nan,
    "<piecewise><piece><cn>1</cn><false/></piece></piecewise>": math.nan,
    '<cn type="e-notation">2.5<sep/>-1</cn>': 0.25,
    '<cn type="rational">1<sep/>8</cn>': 0.125,
}


def test_operations():
    """As a rule and as an initial assignment; those that are numbers as a rate too, and what is true fires an event at 0."""
    elements, wanted = [par("z", 0.7)], {}
    for i, (content, value) in enumerate(NUMBERS.items()):
        elements += [var(f"a{i}"), par(f"s{i}"), assigned(f"a{i}", content), start(f"s{i}", content)]
        wanted |= {f"a{i}": value, f"s{i}": value}
        if math.isfinite(value):
            elements += [var(f"r{i}", 0), moving(f"r{i}", content), var(f"e{i}", 0), event(content, {f"e{i}": "1"}, initial=False)]
            wanted |= {f"r{i}": value * T, f"e{i}": float(value != 0)}
    holds(text(*elements), wanted)


def test_what_defines_itself_by_its_rate_is_refused():
    for elements in (
        [var("a"), start("a", "rateOf(a)"), moving("a", "a + 1")],
        [var("a", 1), var("b", 1), moving("a", "rateOf(b)"), moving("b", "rateOf(a)")],
        [comp(), species("S", 1), var("b"), assigned("b", "rateOf(S)"), reaction("J", {"S": 1}, {}, "b*S")],
    ):
        with pytest.raises(DataError, match="define each other in a circle"):
            simulated(text(*elements))


LEVEL_1 = (
    '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m">'
    '<listOfCompartments><compartment name="C"/></listOfCompartments>'
    '<listOfSpecies><species name="A" compartment="C" initialAmount="2"/></listOfSpecies>'
    '<listOfParameters><parameter name="p"/><parameter name="k" value="2"/></listOfParameters>'
    '<listOfRules><algebraicRule formula="p - A*log(k)"/></listOfRules><listOfReactions><reaction name="J"><listOfReactants>'
    '<speciesReference species="A" stoichiometry="3" denominator="2"/></listOfReactants><kineticLaw formula="A/q"><listOfParameters>'
    '<parameter name="q" value="3"/></listOfParameters></kineticLaw></reaction></listOfReactions></model></sbml>'
)


def test_level_1_has_defaults_of_its_own():
    """A volume of 1, nothing constant, `log` the natural one."""
    holds(LEVEL_1, {"A": 2 * exp(-T / 2), "C": 1, "p": 2 * math.log(2) * exp(-T / 2)})


COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
SUBMODEL = [comp(), species("S", 2), par("k", 0.5), var("p"), assigned("p", "J"), reaction("J", {"S": 1}, {}, "k*S")]
DECAY = 2 * exp(-T / 2)
PARTS = {  # what is changed: (what stands in a parameter k of the model, attributes and content of the submodel, wanted)
    "nothing": ("", "", "", {"s__S": DECAY, "s__p": DECAY / 2, "s__k": 0.5}),
    "a replaced element": (
        '<comp:listOfReplacedElements><comp:replacedElement comp:submodelRef="s" comp:idRef="k"/></comp:listOfReplacedElements>',
        "",
        "",
        {"s__S": 2 * exp(-T / 4), "k": 0.25},
    ),
    "an element that is replaced by the submodel's": (
        '<comp:replacedBy comp:submodelRef="s" comp:idRef="k"/>',
        "",
        "",
        {"s__S": DECAY, "k": 0.5},
    ),
    "a deletion": ("", "", '<comp:listOfDeletions><comp:deletion comp:portRef="port"/></comp:listOfDeletions>', {"s__S": 2}),
    "a factor of time": ("", ' comp:timeConversionFactor="two"', "", {"s__S": 2 * exp(-T / 4), "s__p": exp(-T / 4)}),
    "a factor of extent": ("", ' comp:extentConversionFactor="two"', "", {"s__S": 2 * exp(-T), "s__p": exp(-T)}),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("external", [False, True])
def test_models_of_models(part, external):
    within, attributes, content, wanted = PARTS[part]
    rule = [e for e in SUBMODEL if part != "a deletion" or "assignmentRule" not in e[1]]
    port = '<comp:listOfPorts><comp:port comp:id="port" comp:idRef="J"/></comp:listOfPorts>'
    inner = text(*rule).partition('<model id="m">')[2].rpartition("</model>")[0] + port
    whole = text(("listOfParameters", f'<parameter id="k" value="0.25" constant="true">{within}</parameter>'), par("two", 2))
    space = f' xmlns:comp="{COMP}" comp:required="true" level'
    sub = f'<comp:submodel comp:id="s" comp:modelRef="d"{attributes}>{content}</comp:submodel>'
    sub = f"<comp:listOfSubmodels>{sub}</comp:listOfSubmodels></model>"
    defined = f'<comp:listOfModelDefinitions><comp:modelDefinition id="d">{inner}</comp:modelDefinition></comp:listOfModelDefinitions>'
    if external:
        source = '<comp:externalModelDefinition comp:id="d" comp:source="d.xml" comp:modelRef="m"/>'
        defined = f"<comp:listOfExternalModelDefinitions>{source}</comp:listOfExternalModelDefinitions>"
    document = whole.replace(" level", space, 1).replace("</model>", sub + defined)
    other = text(*rule).replace(" level", space, 1).replace("</model>", port + "</model>")
    holds(document, wanted, companions={"d.xml": other} if external else None)
