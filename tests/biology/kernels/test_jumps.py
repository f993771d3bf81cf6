"""Networks as jump processes: changes, propensities by hand, what is split, merged and refused."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.kernels.jumps import Jumps, compile_jumps
from sciml.biology.kernels.system import compile_system
from sciml.biology.network import Compartment, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.errors import DataError

parse = Reaction.parse


def jumps_of(net: Network, molecules: float = 1.0, **options) -> tuple[Jumps, np.ndarray]:
    system = compile_system(net)
    y, p = system.begin()
    jumps = compile_jumps(system, p, y, {s.id: molecules for s in net.species}, molecules, **options)
    return jumps, jumps.parameters(p)


def propensities(jumps: Jumps, p: np.ndarray, *counts: float) -> list[float]:
    return [float(v) for v in jumps.graph.evaluate([c.node for c in jumps.channels], states=list(map(float, counts)), params=list(p))]


@pytest.mark.parametrize("per_unit", [1.0, 6.02214076e23])
def test_declared_mass_action(per_unit):
    """k V N X (X - 1) Y / (N V)^3, without 1/m!."""
    k, v = 5.0 * per_unit**2, 0.5
    reaction = parse("r", "2 X + Y -> X", rate="k")
    net = Network(species={"X": 0, "Y": 0}, parameters={"k": k}, compartments={"cell": v}, reactions=(reaction,))
    jumps, p = jumps_of(net, per_unit)
    assert jumps.channels[0].change == ((0, -1), (1, -1))
    assert propensities(jumps, p, 7, 4) == pytest.approx([5.0 / v**2 * 7 * 6 * 4], rel=1e-12)
    assert propensities(jumps, p, 1, 4) == [0.0]


def test_concentrations_and_several_volumes():
    net = Network(
        species=[Species("A", 3, "big", substance_only=False), Species("B", 2, "small")],
        compartments=[Compartment("big", 10.0), Compartment("small", 2.0)],
        reactions=(parse("literal", "A -> B", law="big * 0.5 * A"), parse("declared", "A + B ->", rate=0.3)),
    )
    jumps, p = jumps_of(net)
    assert propensities(jumps, p, 6, 4) == pytest.approx([0.5 * 6, 0.3 * 10 * (6 / 10) * (4 / 2)])


def test_equal_changes_are_one_channel():
    reactions = (parse("x", "A ->", rate=1.5), parse("y", "A ->", rate="B"), parse("z", "B -> B", rate=1.0))
    net = Network(species={"A": 1, "B": 2}, reactions=reactions)
    jumps, p = jumps_of(net)
    assert [c.names for c in jumps.channels] == [("x", "y")] and propensities(jumps, p, 4, 2) == [4 * 1.5 + 4 * 2]


def test_needs_only_where_the_law_does_not_guard():
    reactions = (parse("x", "A ->", rate=1.5), parse("y", "2 A ->", law="A * A"), parse("z", "3 A ->", law="1.0"))
    net = Network(species={"A": 9}, reactions=reactions)
    assert [c.needs for c in jumps_of(net)[0].channels] == [(), ((0, 2),), ((0, 3),)]


def test_a_law_that_is_never_negative_is_not_split():
    reactions = (parse("r", "-> P", law="k * (1 - R / (K + R))"), parse("d", "R ->", rate=1.0))
    net = Network(species={"R": 5, "P": 0}, parameters={"k": 2.0, "K": 3.0}, reactions=reactions)
    jumps, p = jumps_of(net)
    assert len(jumps.channels) == 2 and jumps.channels[0].signed and propensities(jumps, p, 5, 0) == pytest.approx([2 * (1 - 5 / 8), 5.0])


def test_a_difference_is_split():
    net = Network(species={"A": 5, "B": 0}, parameters={"k": 2.0, "q": 4.0}, reactions=(parse("r", "A -> B", law="k * (A - B / q)"),))
    jumps, p = jumps_of(net)
    assert [c.change for c in jumps.channels] == [((0, -1), (1, 1)), ((0, 1), (1, -1))]
    assert propensities(jumps, p, 3, 8) == [6.0, 4.0] and "'r'" in jumps.notes[0]
    assert len(jumps_of(net, split_reversible=False)[0].channels) == 1


def test_variants_share_their_structure():
    net = Network(species={"A": 5, "B": 0}, parameters={"k": 2.0}, reactions=(parse("r", "A -> B", law="k * A / (0.5 + A)"),))
    one, two = (jumps_of(n)[0] for n in (net, net.set(k=7.0, A=3)))
    assert one.graph.ops == two.graph.ops and one.graph.values == two.graph.values and one.channels == two.channels


def test_everything_that_does_not_fit_is_listed():
    half = Reaction("half", (Participant("A", 1.0),), (Participant("B", 0.5),), parse("x", "->", law="A").law, line=12)
    fast = Reaction("fast", (Participant("A"),), (Participant("B"),), parse("x", "->", law="A - B").law, fast=True)
    net = Network(species={"A": 5, "B": 5}, reactions=(half, fast, parse("wave", "A ->", law="cos(A)")))
    with pytest.raises(DataError) as error:
        jumps_of(net)
    for words in ("'half' (line 12)", "'fast'", "'wave'"):
        assert words in str(error.value)


def test_rate_rules_and_time_are_seen():
    net = Network(
        species={"A": 5}, parameters=[Parameter("f", 1.0, constant=False)], reactions=(parse("r", "A ->", rate="f"),),
        rules=(Rule("rate", parse("x", "->", law="0 - f").law, "f"),),
    )  # fmt: skip
    jumps, _ = jumps_of(net)
    assert jumps.timed and [s for s, _ in jumps.flows] == [jumps.system.states.index("f")]
    assert jumps.counted == tuple(id == "A" for id in jumps.system.states)
