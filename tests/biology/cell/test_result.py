"""Sections of a cell: the plane holds curve and cell, the bars what is lost."""

from __future__ import annotations

import pytest

from sciml.biology.cell import cell_efficiency, hill_readout
from sciml.biology.channel import Channel
from tests.biology.cell.cases import FEW, P_E, two_environments


def test_cell_sections():
    cell = cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(hill_readout(FEW, 1.0, 1.0, 5.0)), cost=2.0, cost_unit="ATP/s")
    section = cell.to_sections()[0]
    plane = next(block for block in section.blocks if getattr(block, "name", "") == "information plane")
    assert plane.traces[-1]["name"] == "cell" and plane.traces[-1]["x"] == [cell.i_ls.bits]
    assert any(figure.label == "cost" and figure.value == pytest.approx(2.0) for figure in section.blocks[0].figures)
    moving = cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(hill_readout(FEW, 1.0, 1.0, 5.0)), hold_ligand=False)
    assert any("Not defined" in getattr(block, "text", "") for block in moving.to_sections()[0].blocks)
