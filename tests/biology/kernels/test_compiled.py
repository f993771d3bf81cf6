"""One compiled structure for all variants."""

from __future__ import annotations

from sciml.biology.kernels.compiled import made_once, system_of
from sciml.biology.network import Network, Reaction


def test_variants_are_one_structure_and_keep_their_values():
    net = Network("net", species={"A": 1.0}, reactions=[Reaction.parse("r", "A ->", rate="k")], parameters={"k": 1.0})
    first, second = system_of(net), system_of(net.set(k=2.0))
    assert first.graph is second.graph
    assert (first.begin()[1] != second.begin()[1]).any()
    made = []
    for system in (first, second):
        made_once(system, "thing", lambda s: made.append(s))
    assert len(made) == 1


def test_another_structure_is_another():
    net = Network("net", species={"A": 1.0}, reactions=[Reaction.parse("r", "A ->", rate=1.5)])
    more = net.with_(reactions=[Reaction.parse("r2", "-> A", rate=1.0)])
    assert system_of(net).graph is not system_of(more).graph
