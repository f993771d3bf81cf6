"""load -> to_sbml -> load: an equal digest; libSBML finds no fault in what is written; numbers to the last bit."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.expressions import ARITY, Expression, call, number, operation, symbol
from sciml.biology.network import Compartment, Event, Function, Network, Parameter, Participant, Reaction, Rule, Species, Unit, Units
from sciml.biology.sbml import load_sbml, to_sbml
from sciml.biology.sbml.consistency import check
from sciml.biology.sbml.parser import parse_sbml_text
from sciml.biology.sbml.read import network_from_record
from sciml.errors import DataError
from tests.biology.sbml.texts import DATA

FILES = sorted([*(DATA / "sbml").glob("*.xml*"), *(DATA / "lgpl/sbml").glob("*.xml")])
CHECKS = ["GENERAL_CONSISTENCY", "IDENTIFIER_CONSISTENCY", "MATHML_CONSISTENCY", "OVERDETERMINED_MODEL"]


def again(network: Network) -> Network:
    return network_from_record("written", parse_sbml_text(to_sbml(network)))


def faults(text: str) -> list[str]:
    """What libSBML calls an error."""
    return [line for line in check("written", text, CHECKS)[0]["problems"] if ": error: " in line]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_go_round(path):
    network = load_sbml(path)
    text = to_sbml(network)
    written = network_from_record("written", parse_sbml_text(text))
    assert written == network
    assert written.digest == network.digest
    assert sorted(dict(written.annotations)) == sorted(dict(network.annotations))
    assert faults(text) == []
    assert to_sbml(written) == text or "0220" in path.name  # there, parts of an annotation change their order once


def test_annotations_keep_their_terms():
    libsbml = pytest.importorskip("libsbml")
    path = DATA / "sbml/BIOMD0000000019.xml.gz"
    before = libsbml.readSBMLFromString(gzip.decompress(path.read_bytes()).decode())
    after = libsbml.readSBMLFromString(to_sbml(load_sbml(path)))
    for get in (lambda d: d.getModel().getListOfSpecies(), lambda d: d.getModel().getListOfReactions()):
        for a, b in zip(get(before), get(after), strict=True):
            assert (a.getMetaId(), a.getNumCVTerms(), a.getSBOTermID()) == (b.getMetaId(), b.getNumCVTerms(), b.getSBOTermID())
            assert a.getNotesString().count("<") == b.getNotesString().count("<")
    assert after.getModel().getModelHistory().getNumCreators() == before.getModel().getModelHistory().getNumCreators() > 0


def declared(**species) -> Network:
    return Network(
        species=(Species("A", 10.0, "c", **species), Species("B", 0.0, "c", **species)),
        parameters={"k": 0.1 + 0.2},
        compartments=(Compartment("c", 1 / 3),),
        reactions=(Reaction("r", (Participant("A", 2.0),), (Participant("B"),), symbol("k"), mass_action=True),),
    )


def test_declared_mass_action_is_a_plain_law_for_others_and_declared_for_us():
    network = declared()
    text = to_sbml(network)
    assert again(network) == network
    plain = text.replace("sciml:massAction", "sciml:other")
    law = network_from_record("f", parse_sbml_text(plain)).reactions[0]
    assert not law.mass_action
    assert law.law == operation("times", "k", "c", operation("power", operation("divide", "A", "c"), 2))
    assert not network_from_record("f", parse_sbml_text(text.replace("<power/>", "<times/>"))).reactions[0].mass_action  # law was changed
    other = network_from_record("f", parse_sbml_text(to_sbml(declared(substance_only=False)).replace("sciml:massAction", "sciml:x")))
    assert other.reactions[0].law == operation("times", "k", "c", operation("power", "A", 2))
    assert faults(text) == []


def test_numbers_to_the_last_bit():
    values = {"a": 0.1 + 0.2, "b": 5e-324, "c": 1.7976931348623157e308, "d": float("inf"), "e": -0.0, "f": 123456789.0, "g": 1 / 3}
    network = Network(parameters=values, rules=(), initial_assignments={"a": number(0.1 + 0.7)})
    found = again(network)
    assert [repr(p.value) for p in found.parameters] == [repr(v) for v in values.values()]
    assert found.initial_assignments == network.initial_assignments


def test_fast_reactions_need_version_1():
    network = replace(declared(), rules=(Rule("rate", operation("max", 1, "k"), "q"),))
    network = replace(network, parameters=(*network.parameters, Parameter("q", 1.0, constant=False)))
    network = replace(network, reactions=(replace(network.reactions[0], fast=True),))
    text = to_sbml(network)
    assert 'level="3" version="1"' in text
    assert "l3v2extendedmath" in text
    assert again(network) == network
    assert faults(text) == []


def test_levels_are_remembered():
    for level in ((2, 1), (2, 4), (3, 1), (3, 2)):
        network = replace(declared(), level=level)
        assert again(network).level == level
        assert again(network).digest == network.digest


def test_stoichiometries_by_expression_become_rules():
    base = declared()
    reaction = replace(base.reactions[0], reactants=(Participant("A", operation("times", 2, "k")),), mass_action=False)
    found = again(replace(base, reactions=(reaction,)))
    assert found.reactions[0].reactants == (Participant("A", None, "r_reactants_A", False),)
    assert found.rules == (Rule("assignment", operation("times", 2, "k"), "r_reactants_A"),)


def test_files_are_written_whole(tmp_path):
    network = declared()
    for name in ("model.xml", "model é.xml.gz"):
        text = to_sbml(network, tmp_path / name)
        assert load_sbml(tmp_path / name) == network
        data = (tmp_path / name).read_bytes()
        assert (gzip.decompress(data) if name.endswith("gz") else data).decode() == text


@pytest.mark.parametrize("id", ["1a", "a b", "a-b", "__import__('os')", "é", "<a>", "a\n"])
def test_ids_that_sbml_does_not_know_are_refused(id):
    with pytest.raises(DataError, match="is none that SBML knows"):
        to_sbml(Network(parameters={id: 1.0}))


def test_what_is_too_deep_to_be_read_again_is_refused():
    deep = symbol("k")
    for _ in range(300):
        deep = operation("minus", deep)
    with pytest.raises(DataError, match="more than 200 deep"):
        to_sbml(Network(parameters={"k": 1.0}, initial_assignments={"k": deep}))


def test_names_are_quoted():
    network = Network(name='a "b" <c> & é', parameters=(Parameter("k", 1.0, name="' \" <"),))
    assert again(network) == network


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8)
NUMBERS = st.floats(allow_nan=False)
MAYBE = st.none() | NUMBERS


@st.composite
def formulas(draw, ids, functions=()):
    leaves = st.one_of(
        st.floats(allow_nan=False, allow_infinity=False).map(number),
        st.sampled_from(ids).map(symbol),
        st.sampled_from(("time", "pi", "avogadro")).map(Expression),
    )
    names = [op for op, (fewest, _) in ARITY.items() if fewest > 0 and op not in ("call", "rateOf", "delay")]

    def wider(inner):
        def build(op, arguments):
            fewest, most = ARITY[op]
            return Expression(op, tuple(arguments[: max(fewest, min(len(arguments), most or 4))]))

        made = st.builds(build, st.sampled_from(names), st.lists(inner, min_size=2, max_size=4))
        calls = [inner.map(lambda a, f=f: call(f, a)) for f in functions]
        return st.one_of(made, *calls)

    return draw(st.recursive(leaves, wider, max_leaves=6))


@st.composite
def networks(draw):
    c = [Compartment(f"c{i}", draw(MAYBE), draw(st.sampled_from((0.0, 2.0, 3.0))), draw(st.booleans()), name=draw(NAMES)) for i in range(2)]
    units = Units(draw(st.sampled_from((None, "mole", "u"))), "second", definitions=(("u", (Unit("mole", 1.0, -9, 0.1),)),))
    s = []
    for i in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(c))
        given_as = place.dimensions > 0 and draw(st.booleans())
        start = draw(NUMBERS if given_as else MAYBE)
        only = place.dimensions == 0 or draw(st.booleans())
        s.append(Species(f"s{i}", start, place.id, given_as, only, draw(st.booleans()), units=draw(st.sampled_from((None, "u")))))
    p = [Parameter(f"p{i}", draw(MAYBE), False, name=draw(NAMES)) for i in range(4)]
    ids = [e.id for e in (*c, *s, *p)]
    function = Function("f", ("x",), draw(formulas(["x"])))
    r = [draw(reactions(f"r{i}", [x.id for x in s], ids)) for i in range(draw(st.integers(0, 3)))]
    rules = (Rule("assignment", draw(formulas([*ids[:-4], "p3"], ["f"])), "p0"), Rule("rate", draw(formulas(ids, ["f"])), "p1"))
    flags = (draw(st.booleans()) for _ in range(3))
    event = Event(
        "e",
        draw(formulas(ids)),
        (("p2", draw(formulas(ids))),),
        draw(st.none() | formulas(ids)),
        None,
        *flags,
    )
    return Network(
        "n",
        tuple(s),
        tuple(p),
        tuple(r),
        tuple(c),
        rules if draw(st.booleans()) else (),
        (("p3", draw(formulas(ids[:2]))),) if draw(st.booleans()) else (),
        (event,) if draw(st.booleans()) else (),
        (function,),
        units,
        level=draw(st.sampled_from(((2, 4), (3, 1), (3, 2)))),
        name=draw(NAMES),
    )


@st.composite
def reactions(draw, id, species, ids):
    def side():
        chosen = draw(st.lists(st.sampled_from(species), max_size=2, unique=True))
        return tuple(Participant(s, draw(st.floats(0.5, 3))) for s in chosen)

    flags = {name: draw(st.booleans()) for name in ("mass_action", "reversible", "fast")}
    return Reaction(id, side(), side(), draw(formulas(ids)), local=(Parameter("own", draw(MAYBE)),), **flags)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_random_networks_go_round(network):
    found = again(network)
    assert found == network
    assert found.digest == network.digest
    assert to_sbml(found) == to_sbml(network)
