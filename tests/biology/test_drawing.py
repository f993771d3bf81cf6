"""The drawing of a network: everything is there once, nothing on top of each other, the same each time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sciml.biology.datasets import list_pathways, load_pathway
from sciml.biology.drawing import MOST_DRAWN, draw, network_figure
from sciml.biology.formula import parse
from sciml.biology.network import Network, Parameter, Reaction, Rule, Species
from sciml.biology.sbml import load_sbml

NET = Network(
    species=[Species("L", 1, boundary=True), Species("R", 5), Species("RL", 0), Species("idle", 1)],
    parameters=[Parameter("k", 1), Parameter("seen", constant=False)],
    rules=[Rule("assignment", parse("2*RL"), "seen")],
    reactions=[Reaction.parse("bind", "L + R -> RL", rate="k"), Reaction.parse("loss", "R ->", law="seen*R")],
)


def test_what_is_drawn():
    drawing = draw(NET)
    assert drawing.ids == ("L", "R", "RL", "bind", "loss")
    named = {(drawing.ids[a], drawing.ids[b], kind) for a, b, kind in drawing.arrows}
    assert named == {("L", "bind", "in"), ("R", "bind", "in"), ("bind", "RL", "out"), ("R", "loss", "in"), ("RL", "loss", "modifies")}
    json.dumps(drawing.to_dict())


@pytest.mark.parametrize("name", list_pathways())
def test_places(name):
    net = load_pathway(name)
    places = draw(net).places
    assert np.isfinite(places).all()
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2)) + np.eye(len(places)) * 9
    assert apart.min() > 0.2
    assert np.ptp(places[:, 0]) >= np.ptp(places[:, 1]) * 0.99
    assert (draw(net).places == places).all()


def test_the_figure_keeps_its_numbers():
    figure = network_figure(NET)
    assert [len(t["x"]) for t in figure.traces] == [3, 2]
    assert figure.notes == ()
    assert figure.whole["id"] == ["L", "R", "RL", "bind", "loss"]
    assert "bind: L + R -> RL, rate k * L * R" in figure.whole["about"]
    assert len(figure.layout["annotations"]) == 5
    heads = [a for a in figure.layout["annotations"] if a["arrowhead"]]
    assert len(heads) == 1
    colours = figure.traces[0]["marker"]["color"]
    assert colours[0] != colours[1]


def test_nothing_and_too_much():
    assert network_figure(Network()) is None
    many = Network(species={f"s{i}": 1 for i in range(MOST_DRAWN + 1)})
    assert network_figure(many) is None
    alone = Network(species={"A": 1}, reactions=[Reaction.parse("r", "A -> ", rate=1)])
    assert len(draw(alone).places) == 2


def pixels(figure):
    """The labels of species as boxes (left, right, top, bottom) and the discs' centres, in the pixels of a picture 1000 wide."""
    trace = figure.traces[0]
    x, y = (np.concatenate([np.asarray(t[axis], float) for t in figure.traces]) for axis in "xy")
    across, down = (x - x.min()) / np.ptp(x) * 900, (y.max() - y) / np.ptp(y) * (figure.layout["height"] - 120)
    moves = {"top center": (0, -1), "bottom center": (0, 1), "middle right": (1, 0), "middle left": (-1, 0)}
    boxes = []
    for i, (text, side) in enumerate(zip(trace["text"], trace["textposition"], strict=True)):
        if text:
            dx, dy = moves[side]
            cx, cy = across[i] + dx * (9 + 6.5 * len(text) / 2), down[i] + dy * (9 + 6.5)
            boxes.append((cx - 3.2 * len(text), cx + 3.2 * len(text), cy - 6, cy + 6))
    return boxes, np.column_stack([across, down])[: len(trace["x"])]


def test_a_large_network_can_be_read():
    """The EGF model's 94 species and 125 reactions: labels on no label and no disc, nearly all shown, the picture filled evenly."""
    figure = network_figure(load_sbml(Path(__file__).parents[1] / "data" / "biomodels" / "BIOMD0000000019.xml.gz"))
    boxes, discs = pixels(figure)
    assert len(boxes) >= 0.9 * len(discs)
    for k, (left, right, top, bottom) in enumerate(boxes):
        assert not any(left < x < right and top < y < bottom for x, y in discs)
        assert not any(left < b[1] and b[0] < right and top < b[3] and b[2] < bottom for b in boxes[:k])
    quarters = np.histogram2d(*discs.T, bins=2)[0]
    assert quarters.min() >= 0.1 * len(discs)


def test_labels_without_room_are_left_to_the_pointer():
    crowd = Network(
        species={f"a_species_with_a_name_far_too_long_{i}": 1 for i in range(120)},
        reactions=[
            Reaction.parse(f"r{i}", f"a_species_with_a_name_far_too_long_{i} -> a_species_with_a_name_far_too_long_{i + 1}", rate=1.0)
            for i in range(119)
        ],
    )
    figure = network_figure(crowd)
    hidden = list(figure.traces[0]["text"]).count("")
    assert 0 < hidden < 120
    assert f"{hidden} labels have no room" in figure.caption
    assert len(set(figure.traces[0]["hovertext"])) == 120
