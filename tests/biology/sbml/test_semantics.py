"""What a model counts in: items, moles, scaled units; what counts no molecules is refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sciml.biology.expressions import operation, symbol
from sciml.biology.network import Compartment, Network, Parameter, Participant, Reaction, Species, Unit, Units
from sciml.biology.sbml.semantics import AVOGADRO, Counting, mass_action_law, molecules_per_unit
from sciml.errors import ConfigError, DataError


def network(substance=None, extent=None, level=(3, 2), species=(), **definitions):
    units = Units(substance, extent=extent, definitions=tuple((id, tuple(parts)) for id, parts in definitions.items()))
    return Network(species=species, units=units, level=level)


@pytest.mark.parametrize(
    ("substance", "parts", "expected"),
    [
        ("item", None, 1.0),
        ("mole", None, AVOGADRO),
        ("nM", [Unit("mole", 1.0, -9)], 6.02214076e14),
        ("dozen", [Unit("item", 1.0, 0, 12.0)], 12.0),
        ("thousand", [Unit("dimensionless", 1.0, 3), Unit("item")], 1000.0),
        ("amount", [Unit("item")], 1.0),
        ("root", [Unit("mole", 0.5), Unit("mole", 0.5, -6)], AVOGADRO * 1e-3),
    ],
)
def test_units_of_substance(substance, parts, expected):
    found = molecules_per_unit(network(substance, **({substance: parts} if parts else {})))
    assert found.per_substance == pytest.approx(expected, rel=1e-14)
    assert found.per_extent == found.per_substance
    assert found.notes == ()


def test_undeclared_is_items_in_level_3_and_open_in_level_2():
    three = molecules_per_unit(network())
    assert (three.per_substance, three.per_extent) == (1.0, 1.0)
    assert "item" in three.notes[0]
    two = molecules_per_unit(network(level=(2, 4)))
    assert (two.per_substance, two.per_extent) == (None, None)
    assert "mole by the standard" in two.notes[0]
    assert molecules_per_unit(network(level=(2, 4)), "item") == Counting(1.0, 1.0)
    assert molecules_per_unit(network(level=(2, 4)), "mole").per_substance == AVOGADRO


def test_species_with_their_own_unit():
    species = (Species("A", units="mole"), Species("B", units="item"), Species("C"))
    found = molecules_per_unit(network("mole", "mole", species=species))
    assert found.per_species == (("B", 1.0),)
    assert [found.of(id) for id in "ABC"] == [AVOGADRO, 1.0, AVOGADRO]
    only = molecules_per_unit(network(species=(Species("A", units="mole"), Species("B", units="mole"))))
    assert only == Counting(AVOGADRO, AVOGADRO)  # all of them say the same


def test_extent_has_a_unit_of_its_own():
    found = molecules_per_unit(network("mole", "item"))
    assert (found.per_substance, found.per_extent) == (AVOGADRO, 1.0)


@pytest.mark.parametrize(
    ("substance", "parts", "said"),
    [
        ("gram", None, "substance is in 'gram'"),
        ("mass", [Unit("kilogram")], "substance is in 'mass', which has 'kilogram'"),
        ("perhaps", None, "substance is in 'perhaps'"),
        ("squared", [Unit("mole", 2.0)], "to the power 2"),
        ("nothing", [Unit("mole", 1.0, 0, 0.0)], "'nothing'"),
        ("overflow", [Unit("item", 1.0, 999)], "'overflow'"),
    ],
)
def test_units_that_count_no_molecules_are_refused_by_name(substance, parts, said):
    with pytest.raises(DataError) as error:
        molecules_per_unit(network(substance, **({substance: parts} if parts else {})))
    assert said in str(error.value)


def test_all_that_is_wrong_comes_at_once():
    with pytest.raises(DataError, match="substance is in 'gram'; extent is in 'litre'; species 'A' is in 'second'"):
        molecules_per_unit(network("gram", "litre", species=(Species("A", units="second"),)))


def test_a_choice_may_not_contradict_the_model():
    with pytest.raises(ConfigError, match="declares 'mole'"):
        molecules_per_unit(network("mole"), "item")
    with pytest.raises(ConfigError, match="expected 'item' or 'mole'"):
        molecules_per_unit(network(), "gram")
    assert molecules_per_unit(network("mole"), "mole").per_substance == AVOGADRO


def test_the_law_of_mass_action_written_out():
    base = Network(
        compartments=(Compartment("c", 2.0), Compartment("p", dimensions=0.0)),
        species=(
            Species("A", compartment="c"),
            Species("B", compartment="c", substance_only=False),
            Species("P", compartment="p"),
        ),
        parameters=(Parameter("k", 1.0),),
    )

    def law(*reactants, products=()):
        reaction = Reaction("r", reactants, products, symbol("k"), mass_action=True)
        return mass_action_law(replace(base, reactions=(reaction,)), reaction)

    amount = operation("divide", "A", "c")
    assert law(Participant("A"), Participant("B", 2.0)) == operation("times", "k", "c", amount, operation("power", "B", 2))
    assert law(Participant("P")) == operation("times", "k", "P")
    assert law(products=(Participant("A"),)) == operation("times", "k", "c")  # zero order: k V
    assert law() == operation("times", "k")
    with pytest.raises(DataError, match="without a rate constant"):
        mass_action_law(base, Reaction("r", mass_action=True))
