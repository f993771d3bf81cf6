from __future__ import annotations

import numpy as np

from sciml.biology.response_figures import law_section, response_section
from sciml.report import Figure, Table


def test_boxes_are_quantiles_of_the_cells_at_each_dose():
    which = np.repeat([0, 1], 101)
    y = np.concatenate([np.arange(101.0), 10 * np.arange(101.0)])[:, None]
    section = response_section(["0", "5"], which, ["P"], [y], dose="L", notes=["a remark"])
    figure = next(block for block in section.blocks if isinstance(block, Figure))
    trace = figure.traces[0]
    assert trace["median"] == [50, 500] and trace["q1"] == [25, 250] and trace["upperfence"] == [95, 950]
    assert len(figure.whole["P"]) == 202
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.columns["cells"] == [101, 101] and table.columns["mean"] == [50, 500] and table.columns["L"] == ["0", "5"]


def test_trajectories_are_medians_over_time():
    y = np.arange(12.0).reshape(4, 3)
    section = response_section(["0", "5"], np.array([0, 0, 1, 1]), ["P"], [y], times=np.array([1.0, 2.0, 3.0]))
    figure, table = section.blocks
    assert figure.name == "P over time" and table.rows == 6 and table.columns["time"][:3] == [1, 2, 3]


def test_one_cell_at_a_dose_has_no_spread():
    section = response_section(["0"], np.array([0]), ["P"], [np.ones((1, 1))])
    assert section.blocks[-1].columns["sd"] == [None]


def test_a_law_is_a_picture_with_its_numbers():
    figure, table = law_section(["0", "5"], np.array([[0.5, 0.5, 0], [0, 0, 1.0]])).blocks
    assert figure.traces[0]["z"] == [[0.5, 0.5, 0], [0, 0, 1]] and table.rows == 6
    assert table.columns["response"] == [0, 1, 2, 0, 1, 2]
