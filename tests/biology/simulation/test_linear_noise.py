"""Linear noise: exact on linear networks, to 1e-6; Lorentzian spectra; what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciml.biology.datasets import load_pathway
from sciml.biology.formula import as_expression
from sciml.biology.network import Network, Parameter, Rule
from sciml.biology.simulation.linear_noise import linear_noise, stationary_noise
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.errors import ConfigError, ConvergenceError
from tests.biology.simulation.small_networks import birth_death, dimerisation, extinction, parse, telegraph


def test_birth_death_and_branching_are_exact() -> None:
    t = np.array([0.0, 0.3, 1.0, 4.0])
    found = linear_noise(birth_death(50.0, start=20), t)
    mean, decayed = 50 + (20 - 50) * np.exp(-t), np.exp(-t)
    np.testing.assert_allclose(found.mean[:, 0], mean, rtol=1e-8)
    np.testing.assert_allclose(found.std[:, 0] ** 2, 50 * (1 - decayed) + 20 * decayed * (1 - decayed), rtol=1e-7, atol=1e-9)
    b, d = 1.0, 1.2
    branching, growth = linear_noise(extinction(), t), np.exp((b - d) * t)
    np.testing.assert_allclose(branching.mean[:, 0], 8 * growth, rtol=1e-8)
    np.testing.assert_allclose(branching.std[:, 0] ** 2, 8 * (b + d) / (b - d) * growth * (growth - 1), rtol=1e-7, atol=1e-9)


def test_a_switching_gene_is_exact_although_it_is_far_from_gaussian() -> None:
    law = finite_state_projection(telegraph(), [0.5, 3.0], tolerance=1e-10)
    found = linear_noise(telegraph(), [3.0, 0.5, 3.0])
    np.testing.assert_allclose(found.mean[[1, 0]], law.mean, rtol=1e-6)
    np.testing.assert_allclose(found.std[[1, 0]], law.std, rtol=1e-6)
    np.testing.assert_array_equal(found.mean[0], found.mean[2])
    np.testing.assert_allclose(found.covariance[:, 0, 1], -found.covariance[:, 1, 1], rtol=1e-9)


def test_the_stationary_telegraph_gene() -> None:
    on, off, k, g = 0.3, 0.5, 60.0, 1.0
    found = stationary_noise(telegraph(on, off, k, g))
    mean, fano = k * on / (on + off) / g, 1 + off / (on + off) * k / (on + off + g)
    assert found.mean[0, 2] == pytest.approx(mean, rel=1e-9)
    assert found.std[0, 2] ** 2 / mean == pytest.approx(fano, rel=1e-9)


def test_spectra() -> None:
    found = stationary_noise(birth_death(50.0, g=2.0))
    w = np.array([0.0, 1.0, 7.0])
    np.testing.assert_allclose(found.spectrum(w)[:, 0], 2 * 50 / (w**2 + 4), rtol=1e-9)
    w = np.tan(np.linspace(-np.pi / 2, np.pi / 2, 4003)[1:-1])
    gene = stationary_noise(telegraph())
    total = np.trapezoid(gene.spectrum(w)[:, 2] * (1 + w**2), np.arctan(w)) / (2 * np.pi)
    assert total == pytest.approx(gene.std[0, 2] ** 2, rel=1e-3)


def test_units_and_rules() -> None:
    rule = Rule("assignment", as_expression("3 * X + 1"), "y")
    network = birth_death(50.0).with_(parameters=[Parameter("y", None, constant=False)], rules=[rule])
    found = linear_noise(network, [2.0])
    mean, std = found.select("y")
    assert mean[0] == pytest.approx(3 * found.mean[0, 0] + 1)
    assert std[0] == pytest.approx(3 * found.std[0, 0])


def _fed(law: str) -> Network:
    reactions = [parse("in", "-> X", law=as_expression(law)), parse("out", "X ->", rate=0.1)]
    return Network("fed", species={"X": 0}, reactions=reactions)


def test_pulses_are_felt_whatever_the_times() -> None:
    found = linear_noise(_fed("piecewise(1000, time > 5 && time < 5.01, 0)"), [25.0])
    assert found.mean[0, 0] == pytest.approx(1e4 * (1 - np.exp(-0.001)) * np.exp(-1.999), rel=1e-6)
    assert found.std[0, 0] ** 2 == pytest.approx(found.mean[0, 0], rel=1e-6)  # Poisson


def test_what_has_no_linear_noise_is_refused() -> None:
    with pytest.raises(ConvergenceError, match="no steady state"):
        stationary_noise(Network("growth", species={"X": 1}, reactions=[parse("b", "X -> 2 X", rate=1.0)]))
    with pytest.raises(ConfigError, match="not linear in time"):
        linear_noise(_fed("piecewise(1, sin(time) > 0.5, 0)"), [1.0])


def test_nonlinear_networks_are_close_only() -> None:
    law, found = finite_state_projection(dimerisation(), [2.0]), linear_noise(dimerisation(), [2.0])
    assert abs(found.mean - law.mean).max() > 1e-3  # the approximation shows
    assert abs(found.mean - law.mean).max() < 1.0


@pytest.mark.parametrize("start", ["steady_state", 40.0])
def test_a_start_at_rest_has_its_noise(start: Any) -> None:
    """Poisson of mean 40 at time 0 (a pulse from there on is not felt before), of mean 100 - 60 exp(-t) at t."""
    rise = Network(
        "rise", species={"X": 5.0}, parameters={"k": 100.0}, reactions=[
            parse("in", "-> X", law="piecewise(k, time >= 0, 40)"), parse("out", "X ->", law="X"),
        ],
    )  # fmt: skip
    for found in (
        linear_noise(birth_death(100.0), [0.0, 0.7], start=start, before={"k": 40.0}),
        linear_noise(rise, [0.0, 0.7], start=start),
    ):
        mean = 100 - 60 * np.exp(-found.times)
        np.testing.assert_allclose(found.mean[:, 0], mean, rtol=1e-7)
        np.testing.assert_allclose(found.covariance[:, 0, 0], mean, rtol=1e-7)
    dosed = linear_noise(birth_death(100.0, start=7.0), [0.0], start=start, before={"X": 3.0})  # X is as the model says again
    assert (dosed.mean[0, 0], dosed.std[0, 0]) == (7.0, 0.0)


def test_what_oscillates_has_no_noise_at_rest() -> None:
    with pytest.raises(ConvergenceError, match="no steady state"):
        stationary_noise(load_pathway("mapk"))


def test_sums_that_are_kept_are_those_of_the_start_in_whole_numbers() -> None:
    reactions = [parse("f", "A -> B", rate=1.0), parse("b", "B -> A", rate=3.0)]
    network = Network("sum", species={"A": 9.6, "B": 0.0}, reactions=reactions)
    np.testing.assert_allclose(stationary_noise(network).mean[0], [7.2, 2.4], rtol=1e-10)
    np.testing.assert_allclose(stationary_noise(network, initial="round").mean[0], [7.5, 2.5], rtol=1e-10)


@pytest.mark.parametrize("t", [1e-300, 1e-12, 1e3, 1e9, 1e15])
def test_tiny_and_late_times(t: float) -> None:
    found = linear_noise(birth_death(50.0), [t])
    mean = -50 * np.expm1(-t)
    assert found.mean[0, 0] == pytest.approx(mean, rel=1e-7, abs=0.0)
    assert found.std[0, 0] ** 2 == pytest.approx(mean, rel=1e-6, abs=0.0)  # Poisson


@pytest.mark.parametrize("t", [1e300, 1e307])
def test_the_latest_times_end(t: float) -> None:
    """With the value at rest, or with an error that says what could not be done."""
    for net, rest in ((birth_death(50.0), 50.0), (Network("growth", species={"X": 1}, reactions=[parse("b", "X -> 2 X", rate=1.0)]), None)):
        try:
            assert linear_noise(net, [t]).mean[0, 0] == pytest.approx(rest, rel=1e-6)
        except ConvergenceError as error:
            assert "linear noise" in str(error)
