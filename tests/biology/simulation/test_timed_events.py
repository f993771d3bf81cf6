"""Events whose times are known before the run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciml.biology.formula import as_expression
from sciml.biology.network import Event, Species
from sciml.biology.simulation.jump_model import JumpModel, jump_model
from sciml.biology.simulation.timed_events import timed_kicks
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import birth_death


def _model(*triggers: str, **options: Any) -> JumpModel:
    events = [Event(f"e{i}", as_expression(t), (("X", as_expression("X + k")),), initial_value=i != 1) for i, t in enumerate(triggers)]
    return jump_model(birth_death(10.0).with_(events=events), "test", timed=True, real=True, stops=True, **options)


def test_kicks_come_when_a_trigger_turns_true() -> None:
    model = _model("rem(time, 10) >= 4", "time >= 0")
    kicks = timed_kicks(model, 30.0)
    assert [(k.event.id, pytest.approx(k.time)) for k in kicks] == [("e1", 0.0), ("e0", 4.0), ("e0", 14.0), ("e0", 24.0)]
    assert kicks[0].applied(model, np.array([[1.0], [2.0]])).tolist() == [[11.0], [12.0]]
    assert timed_kicks(_model("time > 40"), 30.0) == []


def test_what_is_not_known_before_is_refused() -> None:
    with pytest.raises(ConfigError, match="fire at once"):
        timed_kicks(_model("time > 3", "time > 3"), 5.0)
    with pytest.raises(ConfigError, match="in different cells"):
        timed_kicks(_model("time > k", n=2, parameters={"k": np.array([2.0, 3.0])}), 5.0)


def test_what_comes_just_after_a_time() -> None:
    kicks = timed_kicks(_model("time >= 3", "time > 3"), 5.0)
    assert [(k.event.id, k.time, k.late) for k in kicks] == [("e0", 3.0, False), ("e1", 3.0, True)]
    assert [(k.time, k.late) for k in timed_kicks(_model("time < 0", "time > 0"), 5.0)] == [(0.0, True)]


def test_events_at_once_whose_order_does_not_matter() -> None:
    def both(first: str, second: str) -> JumpModel:
        events = [Event(id, as_expression("time >= 2"), ((id, as_expression(v)),)) for id, v in (("X", first), ("Y", second))]
        net = birth_death(10.0).with_(species=[Species("Y", 0.0)], events=events)
        return jump_model(net, "test", timed=True, real=True, stops=True)

    assert [k.event.id for k in timed_kicks(both("X + 1", "7"), 5.0)] == ["X", "Y"]
    with pytest.raises(ConfigError, match="'Y' and 'X' fire at once"):
        timed_kicks(both("X + 1", "X"), 5.0)
