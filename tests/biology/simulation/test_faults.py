"""What an error of a run names."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.compiled import system_of
from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.faults import explained
from sciml.errors import ConvergenceError, DataError
from tests.biology.simulation.rate_rules import rates


def told(net, y, t=2.5, worst=0):
    system = system_of(net)
    return explained(system, system.derivatives, t, np.asarray(y, float), system.begin()[1], worst)


def test_the_first_value_that_is_not_finite_is_named():
    error = told(rates({"x": (1.0, "3 / (x - 1)"), "z": (1.0, "x")}), [1.0, 1.0])
    assert isinstance(error, DataError)
    assert "time 2.5" in str(error) and "div(3 = 3" in str(error) and "equation of 'x'" in str(error) and "'z'" not in str(error)


def test_its_reaction_is_named():
    net = Network("root", species={"A": 1.0}, reactions=[Reaction.parse("leak", "A ->", law="ln(A)")])
    error = told(net, [-1.0])
    assert isinstance(error, DataError) and "ln" in str(error) and "'A' (reaction 'leak')" in str(error)


def test_else_the_state_that_allows_no_step():
    error = told(rates({"x": (1.0, "x"), "z": (1.0, "z^2")}), [1.0, 30.0], worst=1)
    assert isinstance(error, ConvergenceError) and "'z' (now 30, changing by 900" in str(error)
