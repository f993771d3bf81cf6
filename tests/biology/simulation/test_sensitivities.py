"""Sensitivities against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciml.biology.formula import parse
from sciml.biology.network import Network, Parameter, Reaction, Rule
from sciml.biology.simulation.sensitivities import sensitivities
from sciml.errors import ConfigError


def test_sensitivities_of_a_decay_to_rate_and_start():
    net = Network("decay", species={"A": 2.0}, reactions=[Reaction.parse("r", "A ->", rate="k")], parameters={"k": 0.7, "unused": 1.0})
    found = sensitivities(net, [0.0, 1.0, 3.0], ["k", "A", "unused"])
    t = found.times
    np.testing.assert_allclose(found.select("A", "k"), -2 * t * np.exp(-0.7 * t), rtol=1e-7)
    np.testing.assert_allclose(found.select("A", "A"), np.exp(-0.7 * t), rtol=1e-7)
    assert not found.select("A", "unused").any() and found.method == "forward"


def test_sensitivities_across_a_pulse_whose_end_is_a_parameter():
    net = Network(
        "pulse", parameters=[Parameter("x", 0.0, constant=False), Parameter("w", 2.0)],
        rules=[Rule("rate", parse("piecewise(3, time < w, 0) - x"), "x")], species={"S": 0.0},
        reactions=[Reaction.parse("r", "-> S", law="x")],
    )  # fmt: skip
    found = sensitivities(net, [4.0], ["w"])
    assert found.method == "differences"
    assert found.select("S", "w")[0] == pytest.approx(3 * (1 - math.exp(-2.0)), rel=1e-5)


def test_what_has_no_sensitivity_is_refused():
    net = Network("decay", species={"A": 2.0}, reactions=[Reaction.parse("r", "A ->", rate="k")], parameters={"k": 0.7})
    with pytest.raises(ConfigError):
        sensitivities(net, [1.0], ["nobody"])
    with pytest.raises(ConfigError, match="nobody"):
        sensitivities(net, [1.0], ["k"]).select("nobody", "k")
