"""Start numbers and parameters in molecules."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.network import Network, Reaction, Unit, Units
from sciml.biology.simulation.molecules import in_molecules, whole_after
from sciml.errors import DataError

parse = Reaction.parse
PICO = Units(substance="pmol", extent="pmol", definitions=(("pmol", (Unit("mole", scale=-12),)),))


def test_units_and_rows():
    net = Network(species={"A": 2e-10}, parameters={"k": 1.0}, reactions=(parse("d", "A ->", rate="k"),), units=PICO)
    found = in_molecules(net, 3, 0, initial="round", parameters={"k": [1.0, 2.0, 3.0]})
    assert found.start.shape == (3, 1) and (found.start == np.rint(2e-10 * 6.02214076e11)).all()
    assert found.per_unit == {"A": pytest.approx(6.02214076e11)} and found.raw.shape[0] == 3
    assert len(in_molecules(net, 3, 0, initial="round").start) == 1


def test_what_is_refused():
    net = Network(species={"A": -2.0}, reactions=(parse("d", "A ->", rate=1.0),))
    with pytest.raises(DataError, match="'A' starts at -2 molecules"):
        in_molecules(net, 1, 0)
    with pytest.raises(DataError, match=r"beyond 2\^53"):
        in_molecules(net.set(A=1e17), 1, 0)
    gram = Network(species={"A": 2.0}, reactions=(parse("d", "A ->", rate=1.0),), units=Units(substance="gram"))
    with pytest.raises(DataError, match="gram"):
        in_molecules(gram, 1, 0)


@pytest.mark.parametrize(
    ("start", "whole"),
    [(28.999999999999996, 29), (1e-30, 0), (5.6e-17, 0), (1e-9, 0), (1 + 9e-10, 1), (1e12 + 500, 1e12 + 500), (1e12 + 0.25, 1e12)],
)
def test_whole_to_1e_9(start, whole):
    """From 1 up in parts of the number, below 1 in molecules; a start that becomes 0 so is said."""
    net = Network(species={"A": start}, reactions=(parse("d", "A ->", rate=1.0),), units=Units(substance="item"))
    found = in_molecules(net, 1, 0)
    assert found.start.tolist() == [[whole]]
    assert any(f"'A' starts at {start:g} molecules, taken as 0" in note for note in found.notes) is (whole == 0)
    assert in_molecules(net.set(A=0), 1, 0).notes == ()


@pytest.mark.parametrize("start", [2e-9, 1 + 2e-9, 28.99999, 0.5])
def test_what_is_not_whole(start):
    net = Network(species={"A": start}, reactions=(parse("d", "A ->", rate=1.0),))
    with pytest.raises(DataError, match="not whole: 'A'"):
        in_molecules(net, 1, 0)


def test_what_an_event_left_must_be_whole():
    jumps = in_molecules(Network(species={"A": 1, "B": 1}, reactions=(parse("d", "A -> B", rate=1.0),)), 1, 0).jumps
    left = np.array([[3.0, 4.0], [2.0 + 1e-12, 1.5]])
    assert whole_after(jumps, left[:1], 1.0, False).tolist() == [[3, 4]]
    assert whole_after(jumps, left, 1.0, True).tolist() == [[3, 4], [2, 2]] and left[1, 1] == 1.5
    with pytest.raises(DataError, match="at time 7 an event sets 'B' to 1.5 molecules"):
        whole_after(jumps, left, 7.0, False)
    with pytest.raises(DataError, match="sets 'A' to -1 molecules"):
        whole_after(jumps, np.array([[-1.0, 0.0]]), 7.0, True)
