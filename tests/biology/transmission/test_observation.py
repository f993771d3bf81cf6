"""What is seen of a process, what is hidden behind it, and what cannot be compared."""

from __future__ import annotations

import pytest

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.transmission.observation import observe, traces
from sciml.errors import ConfigError
from tests.biology.transmission.networks import cascade, gene, loop, motif

parse = Reaction.parse


def _names(model, channels):
    return {model.jumps.channels[c].names[0] for c in channels}


def test_the_motif() -> None:
    model = jump_model(motif(10.0), "test", single=True)
    states = traces(model, "S", "X")
    joint, dose, readout = (observe(model, watched) for watched in (states, states[:1], states[1:]))
    assert joint.certain
    assert dose.certain
    assert _names(model, dose.channels) == {"in", "out"}
    assert not readout.certain
    assert _names(model, readout.unseen) == {"in", "out"}
    assert readout.hidden == states[:1]


def test_hidden_species_feedback_and_conserved_sums() -> None:
    model = jump_model(cascade(10.0), "test", single=True)
    states = traces(model, "S", "X")
    assert _names(model, observe(model, states).unseen) == {"a", "b"}
    model = jump_model(loop(10.0), "test", single=True)
    states = traces(model, "S", "X")
    assert _names(model, observe(model, states[:1]).unseen) == {"make", "decay"}
    model = jump_model(gene(1.0, 1.0, 5.0), "test", single=True)
    states = traces(model, "On", "X")
    joint = observe(model, states)
    assert joint.certain  # the hidden Off follows from On
    assert joint.hidden == (0,)


def test_changes_by_the_same_number_are_one_kind() -> None:
    reactions = [parse("a", "S -> S + X", rate=1.0), parse("b", "H -> X", rate=1.0), parse("c", "-> S", rate=1.0),
                 parse("d", "S -> H", rate=1.0)]  # fmt: skip
    model = jump_model(Network("two ways", species={"S": 1, "H": 1, "X": 0}, reactions=reactions), "test", single=True)
    states = traces(model, "S", "X")
    found = observe(model, states[1:])
    assert len(found.groups) == 1
    assert _names(model, found.members[0]) == {"a", "b"}
    joint = observe(model, states)
    assert not joint.certain  # which of a and b fired is not seen, and b takes an H
    assert not joint.unseen


@pytest.mark.parametrize(
    ("dose", "readout", "said"),
    [("S", "S", "the dose itself"), ("Z", "X", "dose: found 'Z'"), ("S", "F", "readout: found 'F'"), ("S", "X", "reaction 'turn' changes")],
)
def test_what_cannot_be_compared_is_refused(dose: str, readout: str, said: str) -> None:
    net = Network("turn", species={"S": 1, "X": 0, "F": 3}, reactions=[parse("turn", "S + F -> X + F", rate=1.0)])
    with pytest.raises(ConfigError, match=said):
        traces(jump_model(net, "test", single=True), dose, readout)
