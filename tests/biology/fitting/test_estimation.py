"""Fits: against scipy, their intervals against the truth, failed starts, the same bits for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import curve_fit

from sciml.biology import Network, Reaction, fit, load_sbml
from sciml.biology.fitting.parameters import FitParameter, Prior
from sciml.biology.fitting.tables import load_petab
from sciml.biology.simulation.ode import simulate_ode
from sciml.errors import ConfigError, ConvergenceError
from tests.biology.fitting.problems import PETAB, TIMES, chain, chain_data, chain_exact, chain_problem, write_petab

RANGES = {"k": (1e-3, 1e2), "d": (1e-3, 1e2)}


def test_a_fit_is_that_of_scipy():
    data = chain_data(3)
    found = fit(chain(), data, parameters=RANGES, starts=5, profiles=["k"])
    function = lambda _, k, d: np.concatenate(chain_exact(TIMES, k, d))  # noqa: E731
    measured = np.concatenate([v for _, v, _ in data.values()])
    best, covariance = curve_fit(function, None, measured, [0.4, 0.3], sigma=np.full(12, 0.2), absolute_sigma=True)
    np.testing.assert_allclose([found.parameters[id] for id in "kd"], best, rtol=1e-4)
    errors = np.sqrt(np.diag(covariance)) / (best * np.log(10))
    np.testing.assert_allclose([found.standard_errors[id] for id in "kd"], errors, rtol=1e-3)
    assert list(found.profiles) == ["k"] and found.profiles["k"].identified
    assert found.profiles["k"].low == pytest.approx(best[0] - 1.96 * np.sqrt(covariance[0, 0]), rel=0.02)
    assert found.log_likelihood == pytest.approx(found.problem.log_likelihood(found.parameters))


def test_estimated_noise_is_the_spread_about_the_fit():
    t = np.linspace(0, 8, 60)
    values = chain_exact(t)[0] + np.random.default_rng(2).normal(0, 0.25, len(t))
    found = fit(chain(), {"A": (t, values)}, parameters={"k": (0.01, 10)}, starts=4)
    residuals = values - chain_exact(t, found.parameters["k"])[0]
    assert found.parameters["sd_A"] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-3)
    assert found.standard_errors["sd_A"] * np.log(10) == pytest.approx(1 / np.sqrt(2 * len(t)), rel=1e-3)


def test_a_prior_pulls():
    problem = chain_problem(1)
    tight = replace(problem.parameters[0], prior=Prior("parameterScaleNormal", np.log10(0.7), 1e-3))
    found = fit(replace(problem, parameters=(tight, *problem.parameters[1:])), starts=3, profiles=False)
    assert found.parameters["k"] == pytest.approx(0.7, rel=5e-3) and found.log_prior > 0


def test_what_the_data_do_not_determine_is_said():
    found = fit(
        chain(),
        {"gain * A": (TIMES, chain_exact(TIMES)[0], 0.1)},
        parameters={"gain": (0.01, 100), "A": (0.1, 1e3), "k": (0.01, 10)},
        starts=4,
    )
    assert found.undetermined and "gain" in found.undetermined[0] and "A" in found.undetermined[0] and "k" not in found.undetermined[0]
    assert found.profiles["k"].identified and not found.profiles["gain"].identified
    assert found.profiles["gain"].low == pytest.approx(0.01, rel=1e-3) and found.profiles["A"].low_is_bound


def test_a_bound_is_met_on_one_side():
    found = fit(chain(), {"A": ([0.0, 0.1], [10.0, 10.1], 0.2)}, parameters={"k": (1e-4, 10)}, starts=3)
    assert found.profiles["k"].low_is_bound and not found.profiles["k"].high_is_bound


def test_failed_starts_are_counted_and_summed_up():
    net = Network(
        "root", species={"A": 4.0}, parameters={"k": 0.1, "c": 1.0}, reactions=[Reaction.parse("r", "A -> 0", law="k * sqrt(c - 2) * A")]
    )
    ranges = {"k": FitParameter("k", 0.01, 1), "c": FitParameter("c", 0.0, 4.0)}
    found = fit(net, {"A": (TIMES, 4 * np.exp(-0.1 * TIMES), 0.1)}, parameters=ranges, starts=12, profiles=False)
    assert found.failures == 6 and len(found.failed) == 1 and len(found.values) == 6
    message = found.failed[0].message
    assert all(word in message for word in ("time 0", "sqrt", "'A'", "'r'", "c = ")), message
    with pytest.raises(ConvergenceError, match="all 4 starts failed: 4 x"):
        fit(net, {"A": (TIMES, TIMES, 0.1)}, parameters=ranges | {"c": FitParameter("c", 0.0, 1.9)}, starts=4)


def test_the_same_seed_gives_the_same_bits():
    first, again, other = (fit(chain_problem(), starts=3, seed=seed, profiles=["d"]) for seed in (4, 4, 5))
    assert first == again and first.values != other.values
    assert first.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)


def test_starts_are_spread_and_follow_their_laws(tmp_path):
    from sciml.biology.fitting.estimation import _Search

    problem = load_petab(write_petab(tmp_path))
    own = replace(problem.parameters[2], start=Prior("normal", 5.0, 0.1))
    points = _Search(replace(problem, parameters=(*problem.parameters[:2], own, problem.parameters[3])), 0, 10).start_points(40)
    shares = (points[:, 0] + 2) / 4  # k_fast between 0.01 and 100
    assert sorted((shares * 40).astype(int)) == list(range(40))  # one in each part of its range
    assert abs(points[:, 2].mean() - 5) < 0.1 and points[:, 2].std() < 0.2


def test_estimated_problems_of_the_suite_fit_better_than_nominal():
    problem = load_petab(PETAB / "09-petab-row-overrides" / "problem.yaml")
    found = fit(problem, starts=4, profiles=False)
    assert found.log_likelihood > problem.log_likelihood() + 0.1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit(chain_problem(), {"A": ([1], [1])}), "its own data"),
        (lambda: fit(chain_problem(), profiles=["kk"]), "'kk' is no estimated parameter"),
        (lambda: fit(chain_problem(), level=1.0), "level"),
        (lambda: fit(chain_problem(), starts=0), "starts"),
        (lambda: fit(chain_problem(), starts=2.0), "starts"),
        (lambda: fit(chain_problem(), starts=True), "starts"),
        (lambda: fit(chain_problem(), iterations=0), "iterations"),
        (lambda: fit(chain(), chain_data(), parameters={"k": FitParameter("k", 0.0, 1.0, "log10")}), "not finite on its scale"),
        (lambda: fit(replace(chain_problem(), parameters=(FitParameter("k", estimated=False, nominal=1.0),))), "no parameter is estimated"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()


PATHWAY = PETAB.parent / "sbml" / "pathway.xml"
FITTED = ("k1", "k4", "k6", "k9", "k10", "k11")
NOISE = {"RL": 3.0, "Xp": 15.0, "M": 1.0, "P": 20.0}
WHEN = np.array([0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 11, 15, 20])


def covered(seeds, starts: int, spread: float = 1.0) -> tuple[int, int]:
    """(intervals that hold the truth, all intervals); `spread` of the noise put on, the fit believes 1."""
    net = load_sbml(PATHWAY)
    exact, truth = simulate_ode(net, WHEN), {p.id: p.value for p in net.parameters}
    held = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        data = {o: (WHEN, exact.select(o) + rng.normal(0, spread * sd, len(WHEN)), sd) for o, sd in NOISE.items()}
        found = fit(net, data, parameters={id: (truth[id] / 30, truth[id] * 30) for id in FITTED}, starts=starts, seed=seed)
        held += sum(p.low <= truth[id] <= p.high for id, p in found.profiles.items())
    return held, len(seeds) * len(FITTED)


def test_profile_intervals_hold_the_truth():
    """60 intervals of 95 %: fewer than 50 happen once in 1e5."""
    held, count = covered(range(10), starts=2)
    assert count == 60 and held >= 50


def test_intervals_of_a_fit_that_believes_too_little_noise_do_not():
    held, count = covered(range(3), starts=2, spread=5.0)
    assert held / count < 0.75


@pytest.mark.long
def test_profile_intervals_hold_the_truth_in_100_data_sets():
    held, count = covered(range(100), starts=20)
    assert 0.90 <= held / count <= 0.99
