"""Networks as jump processes for the methods beside exact simulation."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.expressions import symbol
from sciml.biology.formula import as_expression
from sciml.biology.network import Event, Network
from sciml.biology.simulation.jump_model import jump_model, observed
from sciml.errors import ConfigError, DataError
from tests.biology.simulation.small_networks import dimerisation, parse


def test_changes_and_propensities() -> None:
    model = jump_model(dimerisation(), "test")
    assert model.changes.tolist() == [[-2, 1], [2, -1]]
    np.testing.assert_allclose(model.rates(np.array([[9, 0], [1, 4]])), [[0.1 * 9 * 8, 0.0], [0.0, 1.6]])
    starts, states, amounts = model.sparse_changes()
    assert (starts.tolist(), states.tolist(), amounts.tolist()) == ([0, 2, 4], [0, 1, 0, 1], [-2.0, 1.0, 2.0, -1.0])


def test_the_limit_of_many_molecules_is_for_declared_mass_action_only() -> None:
    network = Network(
        "two", species={"X": 5}, reactions=[parse("a", "2 X ->", rate=1.0), parse("b", "X ->", law=as_expression("X * (X - 1)"))]
    )
    model = jump_model(network, "test")
    values = model.jumps.graph.evaluate(model.macroscopic, states=[5.0], params=list(model.molecules.parameters[0]))
    assert [float(v) for v in values] == [25.0, 20.0]


def test_formulas_on_ids() -> None:
    model = jump_model(dimerisation(), "test")
    node = observed(model.jumps.system, "X + 2 * Y >= 9")
    inside = model.in_molecules(node)
    assert [float(model.jumps.graph.evaluate([inside], states=[x, y])[0]) for x, y in ((9.0, 0.0), (1.0, 2.0))] == [1.0, 0.0]
    with pytest.raises(ConfigError, match="did you mean"):
        observed(model.jumps.system, "XX")
    with pytest.raises(ConfigError, match="rateOf"):
        observed(model.jumps.system, "rateOf(X)")


def test_events_are_refused_by_name_and_real_starts_where_they_must_be_whole() -> None:
    event = Event("kick", as_expression("time > 3"), (("X", symbol("Y")),))
    with pytest.raises(ConfigError, match="test does not know event 'kick'"):
        jump_model(dimerisation().with_(events=[event]), "test")
    with pytest.raises(DataError, match="not whole"):
        jump_model(dimerisation().set(X=2.5), "test")
    assert jump_model(dimerisation().set(X=2.5), "test", real=True).molecules.start.tolist() == [[2.5, 0.0]]
