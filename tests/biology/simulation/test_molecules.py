"""Start numbers and parameters in molecules."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.network import Network, Reaction, Unit, Units
from sciml.biology.simulation.molecules import in_molecules
from sciml.errors import ConfigError, DataError

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
    with pytest.raises(ConfigError, match="initial"):
        in_molecules(net, 1, 0, initial="floor")
    gram = Network(species={"A": 2.0}, reactions=(parse("d", "A ->", rate=1.0),), units=Units(substance="gram"))
    with pytest.raises(DataError, match="gram"):
        in_molecules(gram, 1, 0)
