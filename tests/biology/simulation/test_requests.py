"""Arguments that cannot be meant are refused by name, before anything is computed, in the same words by every simulator."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import numpy as np
import pytest

from sciml.biology.distributions import LogNormal
from sciml.biology.simulation.first_passage import first_passage
from sciml.biology.simulation.forecast import forecast
from sciml.biology.simulation.hybrid import simulate_hybrid
from sciml.biology.simulation.jump_model import CountingOptions
from sciml.biology.simulation.langevin import simulate_langevin
from sciml.biology.simulation.linear_noise import linear_noise, stationary_noise
from sciml.biology.simulation.noise_parts import noise_parts
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.requests import check_cells
from sciml.biology.simulation.scan import scan
from sciml.biology.simulation.sensitivities import sensitivities
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.state_projection import finite_state_projection, transition_matrix
from sciml.biology.simulation.stationary_law import stationary_law
from sciml.biology.simulation.steady_state import steady_state
from sciml.biology.simulation.tau_leaping import simulate_tau
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death

_WRONG: dict[str, list[Any]] = {
    "n": [True, 0, -3, 2.5, "3", np.bool_(True), 2**63],
    "seed": [-1, 2**64, 1.5, "a", True, None],
    "parameters": ["x", 5, [1], {3: 1.0}, {"k", "g"}],
    "extrinsic": [5, "k", {"k": 0.3}, {1: LogNormal(0.3)}],
    "start": ["rest", -1, np.nan, np.inf, [1], True, None, np.zeros(2)],
    "before": [3, {"k": "a"}, {"k": np.ones(3)}, {"k": np.nan}, {1: 0.0}],
    "record": ["x", 3, None, ["grid"], np.array(["grid", "final"])],
    "initial": ["x", 1],
    "substance": ["x", 1],
    "split_reversible": [3, "no", None],
    "discrete_mass_action": [3, "no", None],
    "budget": ["x", 0, -1.0, np.nan],
    "device": ["x", None],
    "threads": ["a", 0, 1.5, True],
    "progress": [3, "x"],
    "epsilon": ["a", 0.0, 0.6, np.float64(-1.0), None],
    "fallback": [3, "x"],
    "boundary": [3, "x"],
    "net": [3, None, "x"],
    "rtol": [0.0, 1.0, "x", True, np.nan],
    "atol": [True, -1.0, np.inf, {"X": None}, "x"],
    "tolerance": ["small", 0.0, 1.0, np.nan],
    "max_states": [0, 1.5, True],
}
_RIGHT: dict[str, list[Any]] = {
    "n": [1, np.int64(3)],
    "seed": [0, 2**64 - 1, np.uint64(2**64 - 1)],
    "parameters": [None, {}, {"k": [1.0, 2.0]}],
    "extrinsic": [None, {"k": LogNormal(0.3)}],
    "start": ["given", "steady_state", 0, 2.5, np.float32(3.0), np.int64(2)],
    "record": ["grid", "final", "moments"],
    "threads": [None, 1],
    "progress": [None, print],
}


_CALLS = (
    simulate_ode, simulate_ssa, simulate_tau, simulate_langevin, simulate_hybrid, forecast, first_passage, linear_noise, stationary_noise,
    finite_state_projection, transition_matrix, stationary_law, steady_state, sensitivities, scan, noise_parts,
)  # fmt: skip
_NEEDED = {
    "net": birth_death(), "times": [1.0], "condition": "X > 3", "wrt": ["k"], "values": {"k": [1.0]}, "simulate": simulate_ssa,
    "extrinsic": {"k": LogNormal(0.3)}, "dose": "k", "doses": [1.0], "readout": "X", "time": 1.0,
}  # fmt: skip


def _asked(call: Any) -> set[str]:
    """The arguments of a call, those of a TypedDict among them."""
    given = inspect.signature(call).parameters
    packed = get_type_hints(CountingOptions) if "counting" in given else {}
    return {*given, *packed}


def _needed(call: Any) -> dict[str, Any]:
    return {p.name: _NEEDED[p.name] for p in inspect.signature(call).parameters.values() if p.default is p.empty and p.name in _NEEDED}


@pytest.mark.parametrize("call", _CALLS, ids=lambda call: call.__name__)
def test_what_cannot_be_meant_is_refused_by_call_and_name(call: Any) -> None:
    given = inspect.signature(call).parameters
    named = [name for name in _WRONG if name in _asked(call)]
    assert named
    for name in named:
        for value in _WRONG[name]:
            if value is None and name in given and given[name].default is None:
                continue
            with pytest.raises(ConfigError, match=f"^{call.__name__}: {name}: .*found .*, expected ") as raised:
                call(**{**_needed(call), name: value})
            assert "np." not in str(raised.value)
            assert len(str(raised.value)) < 250


@pytest.mark.parametrize("call", _CALLS, ids=lambda call: call.__name__)
def test_an_argument_that_there_is_not_is_said_of_the_call(call: Any) -> None:
    if "options" in inspect.signature(call).parameters:
        return  # those of another call
    for name in ("reccord", "whole", "signed", "_store"):
        with pytest.raises(TypeError, match=rf"^{call.__name__}\(\) got an unexpected keyword argument '{name}'"):
            call(**{**_needed(call), name: True})


def test_what_can_be_meant_passes() -> None:
    for name, values in _RIGHT.items():
        for value in values:
            simulate_ssa(**{"net": birth_death(), "times": [0.01], "n": 2, name: value})
    simulate_ssa(birth_death(), [0.01], n=2, start=3.0, before={"k": np.float64(0.0), "X": 3})
    simulate_ode(birth_death(), [0.01], rtol=np.float32(1e-6), atol=np.float64(1e-9))


def test_what_belongs_together_is_looked_at_together() -> None:
    with pytest.raises(ConfigError, match="before: 'kk' is no parameter.*; did you mean 'k'"):
        check_cells(birth_death(), start=1.0, before={"kk": 0.0})
    with pytest.raises(ConfigError, match="before: found start='given'"):
        check_cells(birth_death(), before={"k": 0.0})
    with pytest.raises(ConfigError, match="extrinsic: 'k' is given in parameters as well"):
        check_cells(birth_death(), parameters={"k": 1.0}, extrinsic={"k": LogNormal(0.3)})
    check_cells(birth_death(), start=3.0, before={"k": 0.0})
