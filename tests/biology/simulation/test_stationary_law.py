"""Stationary laws against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sciml.biology.network import Network
from sciml.biology.simulation.stationary_law import stationary_law
from sciml.errors import ConvergenceError
from tests.biology.simulation.small_networks import birth_death, extinction, parse, telegraph, telegraph_law


def test_the_telegraph_gene() -> None:
    rates = (0.05, 0.2, 40.0, 1.0)  # bimodal
    law = stationary_law(telegraph(*rates), tolerance=1e-10)
    p = law.marginal("P", np.inf)
    np.testing.assert_allclose(p, telegraph_law(np.arange(len(p)), *rates), atol=1e-9)
    on, off, k, g = rates
    assert law.mean[0, 2] == pytest.approx(k * on / (on + off) / g, rel=1e-6)
    assert law.std[0, 2] ** 2 / law.mean[0, 2] == pytest.approx(1 + off / (on + off) * k / (on + off + g), rel=1e-6)
    assert law.boundary_mass <= 1e-10


def test_a_large_mean_is_reached_from_far() -> None:
    law = stationary_law(birth_death(1000.0), tolerance=1e-12)
    p = law.marginal("X", np.inf)
    np.testing.assert_allclose(p, stats.poisson(1000).pmf(np.arange(len(p))), atol=1e-9)


def test_what_is_cut_off_is_said(caplog) -> None:
    law = stationary_law(birth_death(50.0), max_states=45)
    assert "cut off at max_states=45" in caplog.text
    assert law.stopped == "max_states"
    assert law.boundary_mass > 0.01
    assert law.outflow > 0.1
    assert "boundary" in repr(law)


def test_an_absorbing_state_holds_everything() -> None:
    law = stationary_law(extinction())
    assert law.marginal("X", np.inf)[0] == 1.0


def test_a_law_that_depends_on_chance_is_refused() -> None:
    network = Network("fate", species={"A": 1, "B": 0, "C": 0}, reactions=[parse("b", "A -> B", rate=1.0), parse("c", "A -> C", rate=2.0)])
    with pytest.raises(ConvergenceError, match="2 closed classes"):
        stationary_law(network)


def test_what_may_grow_for_ever_has_no_law() -> None:
    """Of three that each divide twice as fast as they die one line dies out with probability (1/2)^3; below, all do."""
    growing = Network("lines", species={"X": 3}, reactions=[parse("b", "X -> 2 X", rate=1.0), parse("d", "X ->", rate=0.5)])
    with pytest.raises(ConvergenceError, match=r"probability 0.875 the numbers outgrow 2000 states"):
        stationary_law(growing, max_states=2000)
    dying = Network("lines", species={"X": 3}, reactions=[parse("b", "X -> 2 X", rate=0.9), parse("d", "X ->", rate=1.0)])
    law = stationary_law(dying, max_states=2000)
    assert law.marginal("X", np.inf)[0] == 1.0
    assert len(law.states) > 100  # the chance to pass 100 is 0.9^97, more than the tolerance
