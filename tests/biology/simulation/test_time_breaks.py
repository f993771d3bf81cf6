"""Where laws jump in time."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.formula import as_expression
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.graph import Graph
from sciml.biology.network import Network
from sciml.biology.simulation.time_breaks import curved_breaks, smooth_in_time, time_breaks
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death, parse


def _breaks(law: str, until: float) -> np.ndarray:
    network = Network("fed", species={"X": 0}, parameters={"k": 2.0}, reactions=[parse("in", "-> X", law=as_expression(law))])
    system = system_of(network)
    return time_breaks(system, *system.begin(), until)


def test_pulses_and_periods_are_found_to_the_end() -> None:
    assert _breaks("piecewise(k, time > 5 && time < 5.01, 0)", 100.0).tolist() == pytest.approx([5.0, 5.01])
    assert _breaks("piecewise(1, rem(time, 24) < 8, 0)", 60.0).tolist() == pytest.approx([8.0, 24.0, 32.0, 48.0, 56.0])
    assert _breaks("piecewise(1, time > k * 3, 0)", 7.0).tolist() == pytest.approx([6.0])
    assert _breaks("k * time", 7.0).tolist() == []


def test_without_time_there_are_none() -> None:
    system = system_of(birth_death())
    assert time_breaks(system, *system.begin(), 10.0).tolist() == []


def test_what_is_not_linear_in_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="reaction 'in' compares time"):
        _breaks("piecewise(1, time^2 > 3, 0)", 5.0)
    with pytest.raises(ConfigError, match="reaction 'in' compares time"):
        _breaks("piecewise(1, X > time, 0)", 5.0)


def test_what_moves_with_time_and_what_jumps():
    graph = Graph()
    time, five = graph.leaf("time"), graph.const(5.0)
    jumps = graph.op("select", graph.op("lt", time, five), five, graph.leaf("state"))
    moves = graph.op("mul", jumps, graph.op("sin", time))
    assert smooth_in_time(graph, [jumps, moves, graph.op("floor", time), time]) == [1, 3]


def test_curved_comparisons_are_found_to_the_last_bit():
    """sin t = 1/2 at pi/6, 5 pi/6, 13 pi/6 up to time 7."""
    graph = Graph()
    node = graph.op("lt", graph.const(0.5), graph.op("sin", graph.leaf("time")))
    found = curved_breaks(graph, [node], np.zeros(0), 7.0)
    np.testing.assert_allclose(found, np.array([1, 5, 13]) * np.pi / 6, rtol=1e-14)
