"""What a run gives: amounts, concentrations, any symbol over time, tables."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.kernels.system import compile_system
from sciml.biology.network import Compartment, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.biology.simulation.trajectories import Solution, Spread, checked_times, merged
from sciml.errors import ConfigError


def solution(batch: int | None = None) -> Solution:
    """A(t) = t, in a compartment of size 1 + t / 10, written down by hand."""
    net = Network(
        "n",
        species=[Species("A", 0.0, "c", substance_only=False), Species("W", 5.0, "c", boundary=True)],
        compartments=[Compartment("c", None, constant=False)],
        parameters=[Parameter("k", 2.0), Parameter("double", None, constant=False)],
        rules=[Rule("assignment", parse("1 + time / 10"), "c"), Rule("assignment", parse("k * A"), "double")],
        reactions=[Reaction("r", (), (Participant("A"),), parse("k / 2"))],
    )
    system = compile_system(net)
    _, p = system.begin()
    times = np.array([0.0, 5.0, 10.0])
    states = times[:, None]
    return (
        Solution(system, times, states, p) if batch is None else Solution(system, times, np.stack([states] * batch), np.stack([p] * batch))
    )


def test_amounts_concentrations_and_volumes():
    run = solution()
    assert run.species == ("A", "W")
    np.testing.assert_array_equal(run.amounts, [[0, 5], [5, 5], [10, 5]])
    np.testing.assert_array_equal(run.volumes[:, 0], [1, 1.5, 2])
    np.testing.assert_allclose(run.concentrations[:, 0], [0, 5 / 1.5, 5])


def test_any_symbol_can_be_selected():
    run = solution()
    np.testing.assert_allclose(run.select("double"), [0, 10 / 1.5, 10])
    np.testing.assert_array_equal(run.select("c"), [1, 1.5, 2])
    np.testing.assert_array_equal(run.select("k"), [2, 2, 2])
    np.testing.assert_array_equal(run.select("r"), [1, 1, 1])
    with pytest.raises(ConfigError, match="did you mean 'double'"):
        run.select("doubel")


def test_batches_have_a_leading_axis():
    run = solution(4)
    assert run.amounts.shape == (4, 3, 2) and run.select("double").shape == (4, 3)
    frame = run.to_pandas()
    assert frame.shape == (12, 2) and frame.index.names == ["trajectory", "time"]


def test_tables():
    frame = solution().to_pandas()
    assert list(frame.columns) == ["A", "W"] and list(frame.index) == [0.0, 5.0, 10.0]
    assert json.loads(json.dumps(solution().to_dict()))["amounts"] == [[0, 5], [5, 5], [10, 5]]
    assert repr(solution()) == "<Solution of 'n': 3 times, 2 species>"


def test_times_are_checked():
    assert checked_times(3).tolist() == [3.0] and checked_times([2, 1, 1]).tolist() == [2.0, 1.0, 1.0]
    for bad in ([], [-1.0], [np.nan], [np.inf], "soon", [[1.0]], ["1", "2"], None, [None], [True], [1j], {}, {1: 2}, [[1], [1, 2]]):
        with pytest.raises(ConfigError, match="^times: found ") as raised:
            checked_times(bad)
        assert "np." not in str(raised.value) and (bad is not None or "found None" in str(raised.value))


def test_moments_of_parts_are_those_of_the_whole():
    amounts = np.random.default_rng(1).normal(5, 2, size=(101, 3, 2))
    found = merged(Spread.of(part) for part in (amounts[:1], amounts[1:40], amounts[40:]))
    assert found.n == 101 and np.allclose(found.mean, amounts.mean(axis=0), rtol=1e-13)
    assert np.allclose(found.std, amounts.std(axis=0, ddof=1), rtol=1e-13) and np.isnan(Spread.of(amounts[:1]).std).all()
