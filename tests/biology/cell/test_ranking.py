"""Rankings: order and distances."""

from __future__ import annotations

import json
import math

import pytest

from sciml.biology.cell import hill_readout, rank_cells
from sciml.biology.channel import Channel
from sciml.errors import ConfigError, DataError
from tests.biology.cell.cases import FEW, P_E, two_environments


def test_order_of_enumerated_cells():
    channels = {
        name: Channel.from_matrix(hill_readout(FEW, hill, 1.0, 50.0)) for name, hill in (("flat", 1.0), ("steep", 4.0), ("mid", 2.0))
    }
    found = rank_cells(P_E, two_environments(FEW), channels)
    assert found.names == ("steep", "mid", "flat") and found.above_next == (math.inf, math.inf)
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.to_sections()[0].blocks[0].columns["cell"][0] == "steep"


def test_equal_cells_are_not_told_apart():
    law = hill_readout(FEW, 1.0, 1.0, 50.0)
    found = rank_cells(P_E, two_environments(FEW), {"a": Channel.from_matrix(law), "b": Channel.from_matrix(law)})
    assert found.above_next == (0.0,)
    with pytest.raises(ConfigError, match="at least two"):
        rank_cells(P_E, two_environments(FEW), {"a": Channel.from_matrix(law)})


def test_without_an_efficiency_last_and_other_doses_refused():
    p_l = [[0.8, 0.2], [0.2, 0.8]]
    noise, signal = Channel.from_matrix([[0.5, 0.5], [0.5, 0.5]]), Channel.from_matrix([[0.9, 0.1], [0.1, 0.9]])
    assert rank_cells(P_E, p_l, {"noise": noise, "signal": signal}).names == ("signal", "noise")
    with pytest.raises(DataError, match="'other' has the doses"):
        rank_cells(P_E, p_l, {"signal": signal, "other": Channel.from_matrix([[0.9, 0.1], [0.1, 0.9]], doses=[5, 6])})
