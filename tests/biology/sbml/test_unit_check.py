"""What plainly does not fit is said; what is unknown is not guessed; the cost is linear."""

from __future__ import annotations

import time

import pytest

from sciml.biology.formula import as_expression, parse
from sciml.biology.network import Compartment, Function, Network, Parameter, Participant, Reaction, Rule, Species, Unit, Units
from sciml.biology.sbml import load_sbml, unit_problems
from sciml.biology.sbml.unit_check import Dimension
from tests.biology.sbml.texts import DATA

RATE = (Unit("mole"), Unit("second", -1.0))
MADE = (("rate", RATE), ("first", (Unit("second", -1.0),)), ("ms", (Unit("second", 1, -3),)))
UNITS = Units("mole", "second", "litre", extent="mole", definitions=MADE)
BASE = {
    "A": Parameter("A", 1.0, units="mole"),
    "k": Parameter("k", 1.0, units="first"),
    "m": Parameter("m", 1.0, units="metre"),
    "t": Parameter("t", 1.0, units="second"),
    "ms": Parameter("ms", 1.0, units="ms"),
    "n": Parameter("n", 1.0, units="dimensionless"),
    "u": Parameter("u", 1.0),
    "x": Parameter("x", 1.0, constant=False, units="second"),
}


def problems(**parts) -> list[str]:
    network = Network(
        species=(Species("S", 1.0, "c", substance_only=False),),
        compartments=(Compartment("c", 1.0),),
        parameters=tuple(BASE.values()),
        units=UNITS,
        **parts,
    )
    return [line for line in unit_problems(network) if not line.startswith("parameters without a unit")]


def assigned(formula: str) -> list[str]:
    return problems(rules=(Rule("assignment", as_expression(formula), "x", line=7),))


def law(formula: str) -> list[str]:
    return problems(reactions=(Reaction("R", (Participant("S"),), law=as_expression(formula)),))


@pytest.mark.parametrize(
    "formula", ["t + time", "n * t", "t * u", "2 * t", "max(t, 3)", "piecewise(t, t < time, t)", "1000 * ms", "t^2 / t", "sqrt(t * t)"]
)
def test_what_fits(formula):
    assert assigned(formula) == []


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("t + m", "line 7: the assignment rule of 'x': plus of second and metre"),
        ("m", "found metre, expected second"),
        ("ms", "found 0.001 second, expected second"),
        ("t * t", "found second^2, expected second"),
        ("piecewise(t, m < time, t)", "lt of metre and second"),
        ("t * exp(m)", "exp of metre, expected a number without unit"),
        ("piecewise(t, t > 1, m)", "piecewise of second and metre"),
    ],
)
def test_what_does_not_fit(formula, said):
    found = assigned(formula)
    assert len(found) >= 1
    assert said in "; ".join(found)


def test_a_law_is_extent_per_time():
    assert law("k * S * c") == []
    assert law("u * S") == []
    (found,) = law("k * S")
    assert found == "the law of reaction 'R': found 1000 metre^-3 second^-1 mole, expected second^-1 mole"


def test_units_that_are_defined_nowhere_and_those_that_are_missing():
    network = Network(parameters=(Parameter("k", 1.0, units="furlong"), Parameter("q", 1.0)))
    found = unit_problems(network)
    assert "parameter 'k': the unit 'furlong' is defined nowhere" in found
    assert "parameters without a unit (1): q" in found
    assert "the model declares no unit of substance" in found


def test_dimensions():
    litre = Dimension(-3.0, (("metre", 3.0),))
    assert (litre * litre**-1.0).fits(Dimension())
    assert str(litre) == "0.001 metre^3"
    assert str(Dimension()) == "dimensionless"


@pytest.mark.parametrize("name", ["pathway.xml", "BIOMD0000000003.xml.gz", "BIOMD0000000019.xml.gz", "08-moles-and-litres.xml"])
def test_good_models_have_no_mismatch(name):
    expected = ("parameters without a unit", "the model declares no unit")
    assert [line for line in unit_problems(load_sbml(DATA / "sbml" / name)) if not line.startswith(expected)] == []


def test_a_chain_of_rules_and_nested_functions_cost_little():
    functions = [Function("f0", ("x",), parse("x"))]
    functions += [Function(f"f{i}", ("x",), parse(f"f{i - 1}(x) + f{i - 1}(x)", [f"f{i - 1}"])) for i in range(1, 30)]
    parameters = [Parameter(f"p{i}", 1.0, constant=False) for i in range(2000)]
    rules = [Rule("assignment", parse(f"p{i - 1} + f29(p0)", ["f29"]), f"p{i}") for i in range(1, 2000)]
    network = Network(parameters=tuple(parameters), functions=tuple(functions), rules=tuple(rules))
    began = time.process_time()
    unit_problems(network)
    assert time.process_time() - began < 1
