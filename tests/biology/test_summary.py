"""What the summary of a network says, against numbers by hand."""

from __future__ import annotations

import json
import math

import pytest

from sciml.biology.datasets import load_pathway
from sciml.biology.network import Compartment, Network, Parameter, Reaction, Species, Unit, Units
from sciml.biology.summary import _repr_html_, summary

CHAIN = Network(
    "chain",
    species=[Species("A", 4.0, initial_is_concentration=True, substance_only=False), Species("B", 0), Species("C", 0), Species("<X>", 5)],
    compartments=[Compartment("cell", 2.5)],
    parameters={"fast": 100.0, "slow": 0.5, "loose": 1},
    reactions=[
        Reaction.parse("r1", "A -> B", rate="fast"),
        Reaction.parse("r2", "B -> A", law="slow*B"),
        Reaction.parse("r3", "C -> B", rate=3.0),
    ],
    units=Units(substance="item", time="second"),
)


def test_species_and_reactions():
    found = summary(CHAIN)
    a = found.species[0]
    assert (a.amount, a.molecules, a.concentration, a.volume, a.compartment, a.role) == (10, 10, 4, 2.5, "cell", "reactions")
    r1, r2, r3 = found.reactions
    assert (r1.equation, r1.law, r1.kind, r1.rate, r1.propensity, r1.dead) == (
        "A -> B",
        "fast * A",
        "mass action, first order",
        1000,
        1000,
        False,
    )
    assert (r2.kind, r2.rate, r2.dead) == ("form of mass action, first order", 0, False)
    assert r3.dead
    assert found.dead == ("r3",)
    assert (found.unused_species, found.unused_parameters) == (("<X>",), ("loose",))
    assert found.conserved == ("A + B + C = 10",)
    assert found.counts == {"compartments": 1, "species": 4, "reactions": 3, "parameters": 3}
    assert found.refused == ""


def test_time_scales_are_those_of_the_eigenvalues():
    """A <-> B decays with fast + slow, C with 3."""
    found = summary(CHAIN)
    assert found.fastest == pytest.approx(1 / 100.5)
    assert found.slowest == pytest.approx(1 / 3)
    assert found.stiffness == pytest.approx(100.5 / 3)


def test_moles_and_undeclared_amounts():
    nanomole = Units(substance="nmol", definitions=(("nmol", (Unit("mole", scale=-9),)),))
    net = Network(species={"A": 1e-3}, reactions=[Reaction.parse("r", "A ->", rate=2.0)], units=nanomole)
    found = summary(net)
    assert found.species[0].molecules == pytest.approx(6.02214076e11)
    assert found.reactions[0].propensity == pytest.approx(2 * 6.02214076e11)
    silent = summary(Network(species={"A": 1.0}, level=(2, 4), reactions=[Reaction.parse("r", "A ->", rate=2.0)]))
    assert silent.species[0].molecules is None
    assert "substance=" in silent.refused
    gram = summary(Network(species={"A": 1.0}, units=Units(substance="gram"), reactions=[Reaction.parse("r", "A ->", rate=2.0)]))
    assert (gram.species[0].molecules, "gram" in gram.refused) == (None, True)


def test_what_stochastic_calls_split_or_refuse():
    net = Network(species={"A": 3.0, "B": 0}, units=Units(substance="item"), reactions=[Reaction.parse("r", "A -> B", law="2*A - B")])
    assert any("split into a forward and a backward" in note for note in summary(net).stochastic)
    assert "'A' at" in summary(net.set(A=3.5)).refused


def test_missing_start_values():
    net = Network(
        species=[Species("A", None), Species("B", 1)], parameters=[Parameter("k")], reactions=[Reaction.parse("r", "A -> B", rate="k")]
    )
    found = summary(net)
    assert math.isnan(found.species[0].amount)
    assert math.isnan(found.reactions[0].rate)
    assert "has no value" in found.refused
    assert "?" in found.text()


def test_text_html_and_dict():
    found = summary(CHAIN)
    text = str(found)
    for part in (
        "chain: 1 compartment, 4 species",
        "A + B + C = 10",
        "never fire from this start: r3",
        "used nowhere: <X>, loose",
        "0 (dead)",
    ):
        assert part in text
    page = found._repr_html_()
    assert "&lt;X&gt;" in page
    assert "<X>" not in page
    assert page == _repr_html_(CHAIN)
    json.dumps(found.to_dict())


def test_long_laws_are_cut_in_text_only():
    n = 200
    chain = [Reaction.parse(f"r{i}", f"s{i} -> s{i + 1}", rate=1.0) for i in range(n)]
    found = summary(Network(species={f"s{i}": 1 for i in range(n + 1)}, reactions=chain))
    assert len(found.conserved[0]) > 1000
    assert max(map(len, found.text().splitlines())) < 500
    assert "... = 201" in found.text()


def test_a_notebook_does_not_wait_for_a_large_network():
    many = Network("many", species={f"s{i}": 1 for i in range(600)})
    assert _repr_html_(many) == "<b>&lt;Network &#x27;many&#x27;: 600 species&gt;</b><p>summary() says more</p>"


def test_empty_and_shipped():
    assert str(summary(Network())).startswith("network: empty")
    found = summary(load_pathway("signalling"))
    assert found.conserved == ("R + RL = 200", "K + Kp = 1000", "Off + On = 2")
    assert found.dead == ()
    assert next(s.role for s in found.species if s.id == "L") == "boundary"


def test_units_that_do_not_fit():
    """A rate of amount per time; k in metre gives an amount times a length."""
    first = Units(substance="item", time="second", extent="item", definitions=(("first", (Unit("second", -1.0),)),))
    for unit, wrong in (("first", 0), ("metre", 1)):
        k = Parameter("k", 1.0, units=unit)
        net = Network(species={"A": 1.0}, parameters=[k], reactions=[Reaction.parse("r", "A ->", law="k*A")], units=first)
        found = summary(net)
        assert sum("'r'" in problem for problem in found.unit_problems) == wrong, found.unit_problems
        assert found.text().count("unit check") == len(found.unit_problems)
