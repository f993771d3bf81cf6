"""Arguments that cannot be meant are refused by name, before anything is computed, in the same words by every simulator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciml.biology.distributions import LogNormal
from sciml.biology.simulation.requests import check_request
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death

_WRONG: dict[str, list[Any]] = {
    "n": [True, 0, -3, 2.5, "3", None, np.bool_(True), 2**63],
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


@pytest.mark.parametrize("name", sorted(_WRONG))
def test_what_cannot_be_meant_is_refused_by_name(name: str) -> None:
    for value in _WRONG[name]:
        with pytest.raises(ConfigError, match=f"^{name}: found .*, expected ") as raised:
            check_request(birth_death(), **{name: value})
        assert "np." not in str(raised.value)
        assert len(str(raised.value)) < 250


def test_what_can_be_meant_passes() -> None:
    for name, values in _RIGHT.items():
        for value in values:
            check_request(birth_death(), **{name: value})
    check_request(birth_death(), start=3.0, before={"k": np.float64(0.0), "X": 3})


def test_a_network_is_a_network() -> None:
    with pytest.raises(ConfigError, match="net: found 3, expected a Network"):
        check_request(3)  # type: ignore[arg-type]


def test_what_belongs_together_is_looked_at_together() -> None:
    with pytest.raises(ConfigError, match="before: 'kk' is no parameter.*; did you mean 'k'"):
        check_request(birth_death(), start=1.0, before={"kk": 0.0})
    with pytest.raises(ConfigError, match="before: found start='given'"):
        check_request(birth_death(), start="given", before={"k": 0.0})
    with pytest.raises(ConfigError, match="extrinsic: 'k' is given in parameters as well"):
        check_request(birth_death(), parameters={"k": 1.0}, extrinsic={"k": LogNormal(0.3)})
    with pytest.raises(ConfigError, match="reccord: there is no such argument; did you mean 'record'"):
        check_request(birth_death(), reccord="grid")
