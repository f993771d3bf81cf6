"""The law at times far beyond the relaxation, and at the smallest and largest ones."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from sciml.biology.network import Network
from sciml.biology.simulation import projection_flow
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.errors import ConvergenceError
from tests.biology.simulation.small_networks import birth_death, extinction, parse, telegraph, telegraph_law

LATE = [1e3, 1e6, 1e9, 1e15]


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_the_telegraph_gene_long_after(scale: float) -> None:
    rates = (0.3 * scale, 0.5 * scale, 60.0, 1.0)
    began = time.process_time()
    law = finite_state_projection(telegraph(*rates), LATE[1:], tolerance=1e-9)
    assert time.process_time() - began < 20
    for t in LATE[1:]:
        p = law.marginal("P", t)
        error = abs(p - telegraph_law(np.arange(len(p)), *rates)).sum()
        assert error <= law.lost_mass(t) + law.integrator_bound(t) + 1e-12
        assert law.lost_mass(t) <= 1e-9 and law.integrator_bound(t) < 1e-6


def test_birth_and_death_long_after() -> None:
    law = finite_state_projection(birth_death(50.0), LATE)
    for t in LATE:
        p = law.marginal("X", t)
        true = stats.poisson(50).pmf(np.arange(len(p)))
        assert (p <= true + law.integrator_bound(t)).all()
        assert abs(true - p).sum() <= law.lost_mass(t) + law.integrator_bound(t)


def test_what_leaks_goes_on_leaking() -> None:
    """A set that may not grow: what is left decays at the smallest eigenvalue of its generator."""
    law = finite_state_projection(birth_death(10.0), [1e3, 2e3, 3e5], max_states=25)
    left = np.arange(25)
    generator = np.diag(np.full(24, 10.0), -1) + np.diag(left[1:].astype(float), 1) - np.diag(10.0 + left)
    values, vectors = np.linalg.eig(generator)
    slowest = int(np.argmax(values.real))
    share = vectors[:, slowest].real * np.linalg.inv(vectors)[slowest, 0].real
    for t in law.times:
        np.testing.assert_allclose(law.p[law.at(t)], share * np.exp(values[slowest].real * t), rtol=1e-6, atol=1e-14)
        assert law.lost_mass(t) == pytest.approx(1 - share.sum() * np.exp(values[slowest].real * t), rel=1e-6)


def test_a_chain_at_all_times() -> None:
    k, n = 1e-3, 20
    net = Network("chain", species={"A": n, "B": 0, "C": 0}, reactions=[parse("c", "A -> B", rate=k), parse("d", "B -> C", rate=2 * k)])
    law = finite_state_projection(net, [1e-300, 1e2, 1e3, 1e4, 1e9, 1e300])
    for t in law.times:
        a, c = np.exp(-k * t), (1 - np.exp(-k * t)) ** 2  # B has the rest: A -> B -> C with 2 k
        for id, share in (("A", a), ("C", c)):
            p = law.marginal(id, t)
            np.testing.assert_allclose(p, stats.binom(n, share).pmf(np.arange(len(p))), atol=1e-6)


def test_fates_keep_their_shares() -> None:
    net = Network("fate", species={"A": 1, "B": 0, "C": 0}, reactions=[parse("b", "A -> B", rate=1.0), parse("c", "A -> C", rate=2.0)])
    law = finite_state_projection(net, [1e9])
    np.testing.assert_allclose([law.marginal(id, 1e9)[-1] for id in "BC"], [1 / 3, 2 / 3], atol=1e-12)
    dead = finite_state_projection(extinction(), [1e9])
    assert dead.marginal("X", 1e9)[0] == pytest.approx(1.0, abs=1e-6)


def test_a_large_set_goes_on_where_it_only_decays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection_flow, "_SMALL", 10)
    law = finite_state_projection(birth_death(50.0), [1e3, 1e6])
    for t in law.times:
        p = law.marginal("X", t)
        error = abs(stats.poisson(50).pmf(np.arange(len(p))) - p).sum()
        assert error <= law.lost_mass(t) + law.integrator_bound(t)
    monkeypatch.setattr(projection_flow, "_MOST_WORK", 1e6)
    monkeypatch.setattr(projection_flow, "_PATIENCE", 1e6)
    with pytest.raises(ConvergenceError, match="still moves at time"):
        finite_state_projection(telegraph(1e-7, 1e-7), [1e6])


def test_what_grows_without_end_is_given_up_when_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pure birth to 1e9 needs 1e9 states: after a hundredth of the usual patience, long before `_MOST_WORK`, it is said how far it came."""
    monkeypatch.setattr(projection_flow, "_PATIENCE", 1e8)
    began = time.process_time()
    with pytest.raises(ConvergenceError, match=r"still moves at time \S+ of 1e\+09"):
        finite_state_projection(Network("birth", species={"X": 0}, reactions=[parse("b", "-> X", rate=1.0)]), [1e9])
    assert time.process_time() - began < 20
