"""Rankings: order and distances."""

from __future__ import annotations

import json
import math

import pytest

from sciml.biology.cell import hill_readout, rank_cells
from sciml.biology.channel import Channel
from sciml.errors import ConfigError
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
