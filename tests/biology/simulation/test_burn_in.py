"""Cells brought to rest before they are dosed, by every method that has cells, against closed forms (|z| <= 4.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sciml.biology.datasets import load_pathway
from sciml.biology.distributions import LogNormal
from sciml.biology.formula import as_expression
from sciml.biology.network import Event, Network, Parameter, Rule
from sciml.biology.simulation.burn_in import started
from sciml.biology.simulation.extrinsic import draw_cells
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.simulation.methods import METHODS
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.errors import ConfigError, ConvergenceError
from tests.biology.simulation.small_networks import KERNELS, birth_death, own_kernel, parse, telegraph

_N = 4000
_SAMPLED = [name for name, method in METHODS.items() if method.sampled]


def test_cells_come_to_rest_without_ligand() -> None:
    """On and off fill with the ligand; without it there is off only."""
    network = telegraph(on=2.0, off=1.0, k=10.0)
    cells = {"g": np.array([0.5, 1.0, 2.0])}
    rest = started(simulate_ssa, network, "steady_state", 3, 0, parameters=cells)
    np.testing.assert_allclose(rest["On"], 2 / 3, rtol=1e-9)
    np.testing.assert_allclose(rest["P"], 20 / 3 / cells["g"], rtol=1e-9)
    quiet = started(simulate_ssa, network, 40.0, 3, 0, parameters=cells, before={"a": 0.0})
    assert (quiet["Off"] == 1).all()
    assert (quiet["P"] == 0).all()
    assert "a" not in quiet
    assert started(simulate_ssa, network, "given", 3, 0, parameters=cells) == cells
    with pytest.raises(ConfigError, match="start: found 'rest'"):
        simulate_ssa(network, [1.0], n=3, start="rest")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", _SAMPLED)
def test_a_burn_in_at_another_rate(method: str) -> None:
    """Poisson of mean 40 at time 0, of mean 100 - 60 exp(-t) at t."""
    found = METHODS[method].call(birth_death(100.0), [0.0, 0.7], n=_N, seed=5, start=20.0, before={"k": 40.0}, **own_kernel(method))
    assert found.kernel == KERNELS[method]
    mean = 100 - 60 * np.exp(-found.times)
    allowed = 0.05 if method == "langevin" else 0.0  # of the spread, as of a run from the start given
    assert (abs(found.mean[:, 0] - mean) / np.sqrt(mean) < allowed + 4.5 / np.sqrt(_N)).all()
    assert (abs(found.std[:, 0] / np.sqrt(mean) - 1) < allowed + 4.5 / np.sqrt(2 * _N)).all()


@pytest.mark.parametrize("method", _SAMPLED)
def test_every_cell_has_its_own_steady_state(method: str) -> None:
    cells = {"k": LogNormal(cv=0.3)}
    own = own_kernel(method)
    found = METHODS[method].call(birth_death(100.0), [0.0], n=200, seed=3, start="steady_state", extrinsic=cells, **own)
    assert found.kernel == KERNELS[method]
    rest = draw_cells(birth_death(100.0), cells, 200, 3)["k"]
    if method == "langevin":
        np.testing.assert_allclose(found.amounts[:, 0, 0], rest, rtol=1e-9)
    else:  # the whole numbers around it
        assert (abs(found.amounts[:, 0, 0] - rest) < 1).all()
        assert abs((found.amounts[:, 0, 0] - rest).mean()) < 4.5 * 0.5 / np.sqrt(200)


def test_deterministic_cells_begin_at_rest() -> None:
    found = simulate_ode(birth_death(100.0), [0.0, 0.7], {"g": [0.5, 2.0]}, start="steady_state", before={"k": 40.0})
    g = np.array([[0.5], [2.0]])
    np.testing.assert_allclose(found.amounts[:, :, 0], 100 / g - 60 / g * np.exp(-g * found.times), rtol=1e-7)
    ran = simulate_ode(birth_death(100.0), [0.0], start=1.5, before={"k": 40.0})
    np.testing.assert_allclose(ran.amounts, [[40 * (1 - np.exp(-1.5))]], rtol=1e-7)
    some = simulate_ode(birth_death(), [0.0], extrinsic={"k": LogNormal(0.3)}, n=20, seed=3, start="steady_state")
    np.testing.assert_allclose(some.amounts[:, 0, 0], draw_cells(birth_death(), {"k": LogNormal(0.3)}, 20, 3)["k"], rtol=1e-9)


@pytest.mark.parametrize("start", ["steady_state", 30.0])
def test_what_happens_later_has_not_happened_before(start: Any) -> None:
    """A dose at 20, a pulse from 0 to 5, an event at 0: none of them is felt before time 0, all of them once after it."""
    dose = Event("dose", as_expression("time > 20"), (("X", as_expression("X + 1000")),))
    at_once = Event("at_once", as_expression("time >= 0"), (("Y", as_expression("Y + 1")),), initial_value=False)
    pulse = Rule("assignment", as_expression("piecewise(50, time >= 0 && time < 5, 0)"), "input")
    network = Network(
        "dosed",
        species={"X": 0, "Y": 0, "Z": 0},
        parameters=[Parameter("input", constant=False), Parameter("k", 10.0)],
        rules=[pulse],
        reactions=[
            parse("in", "-> X", law="k"),
            parse("out", "X ->", law="X"),
            parse("felt", "-> Z", law="input"),
            parse("gone", "Z ->", law="Z"),
        ],
        events=[dose, at_once],
    )
    found = simulate_ode(network, [0.0, 5.0, 20.0, 20.5], start=start)
    x, y, z = (found.select(id) for id in "XYZ")
    np.testing.assert_allclose(x, [10, 10, 10, 10 + 1000 * np.exp(-0.5)], rtol=1e-7)
    assert (y == 1).all()
    np.testing.assert_allclose(z[:2], [0, 50 * (1 - np.exp(-5))], rtol=1e-6, atol=1e-9)
    exact = simulate_ssa(network, [0.0, 20.5], n=400, seed=1, start=start)
    assert abs(exact.select("X")[:, 0].mean() - 10) < 4.5 * np.sqrt(10 / 400)
    assert abs(exact.select("X")[:, 1].mean() - x[3]) < 4.5 * np.sqrt(x[3] / 400)
    assert (exact.select("Y") == 1).all()
    assert (exact.select("Z")[:, 0] == 0).all()


def test_all_that_moves_is_carried_on() -> None:
    """A parameter by a rate rule, a concentration in a volume, a sum that an initial assignment made of the starts."""
    network = Network(
        "adapting",
        species={"X": 8.0},
        parameters=[Parameter("m", 0.0, constant=False), Parameter("whole", constant=True), Parameter("k", 3.0)],
        rules=[Rule("rate", as_expression("k - m"), "m")],
        reactions=[parse("out", "X ->", law="X")],
        initial_assignments=[("whole", as_expression("2 * X"))],
    )
    found = simulate_ode(network, [0.0], start=1.0)
    np.testing.assert_allclose(found.select("m"), 3 * (1 - np.exp(-1.0)), rtol=1e-7)
    np.testing.assert_allclose(found.select("X"), 8 * np.exp(-1.0), rtol=1e-7)
    assert found.select("whole") == [16.0]
    rest = simulate_ode(network, [0.0], start="steady_state", before={"k": 5.0})
    np.testing.assert_allclose(rest.select("m"), 5.0, rtol=1e-9)


def test_a_product_that_only_adds_up_begins_as_it_is_given() -> None:
    network = birth_death(100.0).with_(species={"S": 3.0}, reactions=[parse("secrete", "X -> X + S", rate=1.0)])
    found = simulate_ode(network, [0.0, 1.0], {"g": [1.0, 2.0]}, start="steady_state")
    np.testing.assert_allclose(found.select("X"), [[100, 100], [50, 50]], rtol=1e-7)
    np.testing.assert_allclose(found.select("S"), [[3, 103], [3, 53]], rtol=1e-7)
    with pytest.raises(ConvergenceError, match="'S' adds up without end"):
        linear_noise(network, [1.0], start="steady_state")


def test_rounding_leaves_nothing_below_zero() -> None:
    """Without ligand most of the cascade is empty: a solver of f(y) = 0 leaves +-1e-32 there, and counts begin at 0."""
    network = load_pathway("signalling")
    given = started(simulate_ssa, network, "steady_state", 3, 0, before={"L": 0.0}, parameters={"L": np.array([0.1, 1.0, 10.0])})
    assert min(np.min(given[id]) for id in ("R", "RL", "K", "Kp", "Off", "On", "M", "P")) >= 0
    cells = simulate_ssa(network, [0.0], 3, parameters={"L": 1.0}, start="steady_state", before={"L": 0.0})
    assert (cells.select("RL") == 0).all()


def test_no_steady_state_names_the_cell() -> None:
    growth = birth_death().with_(reactions=[parse("birth", "X -> 2 X", rate="k"), parse("death", "X ->", rate="g")]).set(X=1)
    with pytest.raises(ConvergenceError, match="start: .*no steady state"):
        started(simulate_ssa, growth, "steady_state", 3, 0)
    with pytest.raises(ConvergenceError, match="start: cell 1: .*no steady state"):
        simulate_ode(growth, [1.0], {"k": [0.5, 2.0]}, start="steady_state")


def test_a_burn_in_that_is_stopped_gives_nothing() -> None:
    def stopped(*_: Any, **options: Any) -> Any:
        return replace(simulate_ssa(birth_death(), [1.0], n=2), asked=5)

    with pytest.raises(KeyboardInterrupt):
        started(stopped, birth_death(), 3.0, 5, 0)


def test_delays_have_no_burn_in() -> None:
    network = Network("echo", species={"X": 1.0}, reactions=[parse("out", "X ->", law="delay(X, 2)")])
    with pytest.raises(ConfigError, match="looks back in time"):
        simulate_ode(network, [1.0], start=5.0)
