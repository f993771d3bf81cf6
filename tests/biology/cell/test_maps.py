"""Design maps: each entry is the efficiency of that design."""

from __future__ import annotations

import json

import pytest

from sciml.biology.cell import cell_efficiency, efficiency_map, hill_readout
from sciml.biology.channel import Channel
from sciml.errors import DataError
from tests.biology.cell.cases import FEW, P_E, two_environments


def test_entries_are_cells():
    found = efficiency_map(P_E, two_environments(FEW), FEW, hill=[1.0, 2.0], half_point=[1.0, 3.0], copies=[5.0, 50.0])
    cell = cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(hill_readout(FEW, 2.0, 3.0, 50.0)))
    assert found.efficiency_low[1, 1, 1] == pytest.approx(cell.efficiency_low) and found.i_es[1, 1, 1] == pytest.approx(cell.i_es.bits)
    assert (found.i_ls[:, :, 1] > found.i_ls[:, :, 0]).all()  # more copies, less noise
    assert found.best == (2.0, 1.0, 50.0) and not found.refused
    json.dumps(found.to_dict(), allow_nan=False)
    assert len(found.to_sections()[0].blocks) == 3


def test_readout_is_poisson():
    from scipy.stats import poisson

    law = hill_readout([1.0], 2.0, 1.0, 20.0)
    assert law.sum() == pytest.approx(1) and law[0, 7] == pytest.approx(poisson.pmf(7, 10.1), rel=1e-6)
    assert hill_readout([0.0, 1e30], 1.0, 1.0, 4.0, background=0.0)[0, 0] == 1


def test_refused():
    with pytest.raises(DataError, match="hill"):
        efficiency_map(P_E, two_environments(FEW), FEW, hill=[0.0])
    with pytest.raises(DataError, match="ligand"):
        efficiency_map(P_E, two_environments(FEW), -FEW)


@pytest.mark.parametrize("axis", ["ligand", "hill"])
def test_axes_of_texts(axis):
    options = {"ligand": FEW} | {axis: ["a"] * len(FEW)}
    with pytest.raises(DataError, match=f"{axis}: found"):
        efficiency_map(P_E, two_environments(FEW), **options)
