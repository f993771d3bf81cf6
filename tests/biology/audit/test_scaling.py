"""A larger system has the same concentrations at all times."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.audit.scaling import scaled
from sciml.biology.formula import parse
from sciml.biology.network import Compartment, Event, Network, Participant, Reaction, Rule, Species
from sciml.biology.simulation.ode import simulate_ode
from sciml.errors import DataError


def mixed() -> Network:
    """Amounts and concentrations, literal laws and declared ones, a rule."""
    return Network(
        "mixed",
        species=[
            Species("A", 40.0, "c"),
            Species("B", 3.0, "c", initial_is_concentration=True, substance_only=False),
            Species("C", 0.0, "c"),
        ],
        compartments=[Compartment("c", 2.0)],
        parameters={"k": 0.1, "K": 10.0, "half": 0.0},
        reactions=[
            Reaction("lit", (Participant("A"),), (Participant("B"),), parse("k * A^2 / (K + A)")),
            Reaction("conc", (Participant("B"),), (Participant("C"),), parse("k * B * half * c")),
            Reaction.parse("mass", "A + C -> B", rate="k"),
        ],
        rules=[Rule("assignment", parse("A / (A + K)"), "half")],
    )


def test_trajectories_of_concentrations_are_the_same():
    net = mixed()
    times = [0.5, 2.0, 8.0]
    small, large = simulate_ode(net, times), simulate_ode(scaled(net, 50.0), times)
    np.testing.assert_allclose(large.amounts, 50 * small.amounts, rtol=1e-6)
    np.testing.assert_allclose(large.concentrations, small.concentrations, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events": [Event("e", parse("time > 1"), (("A", parse("5")),))]}, "events"),
        ({"rules": [Rule("rate", parse("1"), "K")]}, "rate or algebraic"),
        ({"reactions": [Reaction.parse("q", "A -> ", law="rateOf(B)")]}, "rates or at the past"),
    ],
)
def test_what_would_mean_something_else_is_refused(change, message):
    net = mixed().with_(**change)
    with pytest.raises(DataError, match=message):
        scaled(net, 10.0)
