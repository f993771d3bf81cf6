"""Rates in linear noise against closed forms and integrals over spectra."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.linear_noise import stationary_noise
from sciml.biology.transmission.gaussian_rate import reaction_information, relaxation_time, signal_to_noise, spectral_rate
from sciml.biology.transmission.observation import traces
from sciml.errors import ConvergenceError
from tests.biology.transmission.networks import cascade, cascade_rate, loop, motif

RATES = [(1.0, 1.0, 1.0), (2.0, 5.0, 0.1), (0.5, 20.0, 3.0)]


def _case(net, dose="S", readout="X"):
    noise = stationary_noise(net)
    return noise, traces(noise.model, dose, readout)


@pytest.mark.parametrize(("lam", "rho", "mu"), RATES)
def test_the_motif_has_its_closed_forms(lam: float, rho: float, mu: float) -> None:
    noise, states = _case(motif(50.0, lam, rho, mu))
    rate, course = reaction_information(noise, states, np.array([5.0, 60.0, 61.0]))
    assert rate == pytest.approx(lam / 2 * (np.sqrt(1 + 2 * rho / lam) - 1), rel=1e-9)
    assert course[2] - course[1] == pytest.approx(rate, rel=1e-6)
    assert spectral_rate(noise, states) == pytest.approx(lam / 2 * (np.sqrt(1 + rho / lam) - 1), rel=1e-8)
    assert relaxation_time(noise, states) == pytest.approx(1 / lam)
    assert signal_to_noise(noise, states) == pytest.approx(rho)


def test_the_course_is_the_riccati_equation_integrated() -> None:
    """P' = 2 kappa - 2 lambda P - rho lambda P^2 / kappa from 0 for the motif, by hand in small steps."""
    noise, states = _case(motif(30.0, 1.0, 4.0))
    t = np.linspace(0, 1.5, 300_001)
    p, sum_, h = 0.0, 0.0, t[1]
    for _ in t[1:]:
        middle = p + 0.5 * h * (60.0 - 2 * p - 4 * p**2 / 30.0)
        p += h * (60.0 - 2 * middle - 4 * middle**2 / 30.0)
        sum_ += h * 0.5 * 4 * middle / 30.0
    assert reaction_information(noise, states, np.array([0.4, 1.5]))[1][1] == pytest.approx(sum_, rel=1e-6)


@pytest.mark.parametrize("fast", [0.3, 1.0, 8.0])
def test_a_hidden_species_costs_what_its_spectrum_says(fast: float) -> None:
    noise, states = _case(cascade(40.0, fast))
    assert reaction_information(noise, states, np.zeros(1))[0] == pytest.approx(cascade_rate(fast), rel=1e-7)


def test_feedback_leaves_the_information_symmetric_and_positive() -> None:
    there, back = _case(loop(50.0)), _case(loop(50.0), "X", "S")
    times = np.array([20.0])
    assert reaction_information(*there, times)[0] == pytest.approx(reaction_information(*back, times)[0], rel=1e-9)
    assert spectral_rate(*there) == pytest.approx(spectral_rate(*back), rel=1e-9)
    assert 0 < spectral_rate(*there) < reaction_information(*there, times)[0]


def test_traces_that_do_not_act_on_each_other_share_nothing() -> None:
    parse = Reaction.parse
    reactions = [parse("a", "-> S", rate=5.0), parse("b", "S ->", rate=1.0), parse("c", "-> X", rate=5.0), parse("d", "X ->", rate=1.0)]
    noise, states = _case(Network("apart", species={"S": 5, "X": 5}, reactions=reactions))
    assert reaction_information(noise, states, np.array([3.0]))[0] == pytest.approx(0.0, abs=1e-12)
    assert spectral_rate(noise, states) == pytest.approx(0.0, abs=1e-9)


def test_a_count_that_determines_the_other_is_refused() -> None:
    """B stands for A: the sum of both is constant."""
    parse = Reaction.parse
    reactions = [parse("on", "A -> B", rate=1.0), parse("off", "B -> A", rate=1.0)]
    noise = stationary_noise(Network("sum", species={"A": 30, "B": 0}, reactions=reactions))
    with pytest.raises(ConvergenceError, match="determines the other"):
        spectral_rate(noise, (0, 1))
